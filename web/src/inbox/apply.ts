/** What each frame changes. A pure function: the state after is a join of the state before and the frame. */

import type { ContactProfile } from "../gen/inbox/conversation/v1/contact_pb";
import type { Contact } from "../gen/inbox/conversation/v1/conversation_pb";
import type { Channel } from "../gen/inbox/messaging/v1/channel_pb";
import { AuthorKind, MessageDirection } from "../gen/inbox/messaging/v1/message_pb";
import type { Presence, ServerFrame } from "../gen/inbox/realtime/v1/frame_pb";
import { withNote, withProfile } from "./contacts";
import { openedAnew, withoutContact, withoutConversation, withoutThread } from "./erase";
import {
  withContact,
  withConversation,
  withCounters,
  withEntry,
  withInboxSettings,
  withMessage,
  withNewer,
  withoutEntry,
  withSeenBy,
  withTag,
  withThread,
} from "./merge";
import type { InboxState } from "./state";

/** A customer counts as typing for this long after each sign of it. */
export const TYPING_FADES_AFTER_MILLIS = 6_000;

export function applyFrame(state: InboxState, frame: ServerFrame, nowMillis: number): InboxState {
  const body = frame.body;
  switch (body.case) {
    case "threadOpened":
      return body.value.thread ? withThread(state, body.value.thread, null) : state;
    case "modeChanged": {
      const { thread } = body.value;
      if (thread === undefined) return state;
      // Whoever answers now: what the AI was about to write under the old mode never comes.
      return withoutAiWriting(withThread(state, thread, null), thread.conversationId);
    }
    case "messageCreated": {
      const { message, thread } = body.value;
      if (message === undefined || thread === undefined) return state;
      const next = withMessage(withThread(state, thread, message), message);
      if (message.systemNote?.kind.case === "handover") return { ...next, newestHandover: message };
      // Whoever has just written is not typing that any more.
      if (message.author?.kind === AuthorKind.AI) {
        return withoutAiWriting(next, thread.conversationId);
      }
      return message.direction === MessageDirection.INBOUND
        ? {
            ...next,
            customerTypingUntil: withoutEntry(next.customerTypingUntil, thread.conversationId),
          }
        : next;
    }
    case "deliveryStatusChanged":
      return body.value.message ? withMessage(state, body.value.message) : state;
    case "channelChanged":
      return body.value.channel ? withChannel(state, body.value.channel) : state;
    case "threadErased":
      return withoutThread(state, body.value.conversationId, body.value.lastSeq);
    case "conversationErased":
      return withoutConversation(state, body.value.conversationId);
    case "contactErased":
      return withoutContact(state, body.value.contactId);
    case "conversationOpened": {
      const { conversation } = body.value;
      if (conversation === undefined) return state;
      return withConversation(openedAnew(state, conversation.id), conversation);
    }
    case "conversationSolved":
    case "conversationReopened":
    case "conversationMoved":
    case "conversationMarkedUnread":
    case "conversationTagged":
    case "conversationUntagged":
    case "conversationAssigned":
      return body.value.conversation ? withConversation(state, body.value.conversation) : state;
    case "conversationRead": {
      const { conversation, seenBy } = body.value;
      if (conversation === undefined) return state;
      return withSeenBy(withConversation(state, conversation), conversation.id, asList(seenBy));
    }
    case "conversationSeen":
      return withSeenBy(state, body.value.conversationId, asList(body.value.seenBy));
    case "tagChanged":
      return body.value.tag ? withTag(state, body.value.tag) : state;
    case "countersChanged":
      return withCounters(state, body.value.counters);
    case "inboxSettingsChanged":
      return body.value.settings ? withInboxSettings(state, body.value.settings) : state;
    case "contactChanged":
      return withContactNews(state, body.value);
    case "contactsMerged": {
      const merged = withContactNews(state, body.value);
      return body.value.mergedContact ? withContact(merged, body.value.mergedContact) : merged;
    }
    case "contactNoteChanged":
      return body.value.note ? withNote(state, body.value.note) : state;
    case "memberChanged": {
      const member = body.value.member;
      return member ? { ...state, members: withNewer(state.members, member.id, member) } : state;
    }
    case "workspaceChanged": {
      const workspace = body.value.workspace;
      if (workspace === undefined) return state;
      const isNews = state.workspace === null || workspace.version > state.workspace.version;
      return isNews ? { ...state, workspace } : state;
    }
    case "presentMembers":
      return {
        ...state,
        presence: new Map(body.value.members.map((member) => [member.memberId, member])),
      };
    case "presence":
      return withPresence(state, body.value);
    case "customerTyping":
      return {
        ...state,
        customerTypingUntil: withEntry(
          state.customerTypingUntil,
          body.value.conversationId,
          nowMillis + TYPING_FADES_AFTER_MILLIS,
        ),
      };
    case "aiWriting": {
      const { conversationId, isWriting } = body.value;
      if (!isWriting) return withoutAiWriting(state, conversationId);
      const until = nowMillis + TYPING_FADES_AFTER_MILLIS;
      return { ...state, aiWritingUntil: withEntry(state.aiWritingUntil, conversationId, until) };
    }
    // The line's own business, or nothing this client shows.
    case "hello":
    case "resyncRequired":
    case "idle":
    case "reconnect":
    case "tokenExpiring":
    case "ack":
    case "apiKeyChanged":
    case "sessionRevoked":
    case "articleChanged":
    case "assistantSettingsChanged":
    case "turnEnded":
    // A newer server may say more than this client knows.
    case undefined:
      return state;
    default:
      return body satisfies never;
  }
}

export function withChannel(state: InboxState, channel: Channel): InboxState {
  return { ...state, channels: withNewer(state.channels, channel.id, channel) };
}

function withoutAiWriting(state: InboxState, conversationId: string): InboxState {
  return { ...state, aiWritingUntil: withoutEntry(state.aiWritingUntil, conversationId) };
}

function withContactNews(
  state: InboxState,
  { contact, profile }: { contact?: Contact | undefined; profile?: ContactProfile | undefined },
): InboxState {
  if (contact === undefined) return state;
  const known = withContact(state, contact);
  return profile === undefined ? known : withProfile(known, contact.id, profile);
}

function asList<T>(value: T | undefined): readonly T[] {
  return value === undefined ? [] : [value];
}

function withPresence(state: InboxState, presence: Presence): InboxState {
  const next = presence.isGone
    ? withoutEntry(state.presence, presence.memberId)
    : withEntry(state.presence, presence.memberId, presence);
  return { ...state, presence: next };
}
