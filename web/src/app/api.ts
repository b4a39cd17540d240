/** The inbox's questions, and those about a contact, asked by Connect. */

import { readAll } from "../connection/read-all";
import type { Services } from "../connection/rpc";
import { PrivacyService } from "../gen/inbox/conversation/v1/privacy_service_pb";
import type { InboxApi } from "../inbox/api";
import type { ContactApi } from "../inbox/contact-file";
import type { DraftApi } from "../inbox/drafts";
import type { ErasureApi } from "../inbox/erasures";

/** Nothing is shown halfway: an answer without its entity is a fault. */
function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("the answer lacks its entity");
  return value;
}

const aRequestId = () => crypto.randomUUID();

export function inboxApi(services: Services): InboxApi {
  const { conversations, tags, messaging, channels, identity } = services;
  return {
    listConversations: async (query, pageToken, position) => {
      const page = await conversations.listConversations({
        folder: query.folder,
        unreadOnly: query.isUnreadOnly,
        tags: [...query.tagKeys],
        waitingOnly: query.isWaitingOnly,
        assignee: query.assignee,
        pageToken,
        pageSize: 50,
        position,
      });
      const { frontierTime: time, frontierConversationId: id } = page;
      return { ...page, frontier: time === undefined ? null : { time, id } };
    },
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
            requestId: aRequestId(),
          })
        ).conversation,
      ),
    tag: async (conversationId, tag) =>
      present(
        (await conversations.tagConversation({ conversationId, tag, requestId: aRequestId() }))
          .conversation,
      ),
    untag: async (conversationId, tag) =>
      present(
        (await conversations.untagConversation({ conversationId, tag, requestId: aRequestId() }))
          .conversation,
      ),
    assign: async (conversationId, memberId) =>
      present(
        (
          await conversations.assignConversation({
            conversationId,
            memberId,
            requestId: aRequestId(),
          })
        ).conversation,
      ),
    markRead: async (conversationId, readOrdinal) =>
      present(
        (await conversations.markRead({ conversationId, readOrdinal, requestId: aRequestId() }))
          .conversation,
      ),
    markUnread: async (conversationId, fromOrdinal, expectedVersion) =>
      present(
        (
          await conversations.markUnread({
            conversationId,
            fromOrdinal,
            expectedVersion,
            requestId: aRequestId(),
          })
        ).conversation,
      ),
    setMode: async (conversationId, mode) =>
      present((await messaging.setMode({ conversationId, mode, requestId: aRequestId() })).thread),
    keepManual: async (conversationId, isKept) =>
      present(
        (await messaging.keepManual({ conversationId, isKept, requestId: aRequestId() })).thread,
      ),
    retryMessage: async (messageId) =>
      present((await messaging.retryMessage({ messageId, requestId: aRequestId() })).message),
  };
}

export function contactApi({ contacts }: Services): ContactApi {
  return {
    get: (contactId) => contacts.getContact({ contactId }),
    listNotes: (contactId) =>
      readAll(async (pageToken) => {
        const page = await contacts.listContactNotes({ contactId, pageSize: 200, pageToken });
        return { items: page.notes, nextPageToken: page.nextPageToken };
      }),
    listConversations: (contactId, pageToken) =>
      contacts.listContactConversations({ contactId, pageToken, pageSize: 20 }),
    update: (contactId, change, expectedVersion, requestId) =>
      contacts.updateContact({ contactId, ...change, expectedVersion, requestId }),
    tag: (contactId, tag) => contacts.tagContact({ contactId, tag, requestId: aRequestId() }),
    untag: (contactId, tag) => contacts.untagContact({ contactId, tag, requestId: aRequestId() }),
    setField: (contactId, field, requestId) =>
      contacts.setContactField({ contactId, ...field, requestId }),
    deleteField: (contactId, key) =>
      contacts.deleteContactField({ contactId, key, requestId: aRequestId() }),
    recordConsent: (contactId, consent, requestId) =>
      contacts.recordConsent({ contactId, ...consent, requestId }),
    createNote: async (contactId, body, requestId) =>
      present((await contacts.createContactNote({ contactId, body, requestId })).note),
    updateNote: async ({ id, version }, body, requestId) =>
      present(
        (
          await contacts.updateContactNote({
            noteId: id,
            body,
            requestId,
            expectedVersion: version,
          })
        ).note,
      ),
    deleteNote: async ({ id, version }) =>
      present(
        (
          await contacts.deleteContactNote({
            noteId: id,
            requestId: aRequestId(),
            expectedVersion: version,
          })
        ).note,
      ),
    search: async (query, pageSize, pageToken, signal) => {
      const page = await contacts.searchContacts({ query, pageSize, pageToken }, { signal });
      return { items: page.contacts, nextPageToken: page.nextPageToken, isRebuilding: false };
    },
    merge: (stays, goes, requestId) =>
      contacts.mergeContacts({
        contactId: stays.id,
        mergedContactId: goes.id,
        requestId,
        expectedVersion: stays.version,
        expectedMergedVersion: goes.version,
      }),
  };
}

export function erasureApi(services: Services): ErasureApi {
  const privacy = services.of(PrivacyService);
  return {
    erase: async (contactId, requestId) =>
      present((await privacy.eraseContact({ contactId, requestId })).erasure),
    get: async (erasureId) => present((await privacy.getErasure({ erasureId })).erasure),
  };
}

export function draftApi({ conversations }: Services): DraftApi {
  return {
    get: async (conversationId) =>
      (await conversations.getConversation({ conversationId })).draft ?? null,
    save: async (conversationId, text, expectedVersion) =>
      present(
        (
          await conversations.saveDraft({
            conversationId,
            text,
            expectedVersion,
            requestId: aRequestId(),
          })
        ).draft,
      ),
    delete: async (conversationId, expectedVersion) =>
      (
        await conversations.deleteDraft({
          conversationId,
          expectedVersion,
          requestId: aRequestId(),
        })
      ).draft ?? null,
  };
}
