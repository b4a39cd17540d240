/** What the one contact will be, and what of the two nobody will know afterwards. */

import { useCallback, useState } from "react";
import { previewOfMerge, type WholeContact } from "../../inbox/merge-preview";
import { Button } from "../../ui/button";
import { ErrorText } from "../../ui/notice";
import { RadioCards } from "../../ui/radio-cards";
import { Skeleton } from "../../ui/skeleton";
import { useToast } from "../../ui/toast";
import { identityWords } from "../contact-identity";
import { LoadFailure } from "../load-failure";
import { useInbox, useSession } from "../session";
import { TagLabel } from "../tag-look";
import { useAction } from "../use-action";
import { useLoaded } from "../use-loaded";
import { useRequestId } from "../use-request-id";
import { useTags } from "../use-tags";
import { useContact } from "./use-contact";

export function MergePreview({
  otherId,
  onBack,
  onDone,
}: {
  otherId: string;
  onBack: () => void;
  onDone: () => void;
}) {
  const { contactApi } = useSession();
  const load = useCallback(async (): Promise<WholeContact> => {
    const { contact, profile } = await contactApi.get(otherId);
    if (contact === undefined || profile === undefined) throw new Error("the answer lacks it");
    return { contact, profile };
  }, [contactApi, otherId]);
  const other = useLoaded(load);
  if (other.error !== null) {
    return <LoadFailure text={other.error} onAgain={() => void other.again()} />;
  }
  if (other.value === null) {
    return (
      <div role="status" aria-label="Loading the other contact">
        <Skeleton className="h-48 rounded-xl!" />
      </div>
    );
  }
  return (
    <Preview
      other={other.value}
      onLookAgain={() => void other.again()}
      onBack={onBack}
      onDone={onDone}
    />
  );
}

function Preview({
  other,
  onLookAgain,
  onBack,
  onDone,
}: {
  other: WholeContact;
  onLookAgain: () => void;
  onBack: () => void;
  onDone: () => void;
}) {
  const open = useContact();
  const toast = useToast();
  const merging = useAction();
  const requestIdFor = useRequestId();
  const channels = useInbox((snapshot) => snapshot.state.channels);
  const { labels } = useTags();
  const [staying, setStaying] = useState<"open" | "other">("open");
  const [stays, goes] = staying === "open" ? [open, other] : [other, open];
  const { lines, identities, tagIds } = previewOfMerge(stays, goes);

  async function merge() {
    const content = [stays.contact.id, goes.contact.id];
    const versions = [stays.contact.version, goes.contact.version];
    const isDone = await merging.run(() =>
      open.file.merge(stays.contact, goes.contact, requestIdFor([...content, ...versions])),
    );
    if (isDone) {
      toast({ text: `They are one contact now: ${nameOrNobody(stays)}` });
      onDone();
    } else onLookAgain();
  }

  return (
    <div className="flex flex-col gap-4">
      <div className="flex flex-col gap-2">
        <h3 className="text-sm font-semibold">Which one stays</h3>
        <RadioCards
          label="Which one stays"
          value={staying}
          options={[
            {
              value: "open",
              text: nameOrNobody(open),
              hint: identityWords(open.contact.identities, channels),
            },
            {
              value: "other",
              text: nameOrNobody(other),
              hint: identityWords(other.contact.identities, channels),
            },
          ]}
          onChange={setStaying}
        />
      </div>
      <section aria-labelledby="will-be-kept" className="flex flex-col gap-2">
        <h3 id="will-be-kept" className="text-sm font-semibold">
          What will be kept
        </h3>
        <dl className="grid max-h-72 grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 overflow-y-auto rounded-xl border border-line p-3 text-sm">
          {lines.map(({ name, kept, dropped }) => (
            <div key={name} className="contents">
              <dt className="max-w-32 text-muted [overflow-wrap:anywhere]">{name}</dt>
              <dd className="min-w-0 [overflow-wrap:anywhere]">
                {kept}
                {dropped !== "" && (
                  <span className="block text-xs text-danger">
                    Dropped: <s>{dropped}</s>
                  </span>
                )}
              </dd>
            </div>
          ))}
          <dt className="text-muted">Identities</dt>
          <dd className="min-w-0">
            {identities.map((identity) => (
              <span key={`${identity.channelId} ${identity.externalId}`} className="block truncate">
                {identityWords([identity], channels)}
              </span>
            ))}
          </dd>
          {tagIds.length > 0 && (
            <>
              <dt className="text-muted">Labels</dt>
              <dd className="flex min-w-0 flex-wrap gap-1">
                {labels
                  .filter((tag) => tagIds.includes(tag.id))
                  .map((tag) => (
                    <TagLabel key={tag.id} tag={tag} />
                  ))}
              </dd>
            </>
          )}
          <dt className="text-muted">And</dt>
          <dd>All notes and conversations of both. Of consents the latest counts.</dd>
        </dl>
      </section>
      <p className="rounded-lg bg-warn-soft px-3 py-2 text-sm text-warn">
        This is for good: nobody can take them apart again.
      </p>
      {merging.error !== null && <ErrorText>{merging.error}</ErrorText>}
      <div className="flex flex-wrap justify-end gap-2">
        <Button look="quiet" onClick={onBack}>
          Choose another
        </Button>
        <Button look="danger" isBusy={merging.isBusy} onClick={() => void merge()}>
          Merge for good
        </Button>
      </div>
    </div>
  );
}

function nameOrNobody({ contact }: WholeContact): string {
  return contact.displayName.trim() || "Without a name";
}
