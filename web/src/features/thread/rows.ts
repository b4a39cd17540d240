/** The rows of a conversation: days, messages, and what is still in the outbox. Pure. */

import type { OutboxEntry } from "../../connection/outbox";
import {
  type AuthorKind,
  type Message,
  MessageDirection,
  type SystemNote,
} from "../../gen/inbox/messaging/v1/message_pb";
import { dayKey, dayName, toDate } from "../../ui/time";

/** Bubbles of one author closer than this stand together. */
const TOGETHER_WITHIN_MILLIS = 5 * 60_000;

export interface BubbleRow {
  readonly kind: "bubble";
  /** The same while it is on its way and afterwards, so it stays the same bubble. */
  readonly key: string;
  readonly message: Message | null;
  readonly entry: OutboxEntry | null;
  readonly isFirstOfGroup: boolean;
  readonly isLastOfGroup: boolean;
}

/** What happened, for the team only. */
export interface NoteRow {
  readonly kind: "note";
  readonly key: string;
  readonly note: SystemNote;
  readonly time: Date;
}

export type Row =
  | BubbleRow
  | { readonly kind: "day"; readonly key: string; readonly name: string }
  | { readonly kind: "unread"; readonly key: string }
  | NoteRow;

export interface RowsInput {
  readonly messages: readonly Message[];
  readonly entries: readonly OutboxEntry[];
  /** Inbound messages above this ordinal were unread when the conversation was opened; null shows no line. */
  readonly unreadAbove: bigint | null;
  readonly today: Date;
  readonly timeZone: string | undefined;
}

interface Item {
  readonly key: string;
  readonly message: Message | null;
  readonly entry: OutboxEntry | null;
  readonly time: Date;
  readonly author: string;
}

export function rowsOf({ messages, entries, unreadAbove, today, timeZone }: RowsInput): Row[] {
  const arrived = new Set(messages.map((message) => message.clientMessageId));
  const items: Item[] = [
    ...messages.map(itemOfMessage),
    ...entries.filter((entry) => !arrived.has(entry.clientMessageId)).map(itemOfEntry),
  ];
  const rows: Row[] = [];
  let day = "";
  let hasUnreadLine = unreadAbove === null;
  items.forEach((item, index) => {
    const itsDay = dayKey(item.time, timeZone);
    // A clock that is behind must not open yesterday again below today.
    if (itsDay > day) {
      day = itsDay;
      rows.push({ kind: "day", key: `day ${itsDay}`, name: dayName(item.time, today, timeZone) });
    }
    if (item.message?.direction === MessageDirection.INTERNAL) {
      const note = item.message.systemNote;
      // A newer server may tell what this client has no words for.
      if (note?.kind.case) rows.push({ kind: "note", key: item.key, note, time: item.time });
      return;
    }
    const ordinal = item.message?.inboundOrdinal ?? 0n;
    const isInbound = item.message?.direction === MessageDirection.INBOUND;
    let isAfterLine = false;
    if (!hasUnreadLine && isInbound && unreadAbove !== null && ordinal === unreadAbove + 1n) {
      hasUnreadLine = true;
      isAfterLine = true;
      rows.push({ kind: "unread", key: "unread" });
    }
    const before = items[index - 1];
    const after = items[index + 1];
    rows.push({
      kind: "bubble",
      key: item.key,
      message: item.message,
      entry: item.entry,
      isFirstOfGroup: isAfterLine || before === undefined || !standTogether(before, item, timeZone),
      isLastOfGroup: after === undefined || !standTogether(item, after, timeZone),
    });
  });
  return rows;
}

export interface Day {
  readonly key: string;
  readonly name: string;
  readonly rows: readonly Exclude<Row, { kind: "day" }>[];
}

/** The rows from `start` to `end` by day; a day that began further up still has its name. */
export function daysOf(rows: readonly Row[], start: number, end: number): Day[] {
  const days: { key: string; name: string; rows: Exclude<Row, { kind: "day" }>[] }[] = [];
  let first = start;
  while (first > 0 && rows[first]?.kind !== "day") first -= 1;
  for (let index = first; index < end; index += 1) {
    const row = rows[index];
    if (row === undefined) break;
    if (row.kind === "day") days.push({ key: row.key, name: row.name, rows: [] });
    else if (index >= start) days.at(-1)?.rows.push(row);
  }
  return days;
}

function itemOfMessage(message: Message): Item {
  const time = message.createTime ? toDate(message.createTime) : new Date(0);
  return {
    key: message.clientMessageId || message.id,
    message,
    entry: null,
    time,
    author: `${message.direction} ${authorKey(message.author?.kind, message.author?.id)}`,
  };
}

function itemOfEntry(entry: OutboxEntry): Item {
  return {
    key: entry.clientMessageId,
    message: null,
    entry,
    time: new Date(entry.createTimeMillis),
    author: "outbox",
  };
}

function authorKey(kind: AuthorKind | undefined, id: string | undefined): string {
  return `${kind ?? 0} ${id ?? ""}`;
}

function standTogether(a: Item, b: Item, timeZone: string | undefined): boolean {
  return (
    (a.author === b.author || b.author === "outbox") &&
    isOutbound(a) === isOutbound(b) &&
    b.time.getTime() - a.time.getTime() < TOGETHER_WITHIN_MILLIS &&
    dayKey(a.time, timeZone) === dayKey(b.time, timeZone)
  );
}

function isOutbound(item: Item): boolean {
  return item.message === null || item.message.direction === MessageDirection.OUTBOUND;
}
