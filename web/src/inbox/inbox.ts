/** What a person can do with the inbox, and what is loaded when. Shows at once what was done, and takes it back if refused. */

import { type Conversation, Folder } from "../gen/inbox/conversation/v1/conversation_pb";
import { type Message, MessageDirection } from "../gen/inbox/messaging/v1/message_pb";
import type { ConversationMode } from "../gen/inbox/messaging/v1/thread_pb";
import type { ServerFrame } from "../gen/inbox/realtime/v1/frame_pb";
import type { ConversationPage, InboxApi } from "./api";
import { withChannel } from "./apply";
import { firstPage, listPage } from "./first-page";
import { keyOf, type ListQuery, listQuery } from "./list-query";
import {
  withConversation,
  withCounters,
  withEntry,
  withMessage,
  withNewer,
  withoutEntry,
  withTag,
  withThread,
} from "./merge";
import { EMPTY_STATE, type InboxState } from "./state";
import { InboxStore } from "./store";
import { ThreadPages } from "./thread-pages";
import { type Pending, tagging, unknownConversations } from "./views";

/** A list that was shown before it had caught up is loaded again after this long. */
const BEHIND_FOR_MILLIS = 15_000;
const UNKNOWN_ASKED_AFTER_MILLIS = 300;

export interface Clock {
  now(): number;
  wait(millis: number): Promise<void>;
}

export interface InboxHandlers {
  /** One of our own messages was seen in its conversation. */
  outboundSeen(clientMessageId: string): void;
  /** Something in the background failed; it is tried again when `retry` is called or with the next resync. */
  failed(error: unknown): void;
}

export class Inbox {
  readonly store = new InboxStore();
  readonly #pages: ThreadPages;
  #resyncs = 0;
  /** As far as the line has told, seen from here. */
  #position = "";
  #openList = listQuery(Folder.OPEN);
  readonly #loadingLists = new Set<string>();
  readonly #beside = new Set<() => Promise<void>>();
  #isAskingForUnknown = false;
  readonly #api: InboxApi;
  readonly clock: Clock;
  readonly #handlers: InboxHandlers;

  constructor(api: InboxApi, clock: Clock, handlers: InboxHandlers) {
    this.#api = api;
    this.clock = clock;
    this.#handlers = handlers;
    this.#pages = new ThreadPages(this.store, api, (error) => handlers.failed(error));
  }

  /** A frame of the live line. */
  receive(frame: ServerFrame): void {
    if (frame.position !== "") this.#position = frame.position;
    this.store.apply(frame, this.clock.now());
    if (frame.body.case === "messageCreated") {
      const message = frame.body.value.message;
      if (message?.direction === MessageDirection.OUTBOUND && message.clientMessageId !== "") {
        this.#handlers.outboundSeen(message.clientMessageId);
      }
      if (message !== undefined) void this.#pages.fillHole(message.conversationId);
    }
    if (unknownConversations(this.store.latest).length > 0) void this.#askForUnknown();
  }

  /**
   * What we hold may have holes: load everything that is on screen again, behind it, and at least what the line told of
   * up to `position`. Tries until it is in.
   */
  async resync(position = ""): Promise<void> {
    const resync = ++this.#resyncs;
    const isCurrent = () => resync === this.#resyncs;
    this.#position = position;
    this.#loadingLists.clear();
    this.store.startOver(this.#wantedState());
    for (let tries = 0; isCurrent(); tries += 1) {
      try {
        const isCaughtUp = await this.#loadSnapshot(position, isCurrent);
        if (!isCurrent()) return;
        this.store.finish(isCaughtUp);
        if (!isCaughtUp) void this.#resyncLater(isCurrent);
        return;
      } catch (error) {
        if (!isCurrent()) return;
        this.#handlers.failed(error);
        await this.clock.wait(Math.min(30_000, 500 * 2 ** tries));
      }
    }
  }

  async #resyncLater(isCurrent: () => boolean): Promise<void> {
    await this.clock.wait(BEHIND_FOR_MILLIS);
    if (isCurrent()) await this.resync(this.#position);
  }

  /** Presence is kept, because it is told once per line, not per snapshot. */
  #wantedState(): InboxState {
    const { presence, customerTypingUntil } = this.store.snapshot.state;
    return { ...EMPTY_STATE, presence, customerTypingUntil, threads: this.#pages.startOver() };
  }

  /** Whether the list had caught up with the position. */
  async #loadSnapshot(position: string, isCurrent: () => boolean): Promise<boolean> {
    const query = this.#openList;
    const [page, tags, counters, channels, members, workspace] = await Promise.all([
      firstPage(this.#api, this.clock, query, position),
      this.#api.listTags(),
      this.#api.getCounters(),
      this.#api.listChannels(),
      this.#api.listMembers(),
      this.#api.getWorkspace(),
      this.#pages.grow(),
      ...[...this.#beside].map((load) => load()),
    ]);
    if (!isCurrent()) return page.isCaughtUp;
    this.store.grow((state) => {
      let next = withCounters(withListPage(state, query, page), counters);
      for (const tag of tags) next = withTag(next, tag);
      for (const channel of channels) next = withChannel(next, channel);
      for (const member of members) {
        next = { ...next, members: withNewer(next.members, member.id, member) };
      }
      const isNews = workspace !== null && workspace.version >= (next.workspace?.version ?? 0n);
      return isNews ? { ...next, workspace } : next;
    });
    return page.isCaughtUp;
  }

  /** What a screen shows beside is loaded with every snapshot too. Returns the way to end it. */
  loadBeside(load: () => Promise<void>): () => void {
    this.#beside.add(load);
    return () => this.#beside.delete(load);
  }

  /** The list on screen: a resync loads this one again. */
  showList(query: ListQuery): void {
    this.#openList = query;
  }

  /** The first or the next page of a list; one request at a time. Rejects when it could not be loaded. */
  async loadMore(query: ListQuery): Promise<void> {
    const key = keyOf(query);
    const pages = this.store.latest.lists.get(key);
    if (this.#loadingLists.has(key) || pages?.nextPageToken === "") return;
    this.#loadingLists.add(key);
    const resync = this.#resyncs;
    try {
      const page = await listPage(this.#api, query, pages?.nextPageToken ?? "");
      if (resync !== this.#resyncs) return;
      this.#loadingLists.delete(key);
      this.store.change((state) => withListPage(state, query, page));
    } finally {
      if (resync === this.#resyncs) this.#loadingLists.delete(key);
    }
  }

  /**
   * Show a conversation from its newest messages, or around one of them; loads what is not loaded yet. Null shows none.
   * Rejects when it could not be loaded.
   */
  openConversation(id: string | null, atSeq: bigint | null = null): Promise<void> {
    return this.#pages.open(id, atSeq);
  }

  /** The page before the oldest message shown. Returns how many came; rejects when it could not be loaded. */
  loadOlder(id: string): Promise<number> {
    return this.#pages.loadOlder(id);
  }

  /** The page after the last message shown, where newer ones are not loaded. */
  loadNewer(id: string): Promise<number> {
    return this.#pages.loadNewer(id);
  }

  /** Learn of conversations that something else speaks of, as a search does. */
  async know(ids: readonly string[]): Promise<void> {
    const unknown = ids.filter((id) => !this.store.latest.conversations.has(id));
    await Promise.all(unknown.map(async (id) => this.#learn(await this.#api.getConversation(id))));
  }

  async #askForUnknown(): Promise<void> {
    if (this.#isAskingForUnknown) return;
    this.#isAskingForUnknown = true;
    try {
      // Usually its owner's own event is on the way and makes the question needless.
      await this.clock.wait(UNKNOWN_ASKED_AFTER_MILLIS);
      for (const id of unknownConversations(this.store.latest)) {
        const conversation = await this.#api.getConversation(id);
        this.store.change((state) => withConversation(state, conversation));
      }
    } catch (error) {
      this.#handlers.failed(error);
    } finally {
      this.#isAskingForUnknown = false;
    }
  }

  async move(id: string, folder: Folder): Promise<void> {
    // What the person had before them when they decided, not what came while the call was on its way.
    const seen = this.store.latest.projections.get(id)?.inboundCount ?? 0n;
    await this.#doing("folder", id, folder, async () => {
      this.#learn(await this.#api.move(id, folder, seen));
    });
  }

  /** Give it a tag or take it away; the star is one. */
  async setTag(id: string, tagId: string, isOn: boolean): Promise<void> {
    await this.#doing("tags", tagging(id, tagId), isOn, async () => {
      this.#learn(await (isOn ? this.#api.tag(id, tagId) : this.#api.untag(id, tagId)));
    });
  }

  /** Give it to a member to look after, or to nobody. */
  async assign(id: string, memberId: string): Promise<void> {
    await this.#doing("assigneeId", id, memberId, async () => {
      this.#learn(await this.#api.assign(id, memberId));
    });
  }

  #learn(conversation: Conversation): void {
    this.store.change((state) => withConversation(state, conversation));
  }

  async setMode(id: string, mode: ConversationMode): Promise<void> {
    await this.#doing("mode", id, mode, async () => {
      const thread = await this.#api.setMode(id, mode);
      this.store.change((state) => withThread(state, thread, null));
    });
  }

  /** Keep the AI from taking over by itself, or let it. */
  async keepManual(id: string, isKept: boolean): Promise<void> {
    const thread = await this.#api.keepManual(id, isKept);
    this.store.change((state) => withThread(state, thread, null));
  }

  /** Everything up to this inbound message was seen. Only raises. */
  async markRead(id: string, readOrdinal: bigint): Promise<void> {
    const known = this.store.latest.conversations.get(id)?.readOrdinal ?? 0n;
    const pending = this.store.snapshot.pending.readOrdinal.get(id) ?? 0n;
    if (readOrdinal <= known || readOrdinal <= pending) return;
    await this.#doing("readOrdinal", id, readOrdinal, async () => {
      this.#learn(await this.#api.markRead(id, readOrdinal));
    });
  }

  /** The customer's last message is unread again; nothing happens where nothing came in. */
  async markUnread(id: string): Promise<void> {
    const { conversations, projections } = this.store.latest;
    const last = projections.get(id)?.inboundCount ?? 0n;
    const version = conversations.get(id)?.version ?? 0n;
    if (last > 0n) this.#learn(await this.#api.markUnread(id, last, version));
  }

  /** A message that came as the answer to our own send. */
  accept(message: Message): void {
    this.store.change((state) => withMessage(state, message));
    void this.#pages.fillHole(message.conversationId);
  }

  async retryMessage(messageId: string): Promise<void> {
    const message = await this.#api.retryMessage(messageId);
    this.store.change((state) => withMessage(state, message));
  }

  /** Shown as done until the answer is in; a refusal takes it back and is thrown on. */
  async #doing<F extends keyof Pending, V>(
    field: F,
    id: string,
    value: V,
    act: () => Promise<void>,
  ): Promise<void> {
    const set = (map: ReadonlyMap<string, V>) => withEntry(map, id, value);
    this.#changePending(field, set);
    try {
      await act();
    } finally {
      this.#changePending<F, V>(field, (map) =>
        map.get(id) === value ? withoutEntry(map, id) : map,
      );
    }
  }

  #changePending<F extends keyof Pending, V>(
    field: F,
    change: (map: ReadonlyMap<string, V>) => ReadonlyMap<string, V>,
  ): void {
    this.store.setPending((pending) => ({
      ...pending,
      [field]: change(pending[field] as unknown as ReadonlyMap<string, V>),
    }));
  }
}

function withListPage(
  state: InboxState,
  query: ListQuery,
  { conversations, nextPageToken, frontier }: ConversationPage,
): InboxState {
  let next = state;
  for (const conversation of conversations) next = withConversation(next, conversation);
  return { ...next, lists: withEntry(next.lists, keyOf(query), { nextPageToken, frontier }) };
}
