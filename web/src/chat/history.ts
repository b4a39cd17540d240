/** The messages the box has. Pure: the higher version wins, order is by seq, repeats change nothing. */

import type { VisitorMessageJson } from "../gen/inbox/messaging/v1/web_chat_service_pb";

export interface ChatMessage {
  readonly key: string;
  readonly seq: number;
  readonly isOwn: boolean;
  readonly clientMessageId: string;
  readonly author: string;
  readonly isAssistant: boolean;
  readonly text: string;
  readonly time: Date;
  readonly version: number;
}

export interface History {
  /** By seq, ascending. */
  readonly messages: readonly ChatMessage[];
  readonly hasOlder: boolean;
}

export const NO_HISTORY: History = { messages: [], hasOlder: false };

export function messageOf(json: VisitorMessageJson): ChatMessage {
  return {
    key: json.clientMessageId || json.id || "",
    seq: Number(json.seq ?? 0),
    isOwn: json.authorKind === "VISITOR_AUTHOR_KIND_SELF",
    clientMessageId: json.clientMessageId ?? "",
    author: json.authorDisplayName ?? "",
    isAssistant: json.authorKind === "VISITOR_AUTHOR_KIND_ASSISTANT",
    text: json.text ?? "",
    time: new Date(json.createTime ?? 0),
    version: Number(json.version ?? 0),
  };
}

export function join(history: History, news: readonly ChatMessage[]): History {
  const bySeq = new Map(history.messages.map((message) => [message.seq, message]));
  let hasChanged = false;
  for (const message of news) {
    const known = bySeq.get(message.seq);
    if (known !== undefined && known.version >= message.version) continue;
    bySeq.set(message.seq, message);
    hasChanged = true;
  }
  if (!hasChanged) return history;
  return { ...history, messages: [...bySeq.values()].sort((a, b) => a.seq - b.seq) };
}

/** The box has every message up to this one: the end of the run that begins with its oldest. */
export function wholeUpTo(history: History): number {
  let last = 0;
  for (const { seq } of history.messages) {
    if (last !== 0 && seq !== last + 1) break;
    last = seq;
  }
  return last;
}

/** Something is missing behind this seq, or null. */
export function holeAfter(history: History): number | null {
  const whole = wholeUpTo(history);
  return (history.messages.at(-1)?.seq ?? 0) > whole ? whole : null;
}
