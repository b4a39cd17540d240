/**
 * A small model of the services: what they hold, what they answer, and which frames each change makes. Messaging and
 * conversation have streams of their own; conversation follows messaging's with delay, as the real one does.
 */

import { clone, create } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { type Timestamp, TimestampSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
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
  AuthorKind,
  DeliveryStatus,
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
import { counterKey, previewOf } from "../../src/inbox/merge";
import { livingTag } from "../../src/inbox/tags";

type Body = ServerFrame["body"];
type ConversationEvent =
  | "conversationOpened"
  | "conversationSolved"
  | "conversationReopened"
  | "conversationMoved"
  | "conversationRead"
  | "conversationMarkedUnread"
  | "conversationTagged"
  | "conversationUntagged";

const MOVES = new Map([
  [Folder.OPEN, "conversationReopened" as const],
  [Folder.SOLVED, "conversationSolved" as const],
]);

export class NotFound extends Error {}

function later(time: Timestamp): Timestamp {
  return create(TimestampSchema, { seconds: time.seconds + 900n });
}

/** As the real services refuse. */
function refused(words: string, code: Code, reason: string): ConnectError {
  const refusal = new ConnectError(words, code);
  const value = new BinaryWriter().tag(1, WireType.LengthDelimited).string(reason).finish();
  refusal.details.push({ type: "google.rpc.ErrorInfo", value });
  return refusal;
}

/** When the list does not get there in time. */
function hasToCatchUp(): ConnectError {
  const words = "the inbox list, which has to catch up";
  return refused(words, Code.Unavailable, "TEMPORARILY_UNAVAILABLE");
}

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
    const thread = known
      ? clone(ThreadSchema, known)
      : create(ThreadSchema, {
          conversationId: id,
          channelId: "channel",
          mode: ConversationMode.MANUAL,
          modeEpoch: 1n,
          version: 1n,
        });
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
    if (direction === MessageDirection.OUTBOUND && thread.manualUntil !== undefined) {
      thread.manualUntil = later(now);
    }
    const message = create(MessageSchema, {
      id: `${id}-${thread.lastSeq}`,
      conversationId: id,
      seq: thread.lastSeq,
      clientMessageId,
      direction,
      author: {
        kind: isNote ? AuthorKind.SYSTEM : isInbound ? AuthorKind.CUSTOMER : AuthorKind.MEMBER,
      },
      text,
      deliveryStatus:
        direction === MessageDirection.OUTBOUND
          ? DeliveryStatus.QUEUED
          : DeliveryStatus.UNSPECIFIED,
      inboundOrdinal: thread.inboundCount,
      createTime: now,
      version: 1n,
    });
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
    const conversation = create(ConversationSchema, {
      id: thread.conversationId,
      contact: {
        id: `contact-${thread.conversationId}`,
        displayName: thread.conversationId,
        version: 1n,
      },
      channelId: thread.channelId,
      folder: Folder.OPEN,
      mode: thread.mode,
      modeEpoch: thread.modeEpoch,
      createTime: this.#time(),
      version: 1n,
    });
    this.conversations.set(conversation.id, conversation);
    return [this.#event("conversationOpened", conversation), ...this.#counts()];
  }

  #projects(thread: Thread, message: Message | null): Body[] {
    const before = this.conversations.get(thread.conversationId);
    if (before === undefined) return [];
    const after = clone(ConversationSchema, before);
    const isSaid = message !== null && message.direction !== MessageDirection.INTERNAL;
    if (isSaid && message.seq > (after.preview?.seq ?? 0n)) {
      after.preview = previewOf(message);
      after.lastActivityTime = message.createTime;
    }
    if (thread.modeEpoch > after.modeEpoch) {
      after.mode = thread.mode;
      after.modeEpoch = thread.modeEpoch;
    }
    const hasWritten = thread.inboundCount > after.inboundCount;
    if (hasWritten) after.inboundCount = thread.inboundCount;
    const reopens = hasWritten && after.folder === Folder.SOLVED;
    if (reopens) {
      after.folder = Folder.OPEN;
      after.version += 1n;
    }
    this.conversations.set(after.id, after);
    return [...(reopens ? [this.#event("conversationReopened", after)] : []), ...this.#counts()];
  }

  #event(name: ConversationEvent, conversation: Conversation, more: object = {}): Body {
    const value = { conversation: clone(ConversationSchema, conversation), ...more };
    return { case: name, value } as Body;
  }

  /** Counts everything anew and tells what changed. */
  #counts(): Body[] {
    const sums = new Map<string, Counter>();
    for (const conversation of this.conversations.values()) {
      const { folder, channelId } = conversation;
      const living = conversation.tagIds.filter(
        (tagId) => this.tags.get(tagId)?.isDeleted === false,
      );
      for (const part of [{}, { channelId }, ...living.map((tagId) => ({ tagId }))]) {
        const fresh = create(CounterSchema, { folder, ...part });
        const counter = sums.get(counterKey(fresh)) ?? fresh;
        counter.conversationCount += 1n;
        if (conversation.inboundCount > conversation.readOrdinal) counter.unreadCount += 1n;
        sums.set(counterKey(fresh), counter);
      }
    }
    const changed: Counter[] = [];
    for (const key of new Set([...this.counters.keys(), ...sums.keys()])) {
      const before = this.counters.get(key);
      const { folder, channelId, tagId } = sums.get(key) ?? before ?? create(CounterSchema);
      const { conversationCount, unreadCount } = sums.get(key) ?? create(CounterSchema);
      if (before?.conversationCount === conversationCount && before.unreadCount === unreadCount) {
        continue;
      }
      const version = (before?.version ?? 0n) + 1n;
      const after = create(CounterSchema, {
        folder,
        channelId,
        tagId,
        conversationCount,
        unreadCount,
        version,
      });
      this.counters.set(key, after);
      changed.push(clone(CounterSchema, after));
    }
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
    if (query.tagKeys.some((key) => livingTag(this.tags, key) === undefined)) {
      throw refused("tag not found", Code.NotFound, "TAG_NOT_FOUND");
    }
    const all = [...this.conversations.values()]
      .filter(
        ({ folder, inboundCount, readOrdinal, tagIds }) =>
          folder === query.folder &&
          (inboundCount > readOrdinal || !query.isUnreadOnly) &&
          query.tagKeys.every((key) => tagIds.includes(livingTag(this.tags, key)?.id ?? "")),
      )
      .sort((a, b) =>
        Number((b.lastActivityTime?.seconds ?? 0n) - (a.lastActivityTime?.seconds ?? 0n)),
      );
    const from = Number(pageToken || 0);
    const page = all.slice(from, from + 3).map((c) => clone(ConversationSchema, c));
    return { conversations: page, nextPageToken: all.length > from + 3 ? String(from + 3) : "" };
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
    const { beforeSeq = 0n, afterSeq = 0n } = bound;
    const all = this.messages.get(id) ?? [];
    const asked = all.filter(
      ({ seq }) => (beforeSeq === 0n || seq < beforeSeq) && (afterSeq === 0n || seq > afterSeq),
    );
    const page = afterSeq > 0n ? asked.slice(0, pageSize) : asked.slice(-pageSize);
    return {
      messages: page.map((message) => clone(MessageSchema, message)).reverse(),
      hasMore: asked.length > page.length,
      thread: clone(ThreadSchema, thread),
    };
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
    const after = create(TagSchema, {
      id: tagId,
      key: tagId,
      displayName: displayName ?? before?.displayName ?? "",
      isDeleted: displayName === null,
      version: (before?.version ?? 0n) + 1n,
    });
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

  async setMode(id: string, mode: ConversationMode) {
    const before = this.threads.get(id);
    if (before === undefined) throw new NotFound();
    if (before.mode === mode) return clone(ThreadSchema, before);
    const after = clone(ThreadSchema, before);
    after.mode = mode;
    after.modeEpoch += 1n;
    after.version += 1n;
    after.manualUntil = mode === ConversationMode.MANUAL ? later(this.#time()) : undefined;
    this.threads.set(id, after);
    const facts = clone(ThreadSchema, after);
    this.#tell(
      {
        case: "modeChanged",
        value: { $typeName: "inbox.messaging.v1.ModeChanged", thread: facts },
      },
      () => this.#projects(facts, null),
    );
    this.#append(id, "", MessageDirection.INTERNAL, "");
    return clone(ThreadSchema, this.threads.get(id) ?? after);
  }

  async keepManual(id: string, isKept: boolean) {
    const before = this.threads.get(id);
    if (before === undefined) throw new NotFound();
    const after = clone(ThreadSchema, before);
    after.isManualKept = isKept;
    after.manualUntil = isKept ? undefined : later(this.#time());
    after.version += 1n;
    this.threads.set(id, after);
    this.#emit({
      case: "modeChanged",
      value: { $typeName: "inbox.messaging.v1.ModeChanged", thread: clone(ThreadSchema, after) },
    });
    return clone(ThreadSchema, after);
  }

  async retryMessage(messageId: string): Promise<Message> {
    const all = [...this.messages.values()].flat();
    const message = all.find((candidate) => candidate.id === messageId);
    if (message === undefined) throw new NotFound();
    return clone(MessageSchema, message);
  }
}
