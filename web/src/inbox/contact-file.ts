/** What is known of one contact, loaded when somebody looks at it and with every snapshot; and what can be written there. */

import { refusalOf } from "../connection/refusal";
import type {
  ConsentState,
  ContactNote,
  ContactProfile,
} from "../gen/inbox/conversation/v1/contact_pb";
import type { FoundContact } from "../gen/inbox/conversation/v1/contact_search_pb";
import type { Contact, Conversation } from "../gen/inbox/conversation/v1/conversation_pb";
import type { ChannelKind } from "../gen/inbox/messaging/v1/channel_pb";
import { withNote, withProfile } from "./contacts";
import { withContact, withConversation } from "./merge";
import type { SearchPage } from "./search";
import type { Change, InboxStore } from "./store";

/** How long a deleted note can be taken back: as long as the toast that says so is there. */
export const TAKEN_BACK_WITHIN_MILLIS = 5_000;

export interface KnownContact {
  contact?: Contact | undefined;
  profile?: ContactProfile | undefined;
}

/** What is left out stays. */
export interface ContactChange {
  readonly displayName?: string;
  readonly email?: string;
  readonly phone?: string;
  readonly language?: string;
}

export interface NewConsent {
  readonly purpose: string;
  readonly channelKind: ChannelKind;
  readonly state: ConsentState;
  readonly source: string;
}

export interface ContactApi {
  get(contactId: string): Promise<KnownContact>;
  /** Newest first. */
  listNotes(contactId: string): Promise<readonly ContactNote[]>;
  listConversations(
    contactId: string,
    pageToken: string,
  ): Promise<{ conversations: readonly Conversation[]; nextPageToken: string }>;
  /** Refused with VERSION_CONFLICT when it changed since `version`. */
  update(
    contactId: string,
    change: ContactChange,
    version: bigint,
    requestId: string,
  ): Promise<KnownContact>;
  tag(contactId: string, tagId: string): Promise<KnownContact>;
  untag(contactId: string, tagId: string): Promise<KnownContact>;
  setField(
    contactId: string,
    field: { key: string; value: string },
    requestId: string,
  ): Promise<KnownContact>;
  deleteField(contactId: string, key: string): Promise<KnownContact>;
  recordConsent(contactId: string, consent: NewConsent, requestId: string): Promise<KnownContact>;
  createNote(contactId: string, body: string, requestId: string): Promise<ContactNote>;
  updateNote(note: ContactNote, body: string, requestId: string): Promise<ContactNote>;
  deleteNote(note: ContactNote): Promise<ContactNote>;
  /** By name. */
  search(
    query: string,
    pageSize: number,
    pageToken: string,
    signal: AbortSignal,
  ): Promise<SearchPage<FoundContact>>;
  /** For good. Refused with VERSION_CONFLICT when one of them changed since it was looked at. */
  merge(stays: Contact, goes: Contact, requestId: string): Promise<KnownContact>;
}

export interface FileState {
  readonly phase: "loading" | "here" | "failed" | "gone";
  /** Of the conversations; empty once all are loaded. */
  readonly nextPageToken: string;
  /** Notes that are about to be deleted. */
  readonly leaving: ReadonlySet<string>;
}

interface Clock {
  wait(millis: number): Promise<void>;
}

export class ContactFile {
  readonly id: string;
  #value: FileState = { phase: "loading", nextPageToken: "", leaving: new Set() };
  #loads = 0;
  readonly #takenBack = new Map<string, (isTakenBack: boolean) => void>();
  readonly #listeners = new Set<() => void>();
  readonly #store: InboxStore;
  readonly #api: ContactApi;
  readonly #clock: Clock;

  constructor(id: string, store: InboxStore, api: ContactApi, clock: Clock) {
    this.id = id;
    this.#store = store;
    this.#api = api;
    this.#clock = clock;
  }

  get value(): FileState {
    return this.#value;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Into the snapshot that grows, if one does. Never rejects: what failed is told, and can be loaded again. */
  async load(): Promise<void> {
    this.#loads += 1;
    const load = this.#loads;
    if (this.#value.phase !== "here") this.#set({ phase: "loading" });
    try {
      const [known, notes, page] = await Promise.all([
        this.#api.get(this.id),
        this.#api.listNotes(this.id),
        this.#api.listConversations(this.id, ""),
      ]);
      // A later load knows what was deleted since.
      if (load !== this.#loads) return;
      this.#store.grow((state) => {
        let next = knowing(known)(state);
        for (const note of notes) next = withNote(next, note);
        for (const conversation of page.conversations) next = withConversation(next, conversation);
        return next;
      });
      this.#set({ phase: "here", nextPageToken: page.nextPageToken });
    } catch (error) {
      if (load !== this.#loads) return;
      this.#set({ phase: refusalOf(error).isTransient ? "failed" : "gone" });
    }
  }

  /** The next page of conversations. Rejects when it could not be loaded. */
  async more(): Promise<void> {
    const page = await this.#api.listConversations(this.id, this.#value.nextPageToken);
    this.#store.change((state) => page.conversations.reduce(withConversation, state));
    this.#set({ nextPageToken: page.nextPageToken });
  }

  /** `version` is of the contact as it stood when somebody began to change it. */
  async update(change: ContactChange, version: bigint, requestId: string): Promise<void> {
    this.#learn(await this.#api.update(this.id, change, version, requestId));
  }

  /** Whichever of them stays, this file is about it from then on. */
  async merge(stays: Contact, goes: Contact, requestId: string): Promise<void> {
    this.#learn(await this.#api.merge(stays, goes, requestId));
  }

  async setLabel(tagId: string, isOn: boolean): Promise<void> {
    const { id } = this;
    this.#learn(await (isOn ? this.#api.tag(id, tagId) : this.#api.untag(id, tagId)));
  }

  async setField(field: { key: string; value: string }, requestId: string): Promise<void> {
    this.#learn(await this.#api.setField(this.id, field, requestId));
  }

  async deleteField(key: string): Promise<void> {
    this.#learn(await this.#api.deleteField(this.id, key));
  }

  async recordConsent(consent: NewConsent, requestId: string): Promise<void> {
    this.#learn(await this.#api.recordConsent(this.id, consent, requestId));
  }

  async writeNote(body: string, requestId: string): Promise<void> {
    const note = await this.#api.createNote(this.id, body, requestId);
    this.#store.change((state) => withNote(state, note));
  }

  async changeNote(note: ContactNote, body: string, requestId: string): Promise<void> {
    const changed = await this.#api.updateNote(note, body, requestId);
    this.#store.change((state) => withNote(state, changed));
  }

  /** Out of sight at once and gone a little later, unless it is taken back: so it keeps its author and its time. */
  async deleteNote(note: ContactNote): Promise<void> {
    this.#setLeaving(note.id, true);
    try {
      if (await this.#isTakenBack(note.id)) return;
      const rest = await this.#api.deleteNote(note);
      this.#store.change((state) => withNote(state, rest));
    } finally {
      this.#takenBack.delete(note.id);
      this.#setLeaving(note.id, false);
    }
  }

  takeBack(noteId: string): void {
    this.#takenBack.get(noteId)?.(true);
  }

  /** Nobody looks any more: what was deleted is not waited for. */
  close(): void {
    for (const decide of this.#takenBack.values()) decide(false);
  }

  #isTakenBack(noteId: string): Promise<boolean> {
    return new Promise((decide) => {
      this.#takenBack.set(noteId, decide);
      void this.#clock.wait(TAKEN_BACK_WITHIN_MILLIS).then(() => decide(false));
    });
  }

  #setLeaving(noteId: string, isLeaving: boolean): void {
    const leaving = new Set(this.#value.leaving);
    if (isLeaving) leaving.add(noteId);
    else leaving.delete(noteId);
    this.#set({ leaving });
  }

  #learn(known: KnownContact): void {
    this.#store.change(knowing(known));
  }

  #set(part: Partial<FileState>): void {
    this.#value = { ...this.#value, ...part };
    for (const listener of [...this.#listeners]) listener();
  }
}

function knowing({ contact, profile }: KnownContact): Change {
  return (state) => {
    if (contact === undefined) return state;
    const known = withContact(state, contact);
    return profile === undefined ? known : withProfile(known, contact.id, profile);
  };
}
