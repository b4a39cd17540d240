/**
 * A small model of the services: what they hold, what they answer, and which frames each change makes. Messaging and
 * conversation have streams of their own; conversation follows messaging's with delay, as the real one does.
 */

import { clone, create } from "@bufbuild/protobuf";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import {
  type Conversation,
  ConversationSchema,
  Folder,
  type SeenBy,
  SeenBySchema,
} from "../../src/gen/inbox/conversation/v1/conversation_pb";
import { type Counter, CounterSchema } from "../../src/gen/inbox/conversation/v1/counter_pb";
import { type Tag, TagSchema } from "../../src/gen/inbox/conversation/v1/tag_pb";
import {
  type DeliveryStatus,
  type Message,
  MessageDirection,
  MessageSchema,
} from "../../src/gen/inbox/messaging/v1/message_pb";
import {
  ConversationMode,
  type Thread,
  ThreadSchema,
} from "../../src/gen/inbox/messaging/v1/thread_pb";
import { type ServerFrame, ServerFrameSchema } from "../../src/gen/inbox/realtime/v1/frame_pb";
import type { InboxApi } from "../../src/inbox/api";
import type { ListQuery } from "../../src/inbox/list-query";
import {
  answer,
  begun,
  handedOver,
  kept,
  opened,
  projected,
  switched,
  tagChanged,
  written,
} from "./model-changes";
import { recount } from "./model-counters";
import { pageOfHistory, pageOfList } from "./model-pages";
import { hasToCatchUp, NotFound } from "./model-refusals";

type Body = ServerFrame["body"];
type ConversationEvent = Extract<Body["case"], `conversation${string}`>;

const MOVES = new Map([
  [Folder.OPEN, "conversationReopened" as const],
  [Folder.SOLVED, "conversationSolved" as const],
]);

export class ModelServices implements InboxApi {
  readonly threads = new Map<string, Thread>();
  readonly messages = new Map<string, Message[]>();
  readonly conversations = new Map<string, Conversation>();
  readonly tags = new Map<string, Tag>();
  /** By conversation, then by member. */
  readonly seenBy = new Map<string, Map<string, SeenBy>>();
  /** Kept as the service keeps them, so that versions rise only where something changed. */
  readonly counters = new Map<string, Counter>();
  /** What messaging published and conversation has not taken in yet. */
  readonly #behind: (() => Body[])[] = [];
  #published = 0;
  /** Conversation takes nothing in, whoever waits for it. */
  isStuck = false;
  readonly #publish: (frame: ServerFrame) => void;
  #now = 0;
  calls = 0;

  constructor(publish: (frame: ServerFrame) => void) {
    this.#publish = publish;
  }

  #time(): Timestamp {
    this.#now += 1;
    return create(TimestampSchema, { seconds: BigInt(1_800_000_000 + this.#now) });
  }

  /** How far the line has told. */
  get position(): string {
    return String(this.#published);
  }

  #emit(body: Body): void {
    this.#publish(create(ServerFrameSchema, { position: this.position, body }));
  }

  /** Messaging tells it, and conversation will take it in. */
  #tell(body: Body, project: () => Body[]): void {
    this.#published += 1;
    this.#behind.push(project);
    this.#emit(body);
  }

  /** Conversation takes in the next thing messaging published. */
  projectOne(): boolean {
    const next = this.#behind.shift();
    for (const body of next?.() ?? []) this.#emit(body);
    return next !== undefined;
  }

  projectAll(): void {
    while (this.projectOne());
  }

  writes(id: string, text: string): Message {
    return this.#append(id, text, MessageDirection.INBOUND, "");
  }

  answers(id: string, text: string, clientMessageId = ""): Message {
    return this.#append(id, text, MessageDirection.OUTBOUND, clientMessageId);
  }

  #append(id: string, text: string, direction: MessageDirection, clientMessageId: string): Message {
    const known = this.threads.get(id);
    const thread = known ? clone(ThreadSchema, known) : begun(id);
    if (known === undefined) {
      const opened = clone(ThreadSchema, thread);
      this.#tell(
        {
          case: "threadOpened",
          value: { $typeName: "inbox.messaging.v1.ThreadOpened", thread: opened },
        },
        () => this.#opens(opened),
      );
    }
    const isInbound = direction === MessageDirection.INBOUND;
    const isNote = direction === MessageDirection.INTERNAL;
    thread.lastSeq += 1n;
    thread.version += 1n;
    if (isInbound) thread.inboundCount += 1n;
    const now = this.#time();
    if (!isNote) thread.lastMessageTime = now;
    if (direction === MessageDirection.OUTBOUND) answer(thread, now);
    const message = written(thread, text, direction, clientMessageId, now);
    this.threads.set(id, thread);
    this.messages.set(id, [...(this.messages.get(id) ?? []), message]);
    const facts = clone(ThreadSchema, thread);
    this.#tell(
      {
        case: "messageCreated",
        value: {
          $typeName: "inbox.messaging.v1.MessageCreated",
          message: clone(MessageSchema, message),
          thread: facts,
        },
      },
      () => this.#projects(facts, message),
    );
    return message;
  }

  progresses(id: string, index: number, status: DeliveryStatus): void {
    const list = this.messages.get(id) ?? [];
    const before = list[index];
    if (before === undefined || before.direction !== MessageDirection.OUTBOUND) return;
    if (before.deliveryStatus >= status) return;
    const after = clone(MessageSchema, before);
    after.deliveryStatus = status;
    after.version += 1n;
    this.messages.set(
      id,
      list.map((message, at) => (at === index ? after : message)),
    );
    this.#emit({
      case: "deliveryStatusChanged",
      value: { $typeName: "inbox.messaging.v1.DeliveryStatusChanged", message: after },
    });
  }

  #opens(thread: Thread): Body[] {
    const conversation = opened(thread, this.#time());
    this.conversations.set(conversation.id, conversation);
    return [this.#event("conversationOpened", conversation), ...this.#counts()];
  }

  #projects(thread: Thread, message: Message | null): Body[] {
    const before = this.conversations.get(thread.conversationId);
    if (before === undefined) return [];
    const { after, reopens } = projected(before, thread, message);
    this.conversations.set(after.id, after);
    return [...(reopens ? [this.#event("conversationReopened", after)] : []), ...this.#counts()];
  }

  #event(name: ConversationEvent, conversation: Conversation, more: object = {}): Body {
    const value = { conversation: clone(ConversationSchema, conversation), ...more };
    return { case: name, value } as Body;
  }

  /** Counts everything anew and tells what changed. */
  #counts(): Body[] {
    const changed = recount(this.counters, this.conversations, this.tags);
    if (changed.length === 0) return [];
    return [
      {
        case: "countersChanged",
        value: { $typeName: "inbox.conversation.v1.CountersChanged", counters: changed },
      },
    ];
  }

  #changes(
    id: string,
    name: ConversationEvent,
    change: (conversation: Conversation) => boolean,
    more: object = {},
  ): Conversation {
    const before = this.conversations.get(id);
    if (before === undefined) throw new NotFound();
    const after = clone(ConversationSchema, before);
    if (!change(after)) return before;
    after.version += 1n;
    this.conversations.set(id, after);
    this.#emit(this.#event(name, after, more));
    for (const body of this.#counts()) this.#emit(body);
    return after;
  }

  // What the client may ask for.

  async listConversations(query: ListQuery, pageToken: string, position: string) {
    this.calls += 1;
    // The real one waits while its projection goes on; here asking is what moves it, just as far as it must.
    while (this.#published - this.#behind.length < Number(position)) {
      if (this.isStuck) throw hasToCatchUp();
      this.projectOne();
    }
    return pageOfList(this.conversations, this.tags, query, pageToken);
  }

  async getConversation(id: string) {
    this.calls += 1;
    const conversation = this.conversations.get(id);
    if (conversation === undefined) throw new NotFound();
    return clone(ConversationSchema, conversation);
  }

  async listMessages(
    id: string,
    bound: { beforeSeq?: bigint; afterSeq?: bigint },
    pageSize: number,
  ) {
    this.calls += 1;
    const thread = this.threads.get(id);
    if (thread === undefined) throw new NotFound();
    const all = this.messages.get(id) ?? [];
    return { ...pageOfHistory(all, bound, pageSize), thread: clone(ThreadSchema, thread) };
  }

  async listChannels() {
    return [];
  }

  async listTags() {
    const living = [...this.tags.values()].filter((tag) => !tag.isDeleted);
    return living.map((tag) => clone(TagSchema, tag));
  }

  async getCounters() {
    const counted = [...this.counters.values()].filter((one) => one.conversationCount > 0n);
    return counted.map((counter) => clone(CounterSchema, counter));
  }

  async listMembers() {
    return [];
  }

  async getWorkspace() {
    return null;
  }

  async move(id: string, folder: Folder) {
    return this.#changes(id, MOVES.get(folder) ?? "conversationMoved", (c) => {
      if (c.folder === folder) return false;
      c.folder = folder;
      return true;
    });
  }

  async markRead(id: string, readOrdinal: bigint, memberId = "bea") {
    const seenBy = create(SeenBySchema, { memberId, ordinal: readOrdinal });
    const members = this.seenBy.get(id) ?? new Map<string, SeenBy>();
    const sawMore = readOrdinal > (members.get(memberId)?.ordinal ?? 0n);
    const before = this.conversations.get(id);
    const after = this.#changes(
      id,
      "conversationRead",
      (c) => {
        if (readOrdinal <= c.readOrdinal) return false;
        c.readOrdinal = readOrdinal;
        return true;
      },
      { seenBy },
    );
    if (sawMore) this.seenBy.set(id, new Map(members).set(memberId, seenBy));
    if (sawMore && after === before) {
      this.#emit({
        case: "conversationSeen",
        value: { $typeName: "inbox.conversation.v1.ConversationSeen", conversationId: id, seenBy },
      });
    }
    return after;
  }

  async markUnread(id: string, fromOrdinal: bigint) {
    return this.#changes(id, "conversationMarkedUnread", (c) => {
      if (fromOrdinal > c.readOrdinal) return false;
      c.readOrdinal = fromOrdinal - 1n;
      return true;
    });
  }

  async tag(id: string, tagId: string) {
    if (this.tags.get(tagId)?.isDeleted !== false) throw new NotFound();
    return this.#changes(id, "conversationTagged", (c) => {
      if (c.tagIds.includes(tagId)) return false;
      c.tagIds = [...c.tagIds, tagId].sort();
      return true;
    });
  }

  async untag(id: string, tagId: string) {
    return this.#changes(id, "conversationUntagged", (c) => {
      if (!c.tagIds.includes(tagId)) return false;
      c.tagIds = c.tagIds.filter((known) => known !== tagId);
      return true;
    });
  }

  /** Creates it, renames it, or deletes it for good. */
  changeTag(tagId: string, displayName: string | null): void {
    const before = this.tags.get(tagId);
    if (before?.isDeleted || (before === undefined && displayName === null)) return;
    const after = tagChanged(before, tagId, displayName);
    this.tags.set(tagId, after);
    // The service deletes a tag's counters without a word.
    for (const [key, counter] of this.counters) {
      if (after.isDeleted && counter.tagId === tagId) this.counters.delete(key);
    }
    this.#emit({
      case: "tagChanged",
      value: { $typeName: "inbox.conversation.v1.TagChanged", tag: clone(TagSchema, after) },
    });
  }

  async assign(id: string, memberId: string) {
    return this.#changes(id, "conversationAssigned", (c) => {
      if (c.assigneeId === memberId) return false;
      c.assigneeId = memberId;
      return true;
    });
  }

  /** The AI gives it to people. */
  handsOver(id: string): void {
    const before = this.threads.get(id);
    if (before?.mode !== ConversationMode.AI) return;
    this.#changesThread(handedOver(before, this.#time()));
    this.#append(id, "", MessageDirection.INTERNAL, "");
  }

  async setMode(id: string, mode: ConversationMode) {
    const before = this.threads.get(id);
    if (before === undefined) throw new NotFound();
    if (before.mode === mode) return clone(ThreadSchema, before);
    const after = this.#changesThread(switched(before, mode, this.#time()));
    this.#append(id, "", MessageDirection.INTERNAL, "");
    return clone(ThreadSchema, this.threads.get(id) ?? after);
  }

  async keepManual(id: string, isKept: boolean) {
    const before = this.threads.get(id);
    if (before === undefined) throw new NotFound();
    return this.#changesThread(kept(before, isKept, this.#time()));
  }

  #changesThread(after: Thread): Thread {
    this.threads.set(after.conversationId, after);
    const thread = clone(ThreadSchema, after);
    const value = { $typeName: "inbox.messaging.v1.ModeChanged" as const, thread };
    this.#tell({ case: "modeChanged", value }, () => this.#projects(thread, null));
    return clone(ThreadSchema, after);
  }

  async retryMessage(messageId: string): Promise<Message> {
    const all = [...this.messages.values()].flat();
    const message = all.find((candidate) => candidate.id === messageId);
    if (message === undefined) throw new NotFound();
    return clone(MessageSchema, message);
  }
}
