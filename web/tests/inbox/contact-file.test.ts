import { create } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { describe, expect, test } from "vitest";
import {
  type ContactNote,
  ContactNoteSchema,
  ContactProfileSchema,
} from "../../src/gen/inbox/conversation/v1/contact_pb";
import {
  ContactSchema,
  ConversationSchema,
} from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { ServerFrameSchema } from "../../src/gen/inbox/realtime/v1/frame_pb";
import {
  type ContactApi,
  ContactFile,
  TAKEN_BACK_WITHIN_MILLIS,
} from "../../src/inbox/contact-file";
import { notesOf } from "../../src/inbox/contacts";
import { FakeEnvironment, settle } from "../fake-environment";
import { anInbox } from "./an-inbox";

function note(id: string, body: string, version = 1n): ContactNote {
  return create(ContactNoteSchema, { id, contactId: "ana", body, version });
}

/** What the service holds of one contact. */
class ModelContact implements ContactApi {
  name = "Ana";
  email = "";
  version = 1n;
  notes = new Map<string, ContactNote>();
  isAway = false;
  deleted: string[] = [];

  async #known() {
    if (this.isAway) throw new ConnectError("away", Code.Unavailable);
    return {
      contact: create(ContactSchema, {
        id: "ana",
        displayName: this.name,
        version: this.version,
      }),
      profile: create(ContactProfileSchema, { email: this.email, version: this.version }),
    };
  }
  get = () => this.#known();
  listNotes = async () => [...this.notes.values()];
  listConversations = async (_: string, pageToken: string) => ({
    conversations: [
      create(ConversationSchema, { id: `old ${pageToken || "1"}`, contact: { id: "ana" } }),
    ],
    nextPageToken: pageToken === "" ? "2" : "",
  });
  update = async (_: string, change: { email?: string }) => {
    this.email = change.email ?? this.email;
    this.version += 1n;
    return this.#known();
  };
  tag = () => this.#known();
  untag = () => this.#known();
  setField = () => this.#known();
  deleteField = () => this.#known();
  recordConsent = () => this.#known();
  merge = () => this.#known();
  search = async () => ({ items: [], nextPageToken: "", isRebuilding: false });
  createNote = async (_: string, body: string, requestId: string) => {
    const made = note(requestId, body);
    this.notes.set(made.id, made);
    return made;
  };
  updateNote = async ({ id, version }: ContactNote, body: string) => {
    const made = note(id, body, version + 1n);
    this.notes.set(id, made);
    return made;
  };
  deleteNote = async ({ id, version }: ContactNote) => {
    if (this.isAway) throw new ConnectError("away", Code.Unavailable);
    this.notes.delete(id);
    this.deleted.push(id);
    return create(ContactNoteSchema, {
      id,
      contactId: "ana",
      version: version + 1n,
      isDeleted: true,
    });
  };
}

function aFile() {
  const { inbox } = anInbox();
  const api = new ModelContact();
  const environment = new FakeEnvironment();
  const file = new ContactFile("ana", inbox.store, api, {
    wait: (millis) => new Promise((done) => void environment.after(millis, done)),
  });
  const state = () => inbox.store.snapshot.state;
  return {
    inbox,
    api,
    file,
    email: () => state().profiles.get("ana")?.email,
    notes: () => notesOf(state(), "ana").map(({ body }) => body),
    pass: (millis: number) => environment.pass(millis),
  };
}

describe("a contact", () => {
  test("is loaded with its notes and its conversations, page by page", async () => {
    const { inbox, api, file, email, notes } = aFile();
    api.email = "ana@example.com";
    api.notes.set("n", note("n", "likes tea"));

    await file.load();

    expect(file.value).toMatchObject({ phase: "here", nextPageToken: "2" });
    expect([email(), notes()]).toEqual(["ana@example.com", ["likes tea"]]);
    await file.more();
    expect(file.value.nextPageToken).toBe("");
    expect([...inbox.store.snapshot.state.conversations.keys()]).toEqual(["old 1", "old 2"]);
  });

  test("that cannot be reached is told, and can be loaded again", async () => {
    const { api, file } = aFile();
    api.isAway = true;
    await file.load();
    expect(file.value.phase).toBe("failed");

    api.isAway = false;
    await file.load();
    expect(file.value.phase).toBe("here");
  });

  test("follows what colleagues change", async () => {
    const { inbox, file, email, notes } = aFile();
    await file.load();

    inbox.receive(
      create(ServerFrameSchema, {
        body: {
          case: "contactChanged",
          value: {
            contact: { id: "ana", version: 2n },
            profile: { email: "new@example.com", version: 2n },
          },
        },
      }),
    );
    inbox.receive(
      create(ServerFrameSchema, {
        body: { case: "contactNoteChanged", value: { note: note("n", "by a colleague") } },
      }),
    );

    expect([email(), notes()]).toEqual(["new@example.com", ["by a colleague"]]);
  });

  test("is loaded with a snapshot, so that what was missed is there and nothing flickers", async () => {
    const { inbox, api, file, email, notes } = aFile();
    api.notes.set("n", note("n", "deleted meanwhile"));
    await file.load();
    const end = inbox.loadBeside(() => file.load());
    api.email = "missed@example.com";
    api.version = 2n;
    api.notes.clear();

    const seen: unknown[] = [];
    inbox.store.subscribe(() => seen.push(inbox.store.snapshot.state.profiles.has("ana")));
    await inbox.resync();
    await settle();

    expect([email(), notes()]).toEqual(["missed@example.com", []]);
    expect(seen).not.toContain(false);
    end();
  });

  test("does not learn from a load that was begun before the snapshot what was deleted since", async () => {
    const { inbox, api, file, notes } = aFile();
    api.notes.set("n", note("n", "deleted meanwhile"));
    let answer = () => {};
    const listNotes = api.listNotes;
    api.listNotes = async () => {
      const old = await listNotes();
      await new Promise<void>((done) => {
        answer = done;
      });
      return old;
    };
    const early = file.load();
    await settle();
    api.listNotes = listNotes;
    api.notes.clear();
    inbox.loadBeside(() => file.load());
    await inbox.resync();
    answer();
    await early;

    expect(notes()).toEqual([]);
  });
});

describe("a deleted note", () => {
  test("is out of sight at once and gone when nobody takes it back", async () => {
    const { api, file, notes, pass } = aFile();
    await file.load();
    await file.writeNote("likes tea", "n");
    const deleting = file.deleteNote(api.notes.get("n") ?? expect.fail());
    expect(file.value.leaving.has("n")).toBe(true);
    expect(api.deleted).toEqual([]);

    await pass(TAKEN_BACK_WITHIN_MILLIS);
    await deleting;
    expect(api.deleted).toEqual(["n"]);
    expect(notes()).toEqual([]);
  });

  test("that is taken back was never deleted", async () => {
    const { api, file, notes, pass } = aFile();
    await file.load();
    await file.writeNote("likes tea", "n");
    const deleting = file.deleteNote(api.notes.get("n") ?? expect.fail());
    file.takeBack("n");
    await deleting;
    await pass(TAKEN_BACK_WITHIN_MILLIS);

    expect(api.deleted).toEqual([]);
    expect(file.value.leaving.size).toBe(0);
    expect(notes()).toEqual(["likes tea"]);
  });

  test("goes at once when the panel is closed", async () => {
    const { api, file } = aFile();
    await file.load();
    await file.writeNote("likes tea", "n");
    const deleting = file.deleteNote(api.notes.get("n") ?? expect.fail());
    file.close();
    await deleting;
    expect(api.deleted).toEqual(["n"]);
  });

  test("that could not be deleted is back", async () => {
    const { api, file, notes } = aFile();
    await file.load();
    await file.writeNote("likes tea", "n");
    api.isAway = true;
    const deleting = file.deleteNote(api.notes.get("n") ?? expect.fail());
    file.close();

    await expect(deleting).rejects.toThrow("away");
    expect(file.value.leaving.size).toBe(0);
    expect(notes()).toEqual(["likes tea"]);
  });
});
