/** The law of live updates: an old snapshot and its frames are a fresh snapshot, however the frames come. */

import { clone } from "@bufbuild/protobuf";
import fc from "fast-check";
import { expect, test } from "vitest";
import { ConversationSchema, Folder } from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { DeliveryStatus, MessageSchema } from "../../src/gen/inbox/messaging/v1/message_pb";
import { ConversationMode, ThreadSchema } from "../../src/gen/inbox/messaging/v1/thread_pb";
import type { ServerFrame } from "../../src/gen/inbox/realtime/v1/frame_pb";
import { applyFrame } from "../../src/inbox/apply";
import { Inbox } from "../../src/inbox/inbox";
import { keyOf, type ListQuery, listQuery, NOBODY } from "../../src/inbox/list-query";
import {
  counterKey,
  isSaid,
  withConversation,
  withCounters,
  withPage,
  withSeenBy,
  withTag,
  withThread,
} from "../../src/inbox/merge";
import { EMPTY_STATE, EMPTY_WINDOW, type InboxState } from "../../src/inbox/state";
import { ConversationViews, NOTHING_PENDING, threadMessages } from "../../src/inbox/views";
import { settle } from "../fake-environment";
import { ModelServices } from "./model";

const IDS = ["ana", "bo", "chen"] as const;
/** Milliseconds for hundreds of runs, on a machine that does other things too. */
const PATIENCE = 30_000;

type Step =
  | { does: "writes" | "answers" | "ai" | "hands over" | "manual" | "keep" | "project"; id: string }
  | { does: "assigns"; id: string; memberId: string }
  | { does: "moves"; id: string; folder: Folder }
  | { does: "reads"; id: string; ordinal: number; memberId: string }
  | { does: "marks unread"; id: string; ordinal: number }
  | { does: "tags" | "untags"; id: string; tagId: string }
  | { does: "changes a tag"; tagId: string; displayName: string | null }
  | { does: "progresses"; id: string; index: number; status: DeliveryStatus };

const anId = fc.constantFrom(...IDS);
const aTag = fc.constantFrom("priority", "vip");
const aFolder = fc.constantFrom(Folder.OPEN, Folder.SOLVED, Folder.SPAM, Folder.ARCHIVED);
const aQuery = fc
  .tuple(
    aFolder,
    fc.record({
      isUnreadOnly: fc.boolean(),
      tagKeys: fc.subarray(["priority", "vip"]),
      isWaitingOnly: fc.boolean(),
      assignee: fc.constantFrom("", "bea", NOBODY),
    }),
  )
  .map(([folder, filters]) => listQuery(folder, filters));
const aStep: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      does: fc.constantFrom("writes" as const, "answers" as const),
      id: anId,
    }),
  },
  { weight: 3, arbitrary: fc.record({ does: fc.constant("project" as const), id: anId }) },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom(
        "ai" as const,
        "hands over" as const,
        "manual" as const,
        "keep" as const,
      ),
      id: anId,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("assigns" as const),
      id: anId,
      memberId: fc.constantFrom("bea", "cem", ""),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant("moves" as const),
      id: anId,
      folder: aFolder,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant("reads" as const),
      id: anId,
      ordinal: fc.nat(6),
      memberId: fc.constantFrom("bea", "cem"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      does: fc.constant("marks unread" as const),
      id: anId,
      ordinal: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constantFrom("tags" as const, "untags" as const),
      id: anId,
      tagId: aTag,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant("changes a tag" as const),
      tagId: aTag,
      displayName: fc.constantFrom("VIP", "Refund", "Later", null),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      does: fc.constant("progresses" as const),
      id: anId,
      index: fc.nat(6),
      status: fc.constantFrom(DeliveryStatus.SENT, DeliveryStatus.DELIVERED, DeliveryStatus.READ),
    }),
  },
);

async function take(services: ModelServices, step: Step): Promise<void> {
  const ignoreMissing = (promise: Promise<unknown>) => promise.catch(() => {});
  switch (step.does) {
    case "writes":
      services.writes(step.id, "hola");
      return;
    case "answers":
      if (services.threads.has(step.id)) services.answers(step.id, "hello");
      return;
    case "project":
      services.projectOne();
      return;
    case "moves":
      return void (await ignoreMissing(services.move(step.id, step.folder)));
    case "reads": {
      const ordinal = BigInt(step.ordinal);
      return void (await ignoreMissing(services.markRead(step.id, ordinal, step.memberId)));
    }
    case "marks unread":
      return void (await ignoreMissing(services.markUnread(step.id, BigInt(step.ordinal))));
    case "tags":
      return void (await ignoreMissing(services.tag(step.id, step.tagId)));
    case "untags":
      return void (await ignoreMissing(services.untag(step.id, step.tagId)));
    case "changes a tag":
      services.changeTag(step.tagId, step.displayName);
      return;
    case "ai":
      return void (await ignoreMissing(services.setMode(step.id, ConversationMode.AI)));
    case "hands over":
      services.handsOver(step.id);
      return;
    case "assigns":
      return void (await ignoreMissing(services.assign(step.id, step.memberId)));
    case "manual":
      return void (await ignoreMissing(services.setMode(step.id, ConversationMode.MANUAL)));
    case "keep":
      return void (await ignoreMissing(services.keepManual(step.id, true)));
    case "progresses":
      services.progresses(step.id, step.index, step.status);
  }
}

/** Everything the services know right now, as a client would load it. */
function snapshot(services: ModelServices): InboxState {
  let state: InboxState = {
    ...EMPTY_STATE,
    lists: new Map([[keyOf(listQuery(Folder.OPEN)), { nextPageToken: "", frontier: null }]]),
  };
  for (const id of IDS) state = { ...state, threads: new Map(state.threads).set(id, EMPTY_WINDOW) };
  for (const conversation of services.conversations.values()) {
    state = withConversation(state, clone(ConversationSchema, conversation));
    const members = services.seenBy.get(conversation.id)?.values() ?? [];
    state = withSeenBy(state, conversation.id, [...members]);
  }
  for (const tag of services.tags.values()) if (!tag.isDeleted) state = withTag(state, tag);
  const counters = [...services.counters.values()].filter((one) => one.conversationCount > 0n);
  state = withCounters(state, counters);
  for (const id of IDS) {
    const messages = (services.messages.get(id) ?? []).map((m) => clone(MessageSchema, m));
    state = withPage(state, id, messages.reverse(), true);
    const thread = services.threads.get(id);
    // Messages are the newest first by now.
    const newest = messages.find(isSaid) ?? null;
    if (thread) state = withThread(state, clone(ThreadSchema, thread), newest);
  }
  return state;
}

/** What a person would see, without the way it was put together. */
function seen(state: InboxState): unknown {
  const views = new ConversationViews();
  const tags = [...state.tags.values()].filter((tag) => !tag.isDeleted);
  return {
    conversations: IDS.map((id) => ({
      conversation: views.one(state, NOTHING_PENDING, id),
      tagIds: state.conversations.get(id)?.tagIds,
      seenBy: [...(state.seenBy.get(id)?.values() ?? [])]
        .map((s) => [s.memberId, s.ordinal])
        .sort(),
      thread: state.threads.get(id)?.thread ?? null,
      messages: threadMessages(state, id)?.map((m) => [
        m.seq,
        m.version,
        m.deliveryStatus,
        m.text,
        m.attachments.map((a) => a.mediaId),
      ]),
    })),
    tags: tags.map((tag) => [tag.id, tag.version, tag.displayName]).sort(),
    counters: livingCounters(state),
  };
}

function livingCounters(state: InboxState): unknown {
  const isLiving = (id: string) => state.tags.get(id)?.isDeleted === false;
  return [...state.counters.values()]
    .filter((one) => one.conversationCount > 0n && (one.tagId === "" || isLiving(one.tagId)))
    .map((one) => [counterKey(one), one.version, one.conversationCount, one.unreadCount])
    .sort();
}

const aShuffle = fc.array(fc.nat(), { minLength: 200, maxLength: 200 });

function shuffled<T>(items: readonly T[], keys: readonly number[]): T[] {
  return items
    .map((item, index) => ({ item, key: keys[index % keys.length] ?? 0, index }))
    .sort((a, b) => a.key - b.key || a.index - b.index)
    .map(({ item }) => item);
}

test(
  "an old snapshot and its frames, shuffled and doubled, are a fresh snapshot",
  async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(aStep, { maxLength: 25 }),
        fc.array(aStep, { maxLength: 35 }),
        aShuffle,
        fc.nat(100),
        async (before, after, keys, repeats) => {
          const frames: ServerFrame[] = [];
          let isListening = false;
          const services = new ModelServices((frame) => {
            if (isListening) frames.push(frame);
          });
          for (const step of before) await take(services, step);
          const old = snapshot(services);
          isListening = true;
          for (const step of after) await take(services, step);
          services.projectAll();

          const doubled = [...frames, ...frames.slice(0, repeats)];
          let state = old;
          for (const frame of shuffled(doubled, keys)) state = applyFrame(state, frame, 0);

          expect(seen(state)).toEqual(seen(snapshot(services)));
        },
      ),
      { numRuns: 300 },
    );
  },
  PATIENCE,
);

/** Somebody comes in the middle of it; whether they see in the end what one sees who comes then. */
function aLateInbox(positionOf: (services: ModelServices) => string) {
  return fc.asyncProperty(
    fc.array(aStep, { maxLength: 25 }),
    fc.array(aStep, { maxLength: 10 }),
    aQuery,
    async (before, after, query) => {
      let late: Inbox | null = null;
      const services = new ModelServices((frame) => late?.receive(frame));
      for (const step of before) await take(services, step);
      late = anInbox(services);
      late.showList(query);
      await late.resync(positionOf(services));
      for (const step of after) await take(services, step);
      services.projectAll();
      await settle();
      const fresh = anInbox(services);
      fresh.showList(query);
      await fresh.resync();

      expect(listed(late, query)).toEqual(listed(fresh, query));
    },
  );
}

function anInbox(services: ModelServices): Inbox {
  const clock = { now: () => 0, wait: () => Promise.resolve() };
  return new Inbox(services, clock, { outboundSeen: () => {}, failed: () => {} });
}

function listed({ store }: Inbox, query: ListQuery): unknown {
  const { state } = store.snapshot;
  return {
    list: new ConversationViews().list(state, NOTHING_PENDING, query),
    counters: livingCounters(state),
  };
}

test(
  "a list that is loaded at a position, and the frames from there, are a fresh list, however far it was behind",
  async () => {
    await fc.assert(
      aLateInbox((services) => services.position),
      { numRuns: 300 },
    );
  },
  PATIENCE,
);

test(
  "without the position they are not",
  async () => {
    const outcome = await fc.check(
      aLateInbox(() => ""),
      // Few histories show it, and one is enough.
      { numRuns: 5_000, endOnFailure: true },
    );
    expect(outcome.failed).toBe(true);
  },
  PATIENCE,
);

test("frames that are in the snapshot already change nothing", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(aStep, { maxLength: 40 }), async (steps) => {
      const frames: ServerFrame[] = [];
      const services = new ModelServices((frame) => frames.push(frame));
      for (const step of steps) await take(services, step);
      services.projectAll();
      const fresh = snapshot(services);

      let state = fresh;
      for (const frame of frames) state = applyFrame(state, frame, 0);

      expect(seen(state)).toEqual(seen(fresh));
    }),
    { numRuns: 150 },
  );
});

test("a newer mode or preview wins over an older one, whichever service tells it", () => {
  const services = new ModelServices(() => {});
  services.writes("ana", "first");
  services.projectAll();
  const stale = clone(ConversationSchema, services.conversations.get("ana") ?? expect.fail());
  const frames: ServerFrame[] = [];
  const later = new ModelServices((frame) => frames.push(frame));
  later.writes("ana", "first");
  later.writes("ana", "second");

  let state: InboxState = EMPTY_STATE;
  for (const frame of frames) state = applyFrame(state, frame, 0);
  state = withConversation(state, stale);

  const view = new ConversationViews().one(state, NOTHING_PENDING, "ana");
  expect(view?.preview?.text).toBe("second");
  expect(view?.unreadCount).toBe(2);
});

test("a row for the team is no preview, no activity and nothing unread", async () => {
  const frames: ServerFrame[] = [];
  const services = new ModelServices((frame) => frames.push(frame));
  services.writes("ana", "hola");
  services.projectAll();
  await services.setMode("ana", ConversationMode.AI);
  let state = snapshot(new ModelServices(() => {}));
  for (const frame of frames) state = applyFrame(state, frame, 0);

  const view = new ConversationViews().one(state, NOTHING_PENDING, "ana");

  expect(view?.preview?.text).toBe("hola");
  expect(view?.lastActivityTime).toEqual(view?.preview?.createTime);
  expect(view?.unreadCount).toBe(1);
  expect(view?.mode).toBe(ConversationMode.AI);
  expect(state.threads.get("ana")?.thread?.lastSeq).toBe(2n);
});
