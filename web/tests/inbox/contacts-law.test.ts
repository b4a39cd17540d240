/** The law of live updates, for contacts: an old snapshot and its frames are a fresh snapshot. */

import { clone } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  ContactNoteSchema,
  ContactProfileSchema,
} from "../../src/gen/inbox/conversation/v1/contact_pb";
import type { ServerFrame } from "../../src/gen/inbox/realtime/v1/frame_pb";
import { applyFrame } from "../../src/inbox/apply";
import { contactOf, notesOf, withNote, withProfile } from "../../src/inbox/contacts";
import { withConversation } from "../../src/inbox/merge";
import { EMPTY_STATE, type InboxState } from "../../src/inbox/state";
import { ConversationViews, NOTHING_PENDING } from "../../src/inbox/views";
import { ModelContacts } from "./model-contacts";

const IDS = ["ana", "bo", "chen"] as const;

const anId = fc.constantFrom(...IDS);
const aStep = fc.record({
  does: fc.constantFrom("is called", "learns", "merges", "notes", "notes"),
  id: anId,
  other: anId,
  noteId: fc.constantFrom("note-1", "note-2", "note-3"),
  words: fc.constantFrom("one", "two", "three", ""),
});
type Step = typeof aStep extends fc.Arbitrary<infer Made> ? Made : never;

function take(contacts: ModelContacts, { does, id, other, noteId, words }: Step): void {
  if (does === "is called") contacts.isCalled(id, words);
  if (does === "learns") contacts.learns(id, words);
  if (does === "merges") contacts.merges(id, other);
  if (does === "notes") contacts.notesOn(id, noteId, words);
}

/** Everything that is known right now, as a client would load it. */
function snapshot(contacts: ModelContacts): InboxState {
  let state = EMPTY_STATE;
  for (const conversation of contacts.conversations()) {
    state = withConversation(state, conversation);
  }
  for (const contact of contacts.contacts.values()) {
    const profile = contacts.profiles.get(contact.id);
    if (contact.mergedIntoId !== "" || profile === undefined) continue;
    state = withProfile(state, contact.id, clone(ContactProfileSchema, profile));
  }
  for (const note of contacts.notes.values()) {
    if (!note.isDeleted) state = withNote(state, clone(ContactNoteSchema, note));
  }
  return state;
}

/** What a person would see, conversation by conversation. */
function seen(state: InboxState): unknown {
  const views = new ConversationViews();
  return IDS.map((id) => {
    const conversation = state.conversations.get(`conversation-${id}`);
    const contact = contactOf(state, conversation?.contact?.id ?? "");
    return {
      name: views.one(state, NOTHING_PENDING, `conversation-${id}`)?.contactName,
      contact: [contact?.id, contact?.displayName, contact?.version],
      email: state.profiles.get(contact?.id ?? "")?.email,
      notes: notesOf(state, contact?.id ?? "").map((note) => [note.id, note.version, note.body]),
    };
  });
}

function shuffled<T>(items: readonly T[], keys: readonly number[]): T[] {
  return items
    .map((item, index) => ({ item, key: keys[index % keys.length] ?? 0, index }))
    .sort((a, b) => a.key - b.key || a.index - b.index)
    .map(({ item }) => item);
}

test("an old snapshot and its frames, shuffled and doubled, are a fresh snapshot", () => {
  fc.assert(
    fc.property(
      fc.array(aStep, { maxLength: 20 }),
      fc.array(aStep, { maxLength: 30 }),
      fc.array(fc.nat(), { minLength: 100, maxLength: 100 }),
      fc.nat(50),
      (before, after, keys, repeats) => {
        const frames: ServerFrame[] = [];
        let isListening = false;
        const contacts = new ModelContacts(IDS, (frame) => {
          if (isListening) frames.push(frame);
        });
        for (const step of before) take(contacts, step);
        const old = snapshot(contacts);
        isListening = true;
        for (const step of after) take(contacts, step);

        let state = old;
        for (const frame of shuffled([...frames, ...frames.slice(0, repeats)], keys)) {
          state = applyFrame(state, frame, 0);
        }

        expect(seen(state)).toEqual(seen(snapshot(contacts)));
      },
    ),
    { numRuns: 300 },
  );
});

test("a conversation shows the contact that its own became part of, without a word about itself", () => {
  const frames: ServerFrame[] = [];
  const contacts = new ModelContacts(IDS, (frame) => frames.push(frame));
  let state = snapshot(contacts);
  contacts.merges("bo", "ana");
  contacts.merges("chen", "bo");
  contacts.isCalled("ana", "Chen Li");

  for (const frame of frames) state = applyFrame(state, frame, 0);

  const views = new ConversationViews();
  const shown = IDS.map((id) => views.one(state, NOTHING_PENDING, `conversation-${id}`));
  expect(shown.map((view) => view?.contactName)).toEqual(["Chen Li", "Chen Li", "Chen Li"]);
});
