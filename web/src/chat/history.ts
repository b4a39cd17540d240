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
  /** The box has every message up to this one, from its oldest on. */
  readonly wholeUpTo: number;
}

export const NO_HISTORY: History = { messages: [], hasOlder: false, wholeUpTo: 0 };

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
  return grown({
    ...history,
    messages: [...bySeq.values()].sort((a, b) => a.seq - b.seq),
  });
}

/**
 * A page of what follows `wholeUpTo`, or the newest page of all. Seqs that are missing in it are the business's own
 * rows, which no box ever gets: the history is whole all the same.
 */
export function joinPage(history: History, page: readonly ChatMessage[]): History {
  const joined = join(history, page);
  const wholeUpTo = Math.max(joined.wholeUpTo, ...page.map((message) => message.seq));
  return wholeUpTo === joined.wholeUpTo ? joined : grown({ ...joined, wholeUpTo });
}

/** Whole up to the end of the run that begins there. */
function grown(history: History): History {
  let { wholeUpTo } = history;
  for (const { seq } of history.messages) if (seq === wholeUpTo + 1) wholeUpTo = seq;
  return wholeUpTo === history.wholeUpTo ? history : { ...history, wholeUpTo };
}

/** Something may be missing behind this seq, or null. */
export function holeAfter(history: History): number | null {
  const { wholeUpTo } = history;
  return (history.messages.at(-1)?.seq ?? 0) > wholeUpTo ? wholeUpTo : null;
}
