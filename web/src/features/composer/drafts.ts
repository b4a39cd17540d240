/** What was typed and not sent, per member and conversation; kept at once. */

import { readItem, removeItem, writeItem } from "../../connection/local-storage";

function keyOf(memberId: string, conversationId: string): string {
  return `inbox.draft.${memberId}.${conversationId}`;
}

export function readDraft(memberId: string, conversationId: string): string {
  return readItem(keyOf(memberId, conversationId)) ?? "";
}

export function writeDraft(memberId: string, conversationId: string, text: string): void {
  const key = keyOf(memberId, conversationId);
  if (text === "") removeItem(key);
  else writeItem(key, text);
}
