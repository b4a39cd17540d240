/** Where the contact writes from; and, when it is one person twice, the way to make them one contact. */

import { lazy, Suspense, useState } from "react";
import { ChannelIcon } from "../channel-kind";
import { channelName } from "../contact-identity";
import { useInbox, useSession } from "../session";
import { Section, TextButton } from "./section";
import { useContact } from "./use-contact";

const MergeDialog = lazy(() => import("./merge-dialog"));

export function IdentitiesSection() {
  const { canWrite } = useSession();
  const { contact } = useContact();
  const channels = useInbox((snapshot) => snapshot.state.channels);
  const [isMerging, setIsMerging] = useState(false);
  return (
    <Section
      title="Identities"
      action={
        canWrite && (
          <TextButton label="Merge" of="with another contact" onClick={() => setIsMerging(true)} />
        )
      }
    >
      <ul aria-label="Identities" className="flex flex-col gap-2">
        {contact.identities.map((identity) => (
          <li
            key={`${identity.channelId} ${identity.externalId}`}
            className="flex items-center gap-3 text-sm"
          >
            <ChannelIcon kind={identity.channelKind} />
            <span className="min-w-0">
              <span className="block truncate">{channelName(identity, channels)}</span>
              <span
                className="block truncate font-mono text-xs text-muted"
                title={identity.externalId}
              >
                {identity.externalId}
              </span>
            </span>
          </li>
        ))}
      </ul>
      {isMerging && (
        <Suspense>
          <MergeDialog onClose={() => setIsMerging(false)} />
        </Suspense>
      )}
    </Section>
  );
}
