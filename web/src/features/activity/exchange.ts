/** What was said in a turn: the audit of the AI has no words, so they are read where they were said. */

import type { Turn } from "../../gen/inbox/assistant/v1/assistant_pb";
import { type Message, MessageDirection } from "../../gen/inbox/messaging/v1/message_pb";

const PAGE_SIZE = 100;
/** A turn may lie far up in a long conversation; beyond this one reads it there. */
const MOST_PAGES = 5;

export interface ExchangeApi {
  /** Null where there is none. */
  getMessage(messageId: string): Promise<Message | null>;
  /** Newest first, before this seq; 0 for the newest. */
  listMessages(
    conversationId: string,
    beforeSeq: bigint,
    pageSize: number,
  ): Promise<{ messages: readonly Message[]; hasMore: boolean }>;
}

export interface Exchange {
  /** Oldest first; empty where they were not found. */
  readonly questions: readonly Message[];
  readonly answer: Message | null;
}

/** Rejects when it could not be read. */
export async function readExchange(api: ExchangeApi, turn: Turn): Promise<Exchange> {
  const answer = turn.messageId === "" ? null : await api.getMessage(turn.messageId);
  const questions: Message[] = [];
  let beforeSeq = answer?.seq ?? 0n;
  for (let pages = 0; pages < MOST_PAGES; pages += 1) {
    const page = await api.listMessages(turn.conversationId, beforeSeq, PAGE_SIZE);
    const inbound = page.messages.filter(({ direction }) => direction === MessageDirection.INBOUND);
    questions.push(...inbound.filter((message) => isOf(turn, message)));
    const oldest = inbound.at(-1)?.inboundOrdinal;
    if (!page.hasMore || (oldest !== undefined && oldest <= turn.number)) break;
    beforeSeq = page.messages.at(-1)?.seq ?? 0n;
  }
  return { questions: questions.reverse(), answer };
}

function isOf(turn: Turn, { inboundOrdinal }: Message): boolean {
  return inboundOrdinal >= turn.number && inboundOrdinal <= turn.seenOrdinal;
}
