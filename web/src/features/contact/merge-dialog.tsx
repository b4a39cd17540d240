/** One person who is two contacts: find the other, see what will be kept, and make them one for good. */

import { useEffect, useRef, useState } from "react";
import type { FoundContact } from "../../gen/inbox/conversation/v1/contact_search_pb";
import { Search } from "../../inbox/search";
import { Avatar } from "../../ui/avatar";
import { Button } from "../../ui/button";
import { Dialog } from "../../ui/dialog";
import { Field } from "../../ui/field";
import { ErrorText } from "../../ui/notice";
import { Spinner } from "../../ui/spinner";
import { ChannelBadge } from "../channel-kind";
import { identityWords } from "../contact-identity";
import { sayError } from "../say-error";
import { useInbox, useObservable, useSession } from "../session";
import { Sought } from "../sought";
import { MergePreview } from "./merge-preview";
import { useContact } from "./use-contact";

const LONGEST_NAME = 80;
const FOUND_AT_ONCE = 10;

export default function MergeDialog({ onClose }: { onClose: () => void }) {
  const [otherId, setOtherId] = useState<string | null>(null);
  return (
    <Dialog title="Merge with another contact" isOpen onClose={onClose}>
      {otherId === null ? (
        <FindOther onChoose={setOtherId} />
      ) : (
        <MergePreview otherId={otherId} onBack={() => setOtherId(null)} onDone={onClose} />
      )}
    </Dialog>
  );
}

function useContactSearch(): Search<FoundContact> {
  const { inbox, contactApi } = useSession();
  const [search] = useState(
    () =>
      new Search<FoundContact>(
        (query, pageToken, signal) => contactApi.search(query, FOUND_AT_ONCE, pageToken, signal),
        ({ contact }) => contact?.id ?? "",
        inbox.clock,
      ),
  );
  return search;
}

function FindOther({ onChoose }: { onChoose: (contactId: string) => void }) {
  const { contact } = useContact();
  const search = useContactSearch();
  const { text, found, isAsking, failure } = useObservable(search);
  const field = useRef<HTMLDivElement>(null);
  useEffect(() => field.current?.querySelector("input")?.focus(), []);
  const isAnswered = found?.query === text.trim();
  const others = found?.items.filter((hit) => hit.contact?.id !== contact.id) ?? [];
  return (
    <div className="flex flex-col gap-4">
      <div ref={field}>
        <Field
          label="Name of the other contact"
          autoComplete="off"
          maxLength={LONGEST_NAME}
          value={text}
          onChange={(event) => void search.type(event.target.value)}
        />
      </div>
      <div aria-busy={isAsking} className="flex min-h-32 flex-col gap-1">
        <p role="status" className="flex min-h-5 items-center gap-2 text-xs text-muted">
          {isAsking && <Spinner />}
          {statusWords(text, isAnswered, others.length)}
        </p>
        <ul aria-label="Contacts found" className="-mx-2 flex flex-col">
          {others.map((hit) => (
            <li key={hit.contact?.id}>
              <OtherContact hit={hit} onChoose={onChoose} />
            </li>
          ))}
        </ul>
        {failure !== null && <ErrorText>{sayError(failure)}</ErrorText>}
        {(failure !== null || (isAnswered && found.nextPageToken !== "")) && (
          <Button isBusy={isAsking} className="self-start" onClick={() => void search.more()}>
            {failure !== null ? "Try again" : "Show more"}
          </Button>
        )}
      </div>
    </div>
  );
}

function statusWords(text: string, isAnswered: boolean, count: number): string {
  if (text.trim() === "") return "Type the beginning of a name.";
  if (!isAnswered) return "";
  if (count === 0) return "No other contact has this name.";
  return count === 1 ? "1 contact" : `${count} contacts`;
}

function OtherContact({
  hit: { contact, highlights, conversations },
  onChoose,
}: {
  hit: FoundContact;
  onChoose: (contactId: string) => void;
}) {
  const channels = useInbox((snapshot) => snapshot.state.channels);
  if (contact === undefined) return null;
  const kind = contact.identities[0]?.channelKind;
  return (
    <button
      type="button"
      onClick={() => onChoose(contact.id)}
      className="flex min-h-12 w-full items-center gap-3 rounded-lg px-2 py-1.5 text-left hover:bg-hover"
    >
      <Avatar
        name={contact.displayName}
        colorKey={conversations[0]?.id ?? contact.id}
        badge={kind !== undefined && <ChannelBadge kind={kind} />}
      />
      <span className="min-w-0 flex-1">
        <span className="block truncate text-sm font-medium">
          <Sought text={contact.displayName} highlights={highlights} />
        </span>
        <span className="block truncate text-xs text-muted">
          {identityWords(contact.identities, channels)}
        </span>
      </span>
    </button>
  );
}
