/** The inbox's questions, asked by Connect. */

import { readAll } from "../connection/read-all";
import type { Services } from "../connection/rpc";
import type { InboxApi } from "../inbox/api";

/** Nothing is shown halfway: an answer without its entity is a fault. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the answer lacks its entity");
  return value;
}

export function inboxApi(services: Services): InboxApi {
  const { conversations, tags, messaging, channels, identity } = services;
  const requestId = () => crypto.randomUUID();
  return {
    listConversations: (query, pageToken, position) =>
      conversations.listConversations({
        folder: query.folder,
        unreadOnly: query.isUnreadOnly,
        tags: [...query.tagKeys],
        waitingOnly: query.isWaitingOnly,
        assignee: query.assignee,
        pageToken,
        pageSize: 50,
        position,
      }),
    getConversation: async (conversationId) =>
      present((await conversations.getConversation({ conversationId })).conversation),
    listMessages: async (conversationId, bound, pageSize) => {
      const page = await messaging.listMessages({ conversationId, pageSize, ...bound });
      return { ...page, thread: page.thread ?? null };
    },
    listChannels: () =>
      readAll(async (pageToken) => {
        const page = await channels.listChannels({ pageSize: 200, pageToken });
        return { items: page.channels, nextPageToken: page.nextPageToken };
      }),
    listMembers: () =>
      readAll(async (pageToken) => {
        const page = await identity.listMembers({ pageSize: 200, pageToken });
        return { items: page.members, nextPageToken: page.nextPageToken };
      }),
    listTags: async () => (await tags.listTags({})).tags,
    getCounters: async () => (await conversations.getCounters({})).counters,
    getWorkspace: async () => (await identity.getSelf({})).workspace ?? null,
    move: async (conversationId, folder, seenInboundCount) =>
      present(
        (
          await conversations.moveConversation({
            conversationId,
            folder,
            seenInboundCount,
            requestId: requestId(),
          })
        ).conversation,
      ),
    tag: async (conversationId, tag) =>
      present(
        (await conversations.tagConversation({ conversationId, tag, requestId: requestId() }))
          .conversation,
      ),
    untag: async (conversationId, tag) =>
      present(
        (await conversations.untagConversation({ conversationId, tag, requestId: requestId() }))
          .conversation,
      ),
    markRead: async (conversationId, readOrdinal) =>
      present(
        (await conversations.markRead({ conversationId, readOrdinal, requestId: requestId() }))
          .conversation,
      ),
    markUnread: async (conversationId, fromOrdinal, expectedVersion) =>
      present(
        (
          await conversations.markUnread({
            conversationId,
            fromOrdinal,
            expectedVersion,
            requestId: requestId(),
          })
        ).conversation,
      ),
    setMode: async (conversationId, mode) =>
      present((await messaging.setMode({ conversationId, mode, requestId: requestId() })).thread),
    keepManual: async (conversationId, isKept) =>
      present(
        (await messaging.keepManual({ conversationId, isKept, requestId: requestId() })).thread,
      ),
    retryMessage: async (messageId) =>
      present((await messaging.retryMessage({ messageId, requestId: requestId() })).message),
  };
}
