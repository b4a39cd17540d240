/** A small model of what conversation keeps of contacts, and of the frames that each change makes. */

import { clone, create } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import {
  type ContactNote,
  ContactNoteSchema,
  type ContactProfile,
  ContactProfileSchema,
} from "../../src/gen/inbox/conversation/v1/contact_pb";
import {
  type Contact,
  ContactSchema,
  type Conversation,
  ConversationSchema,
} from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { type ServerFrame, ServerFrameSchema } from "../../src/gen/inbox/realtime/v1/frame_pb";

type Body = ServerFrame["body"];

export class ModelContacts {
  readonly contacts = new Map<string, Contact>();
  readonly profiles = new Map<string, ContactProfile>();
  readonly notes = new Map<string, ContactNote>();
  /** By conversation, whose it is. */
  readonly #owners = new Map<string, string>();
  readonly #publish: (frame: ServerFrame) => void;
  #now = 0;

  /** Each has a conversation of its own. */
  constructor(ids: readonly string[], publish: (frame: ServerFrame) => void) {
    this.#publish = publish;
    for (const id of ids) {
      this.contacts.set(id, create(ContactSchema, { id, displayName: id, version: 1n }));
      this.profiles.set(id, create(ContactProfileSchema));
      this.#owners.set(`conversation-${id}`, id);
    }
  }

  /** As a list shows them: the contact inside, and a version that no contact raises. */
  conversations(): Conversation[] {
    return [...this.#owners].map(([id, contactId]) =>
      create(ConversationSchema, { id, contact: this.#contact(contactId), version: 1n }),
    );
  }

  /** A channel tells a new name: nothing is said of the profile. */
  isCalled(id: string, displayName: string): void {
    const contact = this.#raised(id, { displayName });
    this.#emit("contactChanged", { contact });
  }

  learns(id: string, email: string): void {
    const contact = this.#raised(id, {});
    const profile = create(ContactProfileSchema, { email, version: contact.version });
    this.profiles.set(contact.id, profile);
    this.#emit("contactChanged", { contact, profile: clone(ContactProfileSchema, profile) });
  }

  merges(id: string, mergedId: string): void {
    const [stays, goes] = [this.#standsFor(id), this.#standsFor(mergedId)];
    if (stays === goes) return;
    const contact = this.#raised(stays, {});
    const gone = this.#raised(goes, { mergedIntoId: stays });
    const profile = create(ContactProfileSchema, {
      email: this.profiles.get(stays)?.email || this.profiles.get(goes)?.email || "",
      version: contact.version,
    });
    this.profiles.set(stays, profile);
    for (const [conversationId, owner] of this.#owners) {
      if (owner === goes) this.#owners.set(conversationId, stays);
    }
    for (const note of this.notes.values()) if (note.contactId === goes) note.contactId = stays;
    this.#emit("contactsMerged", {
      contact,
      profile: clone(ContactProfileSchema, profile),
      mergedContact: gone,
    });
  }

  /** Written, changed, or deleted where it says nothing. */
  notesOn(id: string, noteId: string, body: string): void {
    const before = this.notes.get(noteId);
    if (before?.isDeleted || (before === undefined && body === "")) return;
    const note = create(ContactNoteSchema, {
      id: noteId,
      contactId: before?.contactId ?? this.#standsFor(id),
      body,
      createTime: before?.createTime ?? this.#time(),
      isDeleted: body === "",
      version: (before?.version ?? 0n) + 1n,
    });
    this.notes.set(noteId, note);
    this.#emit("contactNoteChanged", { note: clone(ContactNoteSchema, note) });
  }

  #time(): Timestamp {
    this.#now += 1;
    return create(TimestampSchema, { seconds: BigInt(1_800_000_000 + this.#now) });
  }

  #standsFor(id: string): string {
    const into = this.contacts.get(id)?.mergedIntoId;
    return into ? this.#standsFor(into) : id;
  }

  #contact(id: string): Contact {
    return clone(ContactSchema, this.contacts.get(id) ?? create(ContactSchema));
  }

  #raised(id: string, fields: { displayName?: string; mergedIntoId?: string }): Contact {
    const contact = Object.assign(this.#contact(this.#standsFor(id)), fields);
    contact.version += 1n;
    this.contacts.set(contact.id, contact);
    return clone(ContactSchema, contact);
  }

  #emit(name: NonNullable<Body["case"]>, value: object): void {
    this.#publish(create(ServerFrameSchema, { body: { case: name, value } as Body }));
  }
}
