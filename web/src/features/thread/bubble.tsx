/** One message: the customer's on the left on white, ours on the right on blue. */

import { memo } from "react";
import {
  AuthorKind,
  type Message,
  MessageDirection,
} from "../../gen/inbox/messaging/v1/message_pb";
import { SparkIcon } from "../../ui/icons";
import { LinkedText } from "../../ui/linked-text";
import { clockTime, fullTime, toDate } from "../../ui/time";
import { AttachmentRow } from "./attachment-row";
import { MessageDelivery, OutboxDelivery } from "./delivery";
import type { BubbleRow } from "./rows";

interface BubbleProps {
  row: BubbleRow;
  contactName: string;
  ownId: string;
  timeZone: string | undefined;
  onChannels: () => void;
  onEdit: (text: string) => void;
}

function authorName(message: Message | null, contactName: string, ownId: string): string {
  const author = message?.author;
  if (message === null || author === undefined || author.id === ownId) return "You";
  switch (author.kind) {
    case AuthorKind.CUSTOMER:
      return contactName;
    case AuthorKind.AI:
      return author.displayName || "AI";
    case AuthorKind.PHONE_APP:
      return author.displayName ? `${author.displayName}, from the phone` : "From the phone";
    case AuthorKind.SYSTEM:
      return "Inbox";
    default:
      return author.displayName || "A colleague";
  }
}

export const Bubble = memo(function Bubble(props: BubbleProps) {
  const { row, contactName, ownId, timeZone } = props;
  const { message, entry } = row;
  const text = message?.text ?? entry?.text ?? "";
  const name = authorName(message, contactName, ownId);
  if (message?.author?.kind === AuthorKind.SYSTEM) {
    return <p className="mx-auto max-w-md px-4 py-2 text-center text-xs text-muted">{text}</p>;
  }
  const isInbound = message?.direction === MessageDirection.INBOUND;
  // Whose words these are can be seen from the side and the header; anybody else is named.
  const isObvious = name === "You" || message?.author?.kind === AuthorKind.CUSTOMER;
  const date = message?.createTime ? toDate(message.createTime) : null;
  return (
    <article
      aria-label={`${name}${date ? `, ${fullTime(date, timeZone)}` : ""}`}
      data-ordinal={isInbound ? String(message?.inboundOrdinal ?? 0n) : undefined}
      className={`group flex flex-col ${isInbound ? "items-start" : "items-end"} ${row.isFirstOfGroup ? "pt-3" : "pt-0.5"}`}
    >
      {row.isFirstOfGroup && !isObvious && (
        <span
          aria-hidden="true"
          className="flex items-center gap-1 px-1 pb-1 text-xs font-medium text-muted"
        >
          {message?.author?.kind === AuthorKind.AI && (
            <SparkIcon className="size-3.5 text-accent-text" />
          )}
          {name}
        </span>
      )}
      <div
        className={`flex max-w-[min(85%,36rem)] gap-x-2 max-md:flex-col md:items-end ${isInbound ? "" : "md:flex-row-reverse"}`}
      >
        <div
          tabIndex={-1}
          className={`min-w-0 rounded-2xl px-3.5 py-2 text-base break-words whitespace-pre-wrap outline-none [overflow-wrap:anywhere] ${
            isInbound
              ? `bg-raised text-ink shadow-[0_1px_1px_var(--shadow)] ${row.isLastOfGroup ? "rounded-bl-md" : ""}`
              : `bg-accent text-accent-ink ${row.isLastOfGroup ? "rounded-br-md" : ""}`
          }`}
        >
          {message?.attachments.map((attachment) => (
            <AttachmentRow key={attachment.mediaId} attachment={attachment} />
          ))}
          <LinkedText text={text} />
        </div>
        {isInbound && date !== null && (
          <time
            dateTime={date.toISOString()}
            title={fullTime(date, timeZone)}
            className={`shrink-0 text-xs whitespace-nowrap text-faint tabular-nums transition-opacity max-md:px-1 max-md:pt-1 md:pb-1 ${
              row.isLastOfGroup
                ? ""
                : "max-md:hidden max-md:group-focus-within:block md:opacity-0 group-focus-within:opacity-100 group-hover:opacity-100"
            }`}
          >
            {clockTime(date, timeZone)}
          </time>
        )}
      </div>
      {!isInbound && message !== null && (
        <MessageDelivery message={message} timeZone={timeZone} onChannels={props.onChannels} />
      )}
      {message === null && entry !== null && (
        <OutboxDelivery entry={entry} timeZone={timeZone} onEdit={props.onEdit} />
      )}
    </article>
  );
});
