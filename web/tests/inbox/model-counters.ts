/** The counters of the model of the services: counted anew each time, so they cannot drift. */

import { clone, create } from "@bufbuild/protobuf";
import type { Conversation } from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { type Counter, CounterSchema } from "../../src/gen/inbox/conversation/v1/counter_pb";
import type { Tag } from "../../src/gen/inbox/conversation/v1/tag_pb";
import { counterKey } from "../../src/inbox/merge";

/** Brings the counters to what they count; gives those that changed, under a higher version. */
export function recount(
  counters: Map<string, Counter>,
  conversations: ReadonlyMap<string, Conversation>,
  tags: ReadonlyMap<string, Tag>,
): Counter[] {
  const sums = new Map<string, Counter>();
  for (const conversation of conversations.values()) {
    const { folder, channelId } = conversation;
    const living = conversation.tagIds.filter((tagId) => tags.get(tagId)?.isDeleted === false);
    for (const part of [{}, { channelId }, ...living.map((tagId) => ({ tagId }))]) {
      const fresh = create(CounterSchema, { folder, ...part });
      const counter = sums.get(counterKey(fresh)) ?? fresh;
      counter.conversationCount += 1n;
      if (conversation.inboundCount > conversation.readOrdinal) counter.unreadCount += 1n;
      if (conversation.waitingSince !== undefined) counter.waitingCount += 1n;
      sums.set(counterKey(fresh), counter);
    }
  }
  const changed: Counter[] = [];
  for (const key of new Set([...counters.keys(), ...sums.keys()])) {
    const before = counters.get(key);
    const { folder, channelId, tagId } = sums.get(key) ?? before ?? create(CounterSchema);
    const fresh = sums.get(key) ?? create(CounterSchema);
    const { conversationCount, unreadCount, waitingCount } = fresh;
    const isSame =
      before?.conversationCount === conversationCount &&
      before.unreadCount === unreadCount &&
      before.waitingCount === waitingCount;
    if (isSame) continue;
    const version = (before?.version ?? 0n) + 1n;
    const after = create(CounterSchema, {
      folder,
      channelId,
      tagId,
      conversationCount,
      unreadCount,
      waitingCount,
      version,
    });
    counters.set(key, after);
    changed.push(clone(CounterSchema, after));
  }
  return changed;
}
