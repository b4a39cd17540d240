/**
 * What was erased is dropped, and an answer that was under way meanwhile does not bring it back: a seq is never given
 * twice, and a conversation by the same id is a new one from its `conversationOpened` on.
 */

import { withoutEntry } from "./merge";
import { EMPTY_WINDOW, type InboxState } from "./state";

/** Everything that was said up to a seq is gone. */
export function withoutThread(state: InboxState, id: string, lastSeq: bigint): InboxState {
  const window = { ...EMPTY_WINDOW, firstSeq: lastSeq + 1n, reachesStart: true };
  return {
    ...state,
    erasedSeqs: new Map(state.erasedSeqs).set(id, lastSeq),
    projections: withoutEntry(state.projections, id),
    threads: state.threads.has(id) ? new Map(state.threads).set(id, window) : state.threads,
    customerTypingUntil: withoutEntry(state.customerTypingUntil, id),
    aiWritingUntil: withoutEntry(state.aiWritingUntil, id),
  };
}

/** A conversation is gone. */
export function withoutConversation(state: InboxState, id: string): InboxState {
  return {
    ...state,
    erasedConversations: new Set(state.erasedConversations).add(id),
    conversations: withoutEntry(state.conversations, id),
    seenBy: withoutEntry(state.seenBy, id),
  };
}

/** The customer came back: what is told from here on is of a new conversation. */
export function openedAnew(state: InboxState, id: string): InboxState {
  if (!state.erasedConversations.has(id)) return state;
  const erasedConversations = new Set(state.erasedConversations);
  erasedConversations.delete(id);
  return { ...state, erasedConversations };
}

/** A contact is gone. */
export function withoutContact(state: InboxState, id: string): InboxState {
  const notes = new Map([...state.notes].filter(([, note]) => note.contactId !== id));
  return {
    ...state,
    contacts: withoutEntry(state.contacts, id),
    profiles: withoutEntry(state.profiles, id),
    notes: notes.size === state.notes.size ? state.notes : notes,
  };
}
