/** One conversation in which something was found, with its messages that fit. */

import { AuthorKind } from "../../gen/inbox/messaging/v1/message_pb";
import type { FoundMessage } from "../../gen/inbox/messaging/v1/search_pb";
import type { FoundGroup } from "../../inbox/search";
import { Skeleton } from "../../ui/skeleton";
import { fullTime, listTime, toDate } from "../../ui/time";
import { lookOf } from "../channel-kind";
import { ContactAvatar } from "../contact-avatar";
import { nameOf } from "../contact-name";
import { useConversation } from "../session";
import { Sought } from "../sought";

/** Where the messages are to be found. */
export interface HitLinks {
  /** The one that is looked at. */
  readonly selected: { conversationId: string; seq: bigint } | null;
  hrefOf(message: FoundMessage): string;
  open(message: FoundMessage): void;
}

export function FoundConversation({
  group,
  links,
  today,
  timeZone,
}: {
  group: FoundGroup;
  links: HitLinks;
  today: Date;
  timeZone: string | undefined;
}) {
  const conversation = useConversation(group.conversationId);
  const name = conversation === null ? "A conversation" : nameOf(conversation);
  return (
    <li>
      <div className="flex items-center gap-3 px-3 pt-2 pb-1">
        {conversation === null ? (
          <>
            <Skeleton className="size-9 rounded-full!" />
            <Skeleton className="h-4 w-32" />
          </>
        ) : (
          <>
            <ContactAvatar conversation={conversation} />
            <h3 className="min-w-0 flex-1 truncate font-medium">
              {name}
              <span className="sr-only">, {lookOf(conversation.channelKind).name}</span>
            </h3>
          </>
        )}
      </div>
      <ul aria-label={`Found with ${name}`}>
        {group.messages.map((message) => (
          <li key={message.messageId}>
            <Hit
              message={message}
              isSelected={isSame(links.selected, message)}
              href={links.hrefOf(message)}
              onOpen={() => links.open(message)}
              today={today}
              timeZone={timeZone}
            />
          </li>
        ))}
      </ul>
    </li>
  );
}

function isSame(selected: HitLinks["selected"], message: FoundMessage): boolean {
  return (
    selected !== null &&
    selected.conversationId === message.conversationId &&
    selected.seq === message.seq
  );
}

function Hit({
  message,
  isSelected,
  href,
  onOpen,
  today,
  timeZone,
}: {
  message: FoundMessage;
  isSelected: boolean;
  href: string;
  onOpen: () => void;
  today: Date;
  timeZone: string | undefined;
}) {
  const time = message.createTime ? toDate(message.createTime) : null;
  const author = authorWords(message);
  return (
    <a
      href={href}
      aria-current={isSelected ? "true" : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey) return;
        event.preventDefault();
        onOpen();
      }}
      className={`flex items-baseline gap-3 rounded-xl py-1.5 pr-3 pl-15 max-md:min-h-11 max-md:py-2.5 outline-offset-[-2px] ${
        isSelected ? "bg-selected" : "hover:bg-hover"
      }`}
    >
      <span className="line-clamp-3 min-w-0 flex-1 text-sm text-muted [overflow-wrap:anywhere]">
        {author !== "" && <span className="text-ink">{author}: </span>}
        <Sought text={message.snippet} highlights={message.highlights} />
      </span>
      {time !== null && (
        <time
          dateTime={time.toISOString()}
          title={fullTime(time, timeZone)}
          className={`shrink-0 text-xs ${isSelected ? "text-muted" : "text-faint"}`}
        >
          {listTime(time, today, timeZone)}
        </time>
      )}
    </a>
  );
}

/** Whose words they are, where they are not the customer's. */
function authorWords({ author }: FoundMessage): string {
  switch (author?.kind) {
    case AuthorKind.CUSTOMER:
      return "";
    case AuthorKind.AI:
      return author.displayName || "AI";
    case AuthorKind.PHONE_APP:
      return "From the phone";
    default:
      return author?.displayName || "Answered";
  }
}
