/** What was found: contacts by name, and messages by conversation, with the words that were looked for. */

import { type KeyboardEvent, type RefObject, useEffect, useMemo } from "react";
import type { FoundContact } from "../../gen/inbox/conversation/v1/contact_search_pb";
import type { FoundMessage } from "../../gen/inbox/messaging/v1/search_pb";
import {
  type Found,
  type FoundGroup,
  groupsOf,
  type Search,
  type SearchState,
} from "../../inbox/search";
import { Button } from "../../ui/button";
import { AlertIcon, SearchIcon } from "../../ui/icons";
import { EmptyState, ErrorText } from "../../ui/notice";
import { Skeleton } from "../../ui/skeleton";
import { useToday } from "../../ui/use-now";
import { useInbox, useObservable, useSession, useTimeZone } from "../session";
import { type ContactLinks, FoundContacts } from "./found-contacts";
import { FoundConversation, type HitLinks } from "./found-conversation";
import { contactWords, countWords, problemOf } from "./search-words";

export function SearchResults({
  messages,
  contacts,
  results,
  links,
  contactLinks,
  onLeave,
}: {
  messages: Search<FoundMessage>;
  contacts: Search<FoundContact>;
  results: RefObject<HTMLElement | null>;
  links: HitLinks;
  contactLinks: ContactLinks;
  /** Back to the box, or out of the search. */
  onLeave: (how: "up" | "out") => void;
}) {
  const state = useObservable(messages);
  const people = useObservable(contacts);
  const { found, isAsking, failure } = state;
  const query = state.text.trim();
  const isAnswered = found?.query === query;
  const areContactsAnswered = people.found?.query === query;
  const contactCount = areContactsAnswered ? (people.found?.items.length ?? 0) : 0;
  const more = () => void messages.more();

  function onKeyDown(event: KeyboardEvent<HTMLElement>) {
    if (event.key === "Escape") onLeave("out");
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const hits = [...event.currentTarget.querySelectorAll<HTMLElement>("a")];
    const next = hits.indexOf(event.target as HTMLElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    if (next < 0) onLeave("up");
    else hits[next]?.focus();
  }

  return (
    <section
      ref={results}
      aria-label="Search results"
      onKeyDown={onKeyDown}
      aria-busy={isAsking}
      className="flex min-h-0 flex-1 flex-col overflow-y-auto overscroll-contain"
    >
      <p
        role="status"
        className={
          found?.items.length === 0 && contactCount === 0
            ? "sr-only"
            : "px-4 pb-1 text-xs text-muted empty:pb-0"
        }
      >
        {statusWords(state, people)}
      </p>
      <FoundContacts search={contacts} links={contactLinks} isDimmed={!areContactsAnswered} />
      {(contactCount > 0 || (found?.items.length ?? 0) > 0) && (
        <h2 className="px-4 pt-1 pb-1 text-sm font-semibold">Messages</h2>
      )}
      {failure !== null && !isAnswered ? (
        <Failed failure={failure} onRetry={more} />
      ) : found === null ? (
        <ResultsSkeleton />
      ) : found.items.length === 0 ? (
        <NothingFound
          found={found}
          isDimmed={!isAnswered}
          isBesideContacts={contactCount > 0}
          onMore={more}
        />
      ) : (
        <FoundMessages
          state={state}
          found={found}
          isDimmed={!isAnswered}
          links={links}
          onMore={more}
        />
      )}
    </section>
  );
}

function statusWords(
  { found, isAsking, failure, text }: SearchState<FoundMessage>,
  people: SearchState<FoundContact>,
): string {
  const query = text.trim();
  if (found?.query !== query) return isAsking || failure === null ? "Searching…" : "";
  const contacts = people.found?.query === query ? people.found : null;
  if (found.items.length === 0 && (contacts?.items.length ?? 0) === 0) {
    return people.isAsking ? "Searching…" : "No results";
  }
  const rebuilding = found.isRebuilding ? "older ones are still being added" : "";
  return [contactWords(contacts), countWords(found), rebuilding].filter(Boolean).join(" · ");
}

function FoundMessages({
  state,
  found,
  isDimmed,
  links,
  onMore,
}: {
  state: SearchState<FoundMessage>;
  found: Found<FoundMessage>;
  isDimmed: boolean;
  links: HitLinks;
  onMore: () => void;
}) {
  const timeZone = useTimeZone();
  const today = useToday(timeZone);
  const groups = useMemo(() => groupsOf(found.items), [found.items]);
  useKnownConversations(groups);
  return (
    <>
      <ul
        aria-label="Messages found"
        className={`flex flex-col gap-1 px-2 pb-2 transition-opacity ${isDimmed ? "opacity-60" : ""}`}
      >
        {groups.map((group) => (
          <FoundConversation
            key={group.conversationId}
            group={group}
            links={links}
            today={today}
            timeZone={timeZone}
          />
        ))}
      </ul>
      {found.nextPageToken !== "" && !isDimmed && (
        <div className="flex flex-col items-center gap-2 px-4 pt-1 pb-4">
          {state.failure !== null && <ErrorText>{problemOf(state.failure).words}</ErrorText>}
          <Button isBusy={state.isAsking} onClick={onMore}>
            {state.failure === null ? "Show more" : "Try again"}
          </Button>
        </div>
      )}
    </>
  );
}

/** Whose conversations these are; also after a snapshot that does not speak of them. */
function useKnownConversations(groups: readonly FoundGroup[]): void {
  const { inbox } = useSession();
  const unknown = useInbox(({ state }) =>
    groups
      .map(({ conversationId }) => conversationId)
      .filter((id) => !state.conversations.has(id))
      .join(" "),
  );
  useEffect(() => {
    if (unknown === "") return;
    // Without their names they can be opened all the same.
    inbox.know(unknown.split(" ")).catch(() => {});
  }, [inbox, unknown]);
}

function NothingFound({
  found,
  isDimmed,
  isBesideContacts,
  onMore,
}: {
  found: Found<FoundMessage>;
  isDimmed: boolean;
  /** Something was found, only no message. */
  isBesideContacts: boolean;
  onMore: () => void;
}) {
  const goesOn = found.nextPageToken !== "";
  const further = goesOn ? <Button onClick={onMore}>Search further</Button> : undefined;
  const words = found.isRebuilding
    ? "Older messages are still being added to the search."
    : "No message has all of these words. Try fewer, or another spelling.";
  if (isBesideContacts) {
    return (
      <div
        className={`flex flex-col items-start gap-2 px-4 text-sm text-muted ${isDimmed ? "opacity-60" : ""}`}
      >
        <p>{words}</p>
        {further}
      </div>
    );
  }
  return (
    <div className={`flex-1 ${isDimmed ? "opacity-60" : ""}`}>
      <EmptyState
        icon={<SearchIcon className="size-7" />}
        title={goesOn ? "Nothing found yet" : "Nothing found"}
        action={further}
      >
        {words}
      </EmptyState>
    </div>
  );
}

function Failed({ failure, onRetry }: { failure: unknown; onRetry: () => void }) {
  const { title, words, canRetry } = problemOf(failure);
  return (
    <div role="alert" className="flex-1">
      <EmptyState
        icon={canRetry ? <AlertIcon className="size-7" /> : <SearchIcon className="size-7" />}
        title={title}
        action={canRetry ? <Button onClick={onRetry}>Try again</Button> : undefined}
      >
        {words}
      </EmptyState>
    </div>
  );
}

function ResultsSkeleton() {
  return (
    <div aria-hidden="true" className="flex flex-col gap-4 px-5 pt-2">
      {[0, 1, 2, 3].map((index) => (
        <div key={index} className="flex gap-3" style={{ opacity: 1 - index * 0.2 }}>
          <Skeleton className="size-9 rounded-full!" />
          <div className="flex flex-1 flex-col gap-2 pt-1">
            <Skeleton className="h-3.5 w-2/5" />
            <Skeleton className="h-3 w-11/12" />
            <Skeleton className="h-3 w-3/5" />
          </div>
        </div>
      ))}
    </div>
  );
}
