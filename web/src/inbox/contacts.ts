/** What is known of contacts. A contact that was merged into another is shown as that one, wherever it is named. */

import type { ContactNote, ContactProfile } from "../gen/inbox/conversation/v1/contact_pb";
import type { Contact } from "../gen/inbox/conversation/v1/conversation_pb";
import { compareTimes, withNewer } from "./merge";
import type { InboxState } from "./state";

export function withProfile(
  state: InboxState,
  contactId: string,
  profile: ContactProfile,
): InboxState {
  return { ...state, profiles: withNewer(state.profiles, contactId, profile) };
}

export function withNote(state: InboxState, note: ContactNote): InboxState {
  return { ...state, notes: withNewer(state.notes, note.id, note) };
}

/** The contact that an id stands for by now. */
export function contactOf(state: InboxState, id: string): Contact | undefined {
  let contact = state.contacts.get(id);
  while (contact !== undefined && contact.mergedIntoId !== "") {
    const next = state.contacts.get(contact.mergedIntoId);
    if (next === undefined) return contact;
    contact = next;
  }
  return contact;
}

/** A contact's notes as far as they are known, newest first. */
export function notesOf(state: InboxState, contactId: string): readonly ContactNote[] {
  const id = contactOf(state, contactId)?.id ?? contactId;
  return [...state.notes.values()]
    .filter((note) => !note.isDeleted)
    .filter((note) => (contactOf(state, note.contactId)?.id ?? note.contactId) === id)
    .sort((a, b) => compareNotes(b, a));
}

function compareNotes(a: ContactNote, b: ContactNote): number {
  const byTime = compareTimes(a.createTime, b.createTime);
  if (byTime !== 0) return byTime;
  return a.id === b.id ? 0 : a.id < b.id ? -1 : 1;
}
