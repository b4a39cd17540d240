/** One entry of the inbox list. */

import { memo } from "react";
import { AuthorKind } from "../../gen/inbox/messaging/v1/message_pb";
import { ConversationMode } from "../../gen/inbox/messaging/v1/thread_pb";
import { previewWords } from "../../inbox/preview-words";
import type { ConversationView } from "../../inbox/views";
import { Avatar } from "../../ui/avatar";
import { HandIcon, ReplyIcon, SparkIcon, StarIcon } from "../../ui/icons";
import { listTime, toDate } from "../../ui/time";
import { lookOf } from "../channel-kind";
import { ContactAvatar } from "../contact-avatar";
import { nameOf } from "../contact-name";

interface RowProps {
  conversation: ConversationView;
  href: string;
  isSelected: boolean;
  isPriority: boolean;
  isCustomerTyping: boolean;
  /** Who looks after it; empty for nobody. */
  assigneeName: string;
  /** Names of colleagues who look at it. */
  viewers: string;
  /** What the member began to write there; empty for nothing. */
  draft: string;
  today: Date;
  timeZone: string | undefined;
  onOpen: (id: string) => void;
}

/** Whose words the preview shows, where they are not the customer's. */
function PreviewAuthor({ kind }: { kind: AuthorKind | undefined }) {
  switch (kind) {
    case AuthorKind.MEMBER:
    case AuthorKind.PHONE_APP:
      return (
        <>
          <ReplyIcon className="mr-1 inline size-3.5 align-[-2px]" />
          <span className="sr-only">Answered: </span>
        </>
      );
    case AuthorKind.AI:
      return "AI: ";
    default:
      return null;
  }
}

export const ConversationRow = memo(function ConversationRow({
  conversation,
  href,
  isSelected,
  isPriority,
  isCustomerTyping,
  assigneeName,
  viewers,
  draft,
  today,
  timeZone,
  onOpen,
}: RowProps) {
  const { preview, unreadCount } = conversation;
  const isUnread = unreadCount > 0;
  const name = nameOf(conversation);
  const time = conversation.lastActivityTime ? toDate(conversation.lastActivityTime) : null;
  return (
    <a
      href={href}
      aria-current={isSelected ? "true" : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        onOpen(conversation.id);
      }}
      style={{ "--badge-ring": isSelected ? "var(--selected)" : undefined } as React.CSSProperties}
      className={`flex h-full items-center gap-3 rounded-xl px-3 outline-offset-[-2px] ${
        isSelected ? "bg-selected" : "hover:bg-hover hover:[--badge-ring:var(--hover)]"
      }`}
    >
      <ContactAvatar conversation={conversation} size="large" />
      <span className="flex min-w-0 flex-1 flex-col gap-0.5">
        <span className="flex items-baseline gap-2">
          <span className={`min-w-0 flex-1 truncate ${isUnread ? "font-semibold" : "font-medium"}`}>
            {name}
            <span className="sr-only">, {lookOf(conversation.channelKind).name}</span>
          </span>
          {isPriority && (
            <span title="Priority" className="shrink-0 self-center text-(--star)">
              <span className="sr-only">Priority.</span>
              <StarIcon className="size-4 fill-current" />
            </span>
          )}
          {time !== null && (
            <time
              dateTime={time.toISOString()}
              className={`shrink-0 text-xs ${isUnread ? "font-semibold text-accent-text" : isSelected ? "text-muted" : "text-faint"}`}
            >
              {listTime(time, today, timeZone)}
            </time>
          )}
        </span>
        <span className="flex items-center gap-2">
          <span
            className={`min-w-0 flex-1 truncate text-sm ${isUnread ? "text-ink" : "text-muted"}`}
          >
            {isCustomerTyping ? (
              <span className="font-medium text-accent-text">typing…</span>
            ) : draft !== "" ? (
              <>
                <span className="font-medium text-warn">Draft:</span> {draft}
              </>
            ) : (
              <>
                <PreviewAuthor kind={preview?.authorKind} />
                {previewWords(preview)}
              </>
            )}
          </span>
          {viewers !== "" && (
            <span title={`${viewers} here now`} className="shrink-0">
              <span className="sr-only">{viewers} here now.</span>
              <span className="block size-2 rounded-full bg-good" />
            </span>
          )}
          {conversation.waitingSince !== null && (
            <span title="Waiting for a person" className="shrink-0 text-warn">
              <span className="sr-only">Waiting for a person.</span>
              <HandIcon className="size-4" />
            </span>
          )}
          {assigneeName !== "" && (
            <span title={`Assigned to ${assigneeName}`} className="flex shrink-0">
              <span className="sr-only">Assigned to {assigneeName}.</span>
              <Avatar name={assigneeName} colorKey={conversation.assigneeId} size="tiny" />
            </span>
          )}
          {conversation.mode === ConversationMode.AI && (
            <span title="AI answers" className="shrink-0 text-accent-text">
              <span className="sr-only">AI answers.</span>
              <SparkIcon className="size-4" />
            </span>
          )}
          {isUnread && (
            <span
              data-testid="unread"
              className="inline-grid h-5 min-w-5 shrink-0 place-items-center rounded-full bg-accent px-1.5 text-xs font-semibold text-accent-ink tabular-nums"
            >
              {unreadCount > 99 ? "99+" : unreadCount}
              <span className="sr-only"> unread</span>
            </span>
          )}
        </span>
      </span>
    </a>
  );
});
