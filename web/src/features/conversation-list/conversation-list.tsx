/** The inbox list: one folder through its filters, newest activity first, more on scrolling down. */

import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from "react";
import { Folder } from "../../gen/inbox/conversation/v1/conversation_pb";
import type { Presence } from "../../gen/inbox/realtime/v1/frame_pb";
import { isFiltered, keyOf, type ListQuery } from "../../inbox/list-query";
import { Button } from "../../ui/button";
import { ArchiveIcon, ChatIcon, CheckIcon, SearchIcon, SpamIcon } from "../../ui/icons";
import { EmptyState } from "../../ui/notice";
import { Skeleton } from "../../ui/skeleton";
import { Spinner } from "../../ui/spinner";
import { useToday } from "../../ui/use-now";
import { useRowWindow } from "../../ui/use-row-window";
import { useInbox, useSession, useTimeZone } from "../session";
import { useTags } from "../use-tags";
import { useTypingCustomers } from "../use-typing";
import { ConversationRow } from "./conversation-row";

const ROW_HEIGHT_REM = 4.5;
/** More than a row has room for. */
const DRAFT_LENGTH = 140;
/** Begin to load the next page this many rows before the end. */
const ROWS_AHEAD = 12;
const OPEN = {
  name: "Open",
  icon: ChatIcon,
  title: "All caught up",
  words: "New messages from customers show up here by themselves.",
};
const WORDS: Record<Folder, typeof OPEN> = {
  [Folder.UNSPECIFIED]: OPEN,
  [Folder.OPEN]: OPEN,
  [Folder.SOLVED]: {
    name: "Solved",
    icon: CheckIcon,
    title: "Nothing solved yet",
    words:
      "Conversations you mark as solved are kept here. A customer’s next message opens them again.",
  },
  [Folder.SPAM]: {
    name: "Spam",
    icon: SpamIcon,
    title: "No spam",
    words: "What you move here stays here: nobody is notified and the AI does not answer.",
  },
  [Folder.ARCHIVED]: {
    name: "Archived",
    icon: ArchiveIcon,
    title: "Nothing archived yet",
    words: "Out of sight, but not gone. A customer’s next message opens a conversation again.",
  },
};
const PLACEHOLDERS = [0, 1, 2, 3, 4, 5, 6, 7, 8];

interface ListProps {
  query: ListQuery;
  selectedId: string | null;
  hrefOf: (id: string) => string;
  onOpen: (id: string) => void;
  /** Show all of the folder. */
  onClear: () => void;
}

export function ConversationList({ query, selectedId, hrefOf, onOpen, onClear }: ListProps) {
  const { inbox, member } = useSession();
  const list = useInbox((snapshot, views) => views.list(snapshot.state, snapshot.pending, query));
  const isReady = useInbox((snapshot) => snapshot.isLoaded);
  const isLoaded = useInbox(({ state }) => state.lists.has(keyOf(query)));
  const nextPageToken = useInbox(({ state }) => state.lists.get(keyOf(query))?.nextPageToken);
  const hasMore = nextPageToken !== "";
  const { star } = useTags();
  const presence = useInbox((snapshot) => snapshot.state.presence);
  const members = useInbox((snapshot) => snapshot.state.members);
  const typing = useTypingCustomers();
  const timeZone = useTimeZone();
  const today = useToday(timeZone);
  const scroller = useRef<HTMLDivElement>(null);
  const { start, end, rowHeight } = useRowWindow(scroller, list.length, ROW_HEIGHT_REM);
  const drafts = useDrafts(list.slice(start, end));
  const [hasFailed, setHasFailed] = useState(false);

  const isNearEnd = isReady && hasMore && end > list.length - ROWS_AHEAD;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a page may bring nothing and say where to go on.
  useEffect(() => {
    if (!isNearEnd || hasFailed) return;
    inbox.loadMore(query).catch(() => setHasFailed(true));
  }, [inbox, query, isNearEnd, hasFailed, nextPageToken]);

  if (!isReady || (!isLoaded && !hasFailed)) return <ListSkeleton />;
  if (list.length === 0 && !hasMore) return <EmptyList query={query} onClear={onClear} />;
  return (
    <div
      ref={scroller}
      className="min-h-0 flex-1 overflow-y-auto overscroll-contain [overflow-anchor:none]"
    >
      <ul
        aria-label={`${WORDS[query.folder].name} conversations`}
        className="relative mx-2"
        style={{ height: list.length * rowHeight }}
      >
        {list.slice(start, end).map((conversation, index) => (
          <li
            key={conversation.id}
            className="absolute inset-x-0 top-0 py-px"
            style={{ height: rowHeight, transform: `translateY(${(start + index) * rowHeight}px)` }}
          >
            <ConversationRow
              conversation={conversation}
              href={hrefOf(conversation.id)}
              isSelected={conversation.id === selectedId}
              isPriority={star !== null && conversation.tagIds.includes(star.id)}
              isCustomerTyping={typing.has(conversation.id)}
              assigneeName={members.get(conversation.assigneeId)?.displayName ?? ""}
              viewers={viewersOf(presence, conversation.id, member.id)}
              draft={drafts[index] ?? ""}
              today={today}
              timeZone={timeZone}
              onOpen={onOpen}
            />
          </li>
        ))}
      </ul>
      {hasMore && (
        <div className="grid min-h-14 place-items-center text-faint">
          {hasFailed ? (
            <Button onClick={() => setHasFailed(false)}>Could not load more. Try again</Button>
          ) : (
            <Spinner />
          )}
        </div>
      )}
    </div>
  );
}

/** How each draft begins, on one line; the same list while none changed. */
function useDrafts(conversations: readonly { id: string }[]): readonly string[] {
  const { drafts, canWrite } = useSession();
  const beginnings = useSyncExternalStore(
    (listener) => drafts.subscribe(listener),
    () =>
      canWrite ? conversations.map(({ id }) => beginningOf(drafts.textOf(id))).join("\n") : "",
  );
  return beginnings.split("\n");
}

function beginningOf(text: string): string {
  return text
    .slice(0, 2 * DRAFT_LENGTH)
    .replaceAll(/\s+/gu, " ")
    .trim()
    .slice(0, DRAFT_LENGTH);
}

function viewersOf(
  presence: ReadonlyMap<string, Presence>,
  conversationId: string,
  ownId: string,
): string {
  const names: string[] = [];
  for (const [memberId, where] of presence) {
    if (memberId !== ownId && where.conversationId === conversationId)
      names.push(where.displayName);
  }
  return names.join(", ");
}

function EmptyList({ query, onClear }: { query: ListQuery; onClear: () => void }): ReactNode {
  if (isFiltered(query)) {
    return (
      <EmptyState
        icon={<SearchIcon className="size-7" />}
        title="None here"
        action={<Button onClick={onClear}>Clear filters</Button>}
      >
        No conversation of this folder has all of it.
      </EmptyState>
    );
  }
  const { icon: Icon, title, words } = WORDS[query.folder];
  return (
    <EmptyState icon={<Icon className="size-7" />} title={title}>
      {words}
    </EmptyState>
  );
}

function ListSkeleton() {
  return (
    <div
      role="status"
      aria-label="Loading conversations"
      className="mx-2 flex flex-1 flex-col overflow-hidden"
    >
      {PLACEHOLDERS.map((index) => (
        <div
          key={index}
          className="flex h-18 shrink-0 items-center gap-3 px-3"
          style={{ opacity: 1 - index * 0.1 }}
        >
          <Skeleton className="size-11 rounded-full!" />
          <div className="flex flex-1 flex-col gap-2">
            <Skeleton className={index % 3 === 0 ? "h-3.5 w-2/5" : "h-3.5 w-1/2"} />
            <Skeleton className={index % 2 === 0 ? "h-3 w-4/5" : "h-3 w-3/5"} />
          </div>
        </div>
      ))}
    </div>
  );
}
