/** The contacts whose names fit, above the messages; a click opens the newest of their conversations. */

import type { FoundContact } from "../../gen/inbox/conversation/v1/contact_search_pb";
import type { Contact } from "../../gen/inbox/conversation/v1/conversation_pb";
import type { Search } from "../../inbox/search";
import { Avatar } from "../../ui/avatar";
import { Button } from "../../ui/button";
import { ErrorText } from "../../ui/notice";
import { ChannelBadge } from "../channel-kind";
import { identityWords } from "../contact-identity";
import { useInbox, useObservable } from "../session";
import { Sought } from "../sought";
import { problemOf } from "./search-words";

/** Where the contacts' conversations are to be found. */
export interface ContactLinks {
  /** The conversation that is looked at from its end. */
  readonly selectedId: string | null;
  hrefOf(conversationId: string): string;
  open(conversationId: string): void;
}

export function FoundContacts({
  search,
  links,
  isDimmed,
}: {
  search: Search<FoundContact>;
  links: ContactLinks;
  isDimmed: boolean;
}) {
  const { found, isAsking, failure } = useObservable(search);
  const problem = failure === null ? null : problemOf(failure);
  // What cannot be asked is said once, below.
  const isUnreachable = problem?.canRetry === true;
  if (!isUnreachable && (found === null || found.items.length === 0)) return null;
  const hasMore = found !== null && found.nextPageToken !== "" && !isDimmed;
  return (
    <section aria-labelledby="found-contacts" className="pb-2">
      <h2 id="found-contacts" className="px-4 pt-1 pb-1 text-sm font-semibold">
        Contacts
      </h2>
      <ul
        aria-label="Contacts found"
        className={`flex flex-col px-2 transition-opacity ${isDimmed ? "opacity-60" : ""}`}
      >
        {found?.items.map((hit) => (
          <li key={hit.contact?.id}>
            <ContactHit hit={hit} links={links} />
          </li>
        ))}
      </ul>
      {(isUnreachable || hasMore) && (
        <div className="flex flex-col items-start gap-2 px-5 pt-1">
          {isUnreachable && <ErrorText>Contacts: {problem.words}</ErrorText>}
          <Button look="quiet" isBusy={isAsking} onClick={() => void search.more()}>
            {isUnreachable ? "Search contacts again" : "More contacts"}
          </Button>
        </div>
      )}
    </section>
  );
}

function ContactHit({ hit, links }: { hit: FoundContact; links: ContactLinks }) {
  const { contact, highlights, conversations } = hit;
  const newest = conversations[0];
  const identity = useIdentityWords(contact);
  if (contact === undefined) return null;
  const kind = newest?.channelKind ?? contact.identities[0]?.channelKind;
  const content = (
    <>
      <Avatar
        name={contact.displayName}
        colorKey={newest?.id ?? contact.id}
        badge={kind !== undefined && <ChannelBadge kind={kind} />}
      />
      <span className="min-w-0 flex-1">
        <span className="block truncate font-medium">
          <Sought text={contact.displayName} highlights={highlights} />
        </span>
        <span className="block truncate text-xs text-muted">{identity}</span>
      </span>
    </>
  );
  const look = "flex min-h-12 items-center gap-3 rounded-xl px-3 py-1.5 outline-offset-[-2px]";
  if (newest === undefined) return <div className={look}>{content}</div>;
  const isSelected = links.selectedId === newest.id;
  return (
    <a
      href={links.hrefOf(newest.id)}
      aria-current={isSelected ? "true" : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        links.open(newest.id);
      }}
      className={`${look} ${isSelected ? "bg-selected" : "hover:bg-hover"}`}
    >
      {content}
    </a>
  );
}

function useIdentityWords(contact: Contact | undefined): string {
  const channels = useInbox((snapshot) => snapshot.state.channels);
  return contact === undefined ? "" : identityWords(contact.identities, channels);
}
