/** What a person can do with the inbox, and what is loaded when. Shows at once what was done, and takes it back if refused. */

import { type Conversation, Folder } from "../gen/inbox/conversation/v1/conversation_pb";
import { type Message, MessageDirection } from "../gen/inbox/messaging/v1/message_pb";
import type { ConversationMode } from "../gen/inbox/messaging/v1/thread_pb";
import type { ServerFrame } from "../gen/inbox/realtime/v1/frame_pb";
import type { ConversationPage, InboxApi, MessagePage } from "./api";
import { withChannel } from "./apply";
import { firstPage, listPage } from "./first-page";
import { keyOf, type ListQuery, listQuery } from "./list-query";
import {
  isSaid,
  withConversation,
  withCounters,
  withEntry,
  withMessage,
  withNewer,
  withoutEntry,
  withPage,
  withTag,
  withThread,
} from "./merge";
import { EMPTY_STATE, EMPTY_WINDOW, type InboxState } from "./state";
import { InboxStore } from "./store";
import { holeAfter, type Pending, tagging, unknownConversations } from "./views";

export const PAGE_SIZE = 50;
const LARGEST_PAGE = 200;
/** Beyond this a thread's older pages are dropped on a resync and loaded again when scrolled to. */
const RELOADED_MESSAGES = 600;
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
  #resyncs = 0;
  /** As far as the line has told, seen from here. */
  #position = "";
  #openThread: string | null = null;
  #openList = listQuery(Folder.OPEN);
  readonly #loadingLists = new Set<string>();
  readonly #loadingThreads = new Set<string>();
  #isAskingForUnknown = false;
  readonly #api: InboxApi;
  readonly #clock: Clock;
  readonly #handlers: InboxHandlers;

  constructor(api: InboxApi, clock: Clock, handlers: InboxHandlers) {
    this.#api = api;
    this.#clock = clock;
    this.#handlers = handlers;
  }

  /** A frame of the live line. */
  receive(frame: ServerFrame): void {
    if (frame.position !== "") this.#position = frame.position;
    this.store.apply(frame, this.#clock.now());
    if (frame.body.case === "messageCreated") {
      const message = frame.body.value.message;
      if (message?.direction === MessageDirection.OUTBOUND && message.clientMessageId !== "") {
        this.#handlers.outboundSeen(message.clientMessageId);
      }
      if (message !== undefined) void this.#fillHole(message.conversationId);
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
    this.#loadingThreads.clear();
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
        await this.#clock.wait(Math.min(30_000, 500 * 2 ** tries));
      }
    }
  }

  async #resyncLater(isCurrent: () => boolean): Promise<void> {
    await this.#clock.wait(BEHIND_FOR_MILLIS);
    if (isCurrent()) await this.resync(this.#position);
  }

  /** Presence is kept, because it is told once per line, not per snapshot. */
  #wantedState(): InboxState {
    const { presence, customerTypingUntil } = this.store.snapshot.state;
    const threads = this.#openThread === null ? [] : [[this.#openThread, EMPTY_WINDOW] as const];
    return { ...EMPTY_STATE, presence, customerTypingUntil, threads: new Map(threads) };
  }

  /** Whether the list had caught up with the position. */
  async #loadSnapshot(position: string, isCurrent: () => boolean): Promise<boolean> {
    const query = this.#openList;
    const [page, tags, counters, channels, members, workspace] = await Promise.all([
      firstPage(this.#api, this.#clock, query, position),
      this.#api.listTags(),
      this.#api.getCounters(),
      this.#api.listChannels(),
      this.#api.listMembers(),
      this.#api.getWorkspace(),
      this.#reloadOpenThread(isCurrent),
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

  /** The same stretch of history as before, so the view does not jump. */
  async #reloadOpenThread(isCurrent: () => boolean): Promise<void> {
    const id = this.#openThread;
    if (id === null) return;
    const shown = this.store.snapshot.state.threads.get(id);
    const wanted = Math.min(RELOADED_MESSAGES, Math.max(PAGE_SIZE, shown?.bySeq.size ?? 0));
    try {
      const [conversation] = await Promise.all([
        this.#api.getConversation(id),
        this.#reloadMessages(id, wanted, isCurrent),
      ]);
      if (isCurrent()) this.store.grow((state) => withConversation(state, conversation));
    } catch (error) {
      if (shown !== undefined && shown.firstSeq !== null) throw error;
      // It was never on screen: a wrong address must not keep the rest of the inbox from loading.
      this.store.grow((state) => ({ ...state, threads: withoutEntry(state.threads, id) }));
    }
  }

  async #reloadMessages(id: string, wanted: number, isCurrent: () => boolean): Promise<void> {
    let beforeSeq = 0n;
    for (let loaded = 0; loaded < wanted; ) {
      const size = Math.min(LARGEST_PAGE, wanted - loaded);
      const page = await this.#api.listMessages(id, { beforeSeq }, size);
      if (!isCurrent()) return;
      this.store.grow((state) => withHistory(state, id, page));
      loaded += page.messages.length;
      beforeSeq = page.messages.at(-1)?.seq ?? 0n;
      if (!page.hasMore || page.messages.length === 0) return;
    }
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

  /** Show a conversation; its newest messages are loaded if they were not yet. Rejects when that failed. */
  async openConversation(id: string | null): Promise<void> {
    this.#openThread = id;
    if (id === null || this.store.latest.threads.has(id)) return;
    // From now on frames for it are kept, so nothing falls between the page and the line.
    this.store.change((state) => ({
      ...state,
      threads: withEntry(state.threads, id, state.threads.get(id) ?? EMPTY_WINDOW),
    }));
    await this.#loadThread(id);
  }

  /** Try again what could not be loaded. */
  async reloadConversation(id: string): Promise<void> {
    await this.#loadThread(id);
  }

  async #loadThread(id: string): Promise<void> {
    const isKnown = this.store.latest.conversations.has(id);
    const [page, conversation] = await Promise.all([
      this.#api.listMessages(id, {}, PAGE_SIZE),
      isKnown ? null : this.#api.getConversation(id),
    ]);
    this.store.change((state) => {
      const known = conversation ? withConversation(state, conversation) : state;
      return withHistory(known, id, page);
    });
    void this.#fillHole(id);
  }

  /** The page before the oldest loaded message. Returns how many came; rejects when it could not be loaded. */
  async loadOlder(id: string): Promise<number> {
    const window = this.store.latest.threads.get(id);
    if (window === undefined || window.firstSeq === null || window.reachesStart) return 0;
    if (this.#loadingThreads.has(id)) return 0;
    this.#loadingThreads.add(id);
    try {
      const page = await this.#api.listMessages(id, { beforeSeq: window.firstSeq }, PAGE_SIZE);
      this.store.change((state) =>
        // After a resync the window may begin elsewhere; a page that does not touch it would tear a hole.
        state.threads.get(id)?.firstSeq === window.firstSeq
          ? withPage(state, id, page.messages, !page.hasMore)
          : state,
      );
      return page.messages.length;
    } finally {
      this.#loadingThreads.delete(id);
    }
  }

  async #fillHole(id: string): Promise<void> {
    const afterSeq = holeAfter(this.store.latest, id);
    const key = `${id} newer`;
    if (afterSeq === null || this.#loadingThreads.has(key)) return;
    this.#loadingThreads.add(key);
    try {
      const page = await this.#api.listMessages(id, { afterSeq }, LARGEST_PAGE);
      this.store.change((state) => withPage(state, id, page.messages, false));
    } catch (error) {
      this.#handlers.failed(error);
    } finally {
      this.#loadingThreads.delete(key);
    }
  }

  async #askForUnknown(): Promise<void> {
    if (this.#isAskingForUnknown) return;
    this.#isAskingForUnknown = true;
    try {
      // Usually its owner's own event is on the way and makes the question needless.
      await this.#clock.wait(UNKNOWN_ASKED_AFTER_MILLIS);
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
    void this.#fillHole(message.conversationId);
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

/** A page, and what it tells about its thread: the newest message is also the list's preview. */
function withHistory(state: InboxState, id: string, page: MessagePage): InboxState {
  const next = withPage(state, id, page.messages, !page.hasMore);
  const { thread } = page;
  if (thread === null) return next;
  const isNewest = page.messages[0]?.seq === thread.lastSeq;
  const newest = (isNewest && page.messages.find(isSaid)) || null;
  return withThread(next, thread, newest);
}

function withListPage(
  state: InboxState,
  query: ListQuery,
  { conversations, nextPageToken }: ConversationPage,
): InboxState {
  let next = state;
  for (const conversation of conversations) next = withConversation(next, conversation);
  const last = conversations.at(-1);
  const isComplete = nextPageToken === "" || last?.lastActivityTime === undefined;
  return {
    ...next,
    lists: withEntry(next.lists, keyOf(query), {
      nextPageToken,
      frontier:
        isComplete || !last?.lastActivityTime ? null : { time: last.lastActivityTime, id: last.id },
    }),
  };
}
