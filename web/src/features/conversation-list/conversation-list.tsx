/** The inbox list: one folder, newest activity first, more on scrolling down. */

import { type ReactNode, useEffect, useRef, useState } from "react";
import { Folder } from "../../gen/inbox/conversation/v1/conversation_pb";
import type { Presence } from "../../gen/inbox/realtime/v1/frame_pb";
import { Button } from "../../ui/button";
import { ChatIcon, CheckIcon } from "../../ui/icons";
import { EmptyState } from "../../ui/notice";
import { Skeleton } from "../../ui/skeleton";
import { Spinner } from "../../ui/spinner";
import { useToday } from "../../ui/use-now";
import { useRowWindow } from "../../ui/use-row-window";
import { useInbox, useSession, useTimeZone } from "../session";
import { useTypingCustomers } from "../use-typing";
import { ConversationRow } from "./conversation-row";

const ROW_HEIGHT_REM = 4.5;
/** Begin to load the next page this many rows before the end. */
const ROWS_AHEAD = 12;
const PLACEHOLDERS = [0, 1, 2, 3, 4, 5, 6, 7, 8];

interface ListProps {
  folder: Folder;
  selectedId: string | null;
  hrefOf: (id: string) => string;
  onOpen: (id: string) => void;
}

export function ConversationList({ folder, selectedId, hrefOf, onOpen }: ListProps) {
  const { inbox, member } = useSession();
  const list = useInbox((snapshot, views) => views.list(snapshot.state, snapshot.pending, folder));
  const isLoaded = useInbox((snapshot) => snapshot.isLoaded && snapshot.state.folders.has(folder));
  const hasMore = useInbox((snapshot) => snapshot.state.folders.get(folder)?.nextPageToken !== "");
  const presence = useInbox((snapshot) => snapshot.state.presence);
  const typing = useTypingCustomers();
  const timeZone = useTimeZone();
  const today = useToday(timeZone);
  const scroller = useRef<HTMLDivElement>(null);
  const { start, end, rowHeight } = useRowWindow(scroller, list.length, ROW_HEIGHT_REM);
  const [hasFailed, setHasFailed] = useState(false);

  const isNearEnd = isLoaded && hasMore && end > list.length - ROWS_AHEAD;
  useEffect(() => {
    if (!isNearEnd || hasFailed) return;
    inbox.loadMore(folder).catch(() => setHasFailed(true));
  }, [inbox, folder, isNearEnd, hasFailed]);

  if (!isLoaded) return <ListSkeleton />;
  if (list.length === 0 && !hasMore) return <EmptyFolder folder={folder} />;
  return (
    <div
      ref={scroller}
      className="min-h-0 flex-1 overflow-y-auto overscroll-contain [overflow-anchor:none]"
    >
      <ul
        aria-label={folder === Folder.SOLVED ? "Solved conversations" : "Open conversations"}
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
              isCustomerTyping={typing.has(conversation.id)}
              viewers={viewersOf(presence, conversation.id, member.id)}
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

function EmptyFolder({ folder }: { folder: Folder }): ReactNode {
  return folder === Folder.SOLVED ? (
    <EmptyState icon={<CheckIcon className="size-7" />} title="Nothing solved yet">
      Conversations you mark as solved are kept here. A customer’s next message opens them again.
    </EmptyState>
  ) : (
    <EmptyState icon={<ChatIcon className="size-7" />} title="All caught up">
      New messages from customers show up here by themselves.
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
