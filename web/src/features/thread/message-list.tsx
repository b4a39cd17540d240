/** The history of one conversation with what is still on its way. */

import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import { type Message, MessageDirection } from "../../gen/inbox/messaging/v1/message_pb";
import { type ConversationView, threadMessages } from "../../inbox/views";
import { Button } from "../../ui/button";
import { AlertIcon, ArrowDownIcon } from "../../ui/icons";
import { Banner, EmptyState } from "../../ui/notice";
import { Skeleton } from "../../ui/skeleton";
import { useToday } from "../../ui/use-now";
import { nameOf } from "../contact-name";
import { useInbox, useObservable, useSession, useTimeZone } from "../session";
import { useAiWriting, useTypingCustomers } from "../use-typing";
import { Bubble } from "./bubble";
import { LoadMore, useMore } from "./load-more";
import { Note } from "./note";
import { daysOf, rowsOf } from "./rows";
import { useMessageScroll } from "./use-message-scroll";
import { useGoal, useMarkedRow } from "./use-place";
import { useReadMarks } from "./use-read-marks";

const NO_MESSAGES: readonly Message[] = [];

export function MessageList({
  conversation,
  at,
  hasFailed,
  onReload,
  onNewest,
  onChannels,
  onEdit,
}: {
  conversation: ConversationView;
  /** The message to go to; null for the newest. */
  at: { readonly seq: bigint } | null;
  /** What should be shown could not be loaded. */
  hasFailed: boolean;
  onReload: () => void;
  /** Load the newest messages instead of those around the one that was looked for. */
  onNewest: () => void;
  onChannels: () => void;
  onEdit: (text: string) => void;
}) {
  const { inbox, outboxEntries, member, canWrite } = useSession();
  const { id } = conversation;
  const loaded = useInbox((snapshot) => threadMessages(snapshot.state, id));
  const reachesStart = useInbox(
    (snapshot) => snapshot.state.threads.get(id)?.reachesStart ?? false,
  );
  const hasNewer = useInbox((snapshot) => snapshot.state.threads.get(id)?.lastSeq != null);
  const allEntries = useObservable(outboxEntries);
  const timeZone = useTimeZone();
  const today = useToday(timeZone);
  // As it was when the conversation was opened: the line must not move while it is read.
  const [unreadAbove] = useState(() =>
    conversation.unreadCount > 0 ? conversation.readOrdinal : null,
  );
  const messages = loaded ?? NO_MESSAGES;
  const rows = useMemo(
    () =>
      rowsOf({
        messages,
        // They come after the newest message.
        entries: hasNewer ? [] : allEntries.filter((entry) => entry.conversationId === id),
        unreadAbove,
        today,
        timeZone,
      }),
    [messages, allEntries, hasNewer, id, unreadAbove, today, timeZone],
  );

  const [announcement, setAnnouncement] = useState("");
  const loadOlder = useCallback(() => inbox.loadOlder(id), [inbox, id]);
  const loadNewer = useCallback(() => inbox.loadNewer(id), [inbox, id]);
  const older = useMore(loadOlder, (count) => setAnnouncement(`${count} older messages loaded`));
  const newer = useMore(loadNewer, (count) => setAnnouncement(`${count} newer messages loaded`));
  const canLoadOlder = loaded !== null && !reachesStart;
  const goal = useGoal(at, rows);
  const scroll = useMessageScroll({
    rowCount: rows.length,
    revision: rows,
    beginAtKey: unreadAbove === null ? null : "unread",
    goal,
    hasNewer,
    onNearStart: () => canLoadOlder && older.state === "idle" && older.load(),
    onNearEnd: () => newer.state === "idle" && newer.load(),
  });
  const marked = useMarkedRow(goal, scroll.content);
  const markRead = useCallback((ordinal: bigint) => inbox.markRead(id, ordinal), [inbox, id]);
  useReadMarks(scroll.scroller, canWrite && conversation.unreadCount > 0, markRead);

  const newCount = useNewCount(id, scroll.isAtEnd);
  const toEnd = useWayToEnd(hasNewer, scroll.toEnd, onNewest);
  useScrollToOwn(allEntries.length, toEnd);
  const isTyping = useTypingCustomers().has(id);
  const isAiWriting = useAiWriting().has(id);
  const contactName = nameOf(conversation);

  if (loaded === null && hasFailed) {
    return (
      <EmptyState
        icon={<AlertIcon className="size-7" />}
        title="The messages could not be loaded"
        action={<Button onClick={onReload}>Try again</Button>}
      />
    );
  }
  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      {loaded !== null && hasFailed && (
        <Banner
          isLive
          tone="danger"
          icon={<AlertIcon className="size-4.5" />}
          action={<Button onClick={onReload}>Try again</Button>}
        >
          The messages you want to see could not be loaded.
        </Banner>
      )}
      <div
        ref={scroll.scroller}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolled region must be reachable by keyboard
        tabIndex={0}
        aria-label={`Messages with ${contactName}`}
        role="log"
        aria-live={scroll.isAtEnd ? "polite" : "off"}
        className="min-h-0 flex-1 overflow-y-auto overscroll-contain outline-offset-[-3px] [overflow-anchor:none]"
      >
        <div
          ref={scroll.content}
          className="relative mx-auto flex min-h-full max-w-4xl flex-col justify-end px-4 pb-4 md:px-6"
        >
          {loaded === null && <ThreadSkeleton />}
          {canLoadOlder && scroll.start === 0 && (
            <LoadMore more={older}>Load older messages</LoadMore>
          )}
          {loaded !== null && reachesStart && scroll.start === 0 && rows.length > 0 && (
            <p className="pt-6 pb-1 text-center text-xs text-faint">Start of conversation</p>
          )}
          {daysOf(rows, scroll.start, scroll.end).map((day) => (
            <section key={day.key} aria-label={day.name}>
              <DaySeparator name={day.name} />
              {day.rows.map((row) => (
                <div
                  key={row.key}
                  data-row={row.key}
                  data-marked={row.key === marked || undefined}
                  className="-mx-2 rounded-xl px-2 transition-colors duration-500 data-marked:bg-marked"
                >
                  {row.kind === "unread" ? (
                    <UnreadLine />
                  ) : row.kind === "note" ? (
                    <Note row={row} ownId={member.id} timeZone={timeZone} />
                  ) : (
                    <Bubble
                      row={row}
                      contactName={contactName}
                      ownId={member.id}
                      timeZone={timeZone}
                      onChannels={onChannels}
                      onEdit={onEdit}
                    />
                  )}
                </div>
              ))}
            </section>
          ))}
          {hasNewer && scroll.end === rows.length && (
            <LoadMore more={newer}>Load newer messages</LoadMore>
          )}
          {isTyping && !hasNewer && <TypingBubble name={contactName} />}
          {isAiWriting && !hasNewer && <TypingBubble name="The AI" isOurs />}
        </div>
      </div>
      <p role="status" className="sr-only">
        {announcement}
      </p>
      {!scroll.isAtEnd && (
        <button
          type="button"
          onClick={toEnd}
          aria-label={
            newCount > 0 ? `${newCount} new. Go to the newest message` : "Go to the newest message"
          }
          className={`absolute right-4 bottom-4 z-20 flex min-h-11 min-w-11 animate-rise items-center justify-center gap-1.5 rounded-full text-sm font-semibold shadow-[0_4px_16px_var(--shadow)] ${
            newCount > 0
              ? "bg-accent pr-4 pl-3 text-accent-ink"
              : "border border-line bg-raised text-muted"
          }`}
        >
          <ArrowDownIcon className="size-4.5" />
          {newCount > 0 && <span>{newCount} new</span>}
        </button>
      )}
    </div>
  );
}

/** Inbound messages that came while the reader was further up. */
function useNewCount(id: string, isAtEnd: boolean): number {
  const window = useInbox((snapshot) => snapshot.state.threads.get(id));
  const [seenSeq, setSeenSeq] = useState<bigint | null>(null);
  const lastSeq = window?.thread?.lastSeq ?? null;
  const hasSeen = isAtEnd || seenSeq === null;
  useEffect(() => {
    if (hasSeen) setSeenSeq(lastSeq);
  }, [hasSeen, lastSeq]);
  if (hasSeen || window === undefined) return 0;
  let count = 0;
  for (const message of window.bySeq.values()) {
    if (message.seq > seenSeq && message.direction === MessageDirection.INBOUND) count += 1;
  }
  return count;
}

/** To the newest message, which may have to be loaded first. */
function useWayToEnd(hasNewer: boolean, toEnd: () => void, onNewest: () => void): () => void {
  const isOnTheWay = useRef(false);
  useEffect(() => {
    if (hasNewer || !isOnTheWay.current) return;
    isOnTheWay.current = false;
    toEnd();
  }, [hasNewer, toEnd]);
  return () => {
    isOnTheWay.current = hasNewer;
    if (hasNewer) onNewest();
    else toEnd();
  };
}

/** Whoever sends wants to see it. */
function useScrollToOwn(entryCount: number, toEnd: () => void): void {
  const before = useRef(entryCount);
  useEffect(() => {
    if (entryCount > before.current) toEnd();
    before.current = entryCount;
  }, [entryCount, toEnd]);
}

function DaySeparator({ name }: { name: string }) {
  return (
    <div className="pointer-events-none sticky top-0 z-10 flex justify-center pt-3 pb-1">
      <span className="rounded-full bg-raised px-3 py-1 text-xs font-medium text-muted shadow-[0_0_0_1px_var(--line)]">
        {name}
      </span>
    </div>
  );
}

function UnreadLine() {
  return (
    <div className="flex items-center gap-3 pt-4 pb-1 text-xs font-semibold text-accent-text">
      <span className="h-px flex-1 bg-current opacity-30" />
      New
      <span className="h-px flex-1 bg-current opacity-30" />
    </div>
  );
}

function TypingBubble({ name, isOurs = false }: { name: string; isOurs?: boolean }) {
  return (
    <div role="status" className={`flex pt-3 ${isOurs ? "justify-end" : ""}`}>
      <span className="sr-only">
        {name} is {isOurs ? "writing" : "typing"}
      </span>
      <span
        aria-hidden="true"
        className={`flex h-9 items-center gap-1 rounded-2xl px-4 shadow-[0_1px_1px_var(--shadow)] ${isOurs ? "rounded-br-md bg-accent/15" : "rounded-bl-md bg-raised"}`}
      >
        {[0, 1, 2].map((dot) => (
          <span
            key={dot}
            className="size-1.5 animate-wave rounded-full bg-muted"
            style={{ animationDelay: `${dot * 0.15}s` }}
          />
        ))}
      </span>
    </div>
  );
}

function ThreadSkeleton() {
  return (
    <div
      role="status"
      aria-label="Loading messages"
      className="flex flex-1 flex-col justify-end gap-3 pt-6"
    >
      <Skeleton className="h-10 w-2/5 rounded-2xl!" />
      <Skeleton className="h-16 w-3/5 rounded-2xl!" />
      <Skeleton className="h-10 w-1/2 self-end rounded-2xl!" />
      <Skeleton className="h-10 w-1/3 rounded-2xl!" />
      <Skeleton className="h-20 w-1/2 self-end rounded-2xl!" />
    </div>
  );
}
