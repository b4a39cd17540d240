/** How the inbox behaves for everybody. */

import { useCallback, useState } from "react";
import { withInboxSettings } from "../../inbox/merge";
import { Check } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { Section } from "../../ui/page";
import { Skeleton } from "../../ui/skeleton";
import { LoadFailure } from "../load-failure";
import { useInbox, useSession } from "../session";
import { useAction } from "../use-action";
import { useLoaded } from "../use-loaded";

export default function InboxSettingsSection() {
  const { services, inbox, isOwner } = useSession();
  const settings = useInbox((snapshot) => snapshot.state.inboxSettings);
  const saving = useAction();
  const [wanted, setWanted] = useState<boolean | null>(null);
  const load = useCallback(async () => {
    const { settings } = await services.conversations.getInboxSettings({});
    if (settings) inbox.store.change((state) => withInboxSettings(state, settings));
    return true;
  }, [services, inbox]);
  const { error, again } = useLoaded(load);

  async function change(reopensOnInbound: boolean) {
    setWanted(reopensOnInbound);
    await saving.run(async () => {
      const { settings: saved } = await services.conversations.updateInboxSettings({
        requestId: crypto.randomUUID(),
        reopensOnInbound,
        expectedVersion: settings?.version ?? 0n,
      });
      if (saved) inbox.store.change((state) => withInboxSettings(state, saved));
    });
    setWanted(null);
  }

  return (
    <Section title="Inbox" hint="The same for everybody in the workspace.">
      {error !== null && <LoadFailure text={error} onAgain={() => void again()} />}
      {settings === null && error === null && <Skeleton className="h-16 rounded-xl!" />}
      {settings !== null && (
        <fieldset
          disabled={!isOwner || saving.isBusy}
          className="rounded-xl border border-line p-4"
        >
          <legend className="sr-only">Inbox</legend>
          <Check
            label="A customer's next message opens a solved or archived conversation again"
            hint="Switched off, it stays where it is and shows as unread there. Spam never comes back by itself."
            checked={wanted ?? settings.reopensOnInbound}
            onChange={(event) => void change(event.target.checked)}
          />
        </fieldset>
      )}
      {saving.error !== null && <ErrorText>{saving.error}</ErrorText>}
      {!isOwner && <p className="text-sm text-muted">Owners change this.</p>}
    </Section>
  );
}
