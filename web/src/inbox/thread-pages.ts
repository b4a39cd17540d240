/** Which stretch of a conversation's history is loaded: its newest messages, or those around one that was looked for. */

import { refusalOf } from "../connection/refusal";
import { Reason } from "../gen/inbox/error/v1/reason_pb";
import type { InboxApi, MessagePage } from "./api";
import { withoutConversation } from "./erase";
import {
  isSaid,
  withConversation,
  withEntry,
  withMessages,
  withNewerPage,
  withOnlyPage,
  withoutEntry,
  withPage,
  withThread,
} from "./merge";
import { EMPTY_WINDOW, type InboxState } from "./state";
import type { Change, InboxStore } from "./store";
import { holeAfter, isShown, threadMessages } from "./views";

export const PAGE_SIZE = 50;
const LARGEST_PAGE = 200;
/** Of a page around a message, what comes after it. */
const AFTER_IT = 25n;
/** Beyond this a thread's older pages are dropped on a resync and loaded again when scrolled to. */
const RELOADED_MESSAGES = 600;

/** Of a conversation that was there. */
const ERASED_REASONS: readonly Reason[] = [Reason.CONVERSATION_NOT_FOUND];

/** What a person wants to see; whoever wants something else wants it by another object. */
interface Wish {
  readonly id: string;
  /** The message to load around; null for the newest. */
  readonly atSeq: bigint | null;
}

export class ThreadPages {
  #wish: Wish | null = null;
  #resyncs = 0;
  readonly #loading = new Set<string>();
  readonly #store: InboxStore;
  readonly #api: InboxApi;
  readonly #failed: (error: unknown) => void;

  constructor(store: InboxStore, api: InboxApi, failed: (error: unknown) => void) {
    this.#store = store;
    this.#api = api;
    this.#failed = failed;
  }

  /** Show a conversation, its newest messages or those around one, which are loaded if they were not yet. Rejects when that failed. */
  async open(id: string | null, atSeq: bigint | null): Promise<void> {
    const left = this.#wish;
    const wish = id === null ? null : { id, atSeq };
    this.#wish = wish;
    // Whoever comes back to a conversation wants its newest messages.
    if (left !== null && left.id !== id) this.#forgetStretch(left.id);
    if (id === null || wish === null) return;
    const { latest } = this.#store;
    const window = latest.threads.get(id);
    const isNewestThere =
      window !== undefined && window.firstSeq !== null && window.lastSeq === null;
    if (atSeq === null ? isNewestThere : isShown(latest, id, atSeq)) return;
    // From now on frames for it are kept, so nothing falls between the page and the line.
    this.#store.change((state) => ({
      ...state,
      threads: withEntry(state.threads, id, state.threads.get(id) ?? EMPTY_WINDOW),
    }));
    await this.#load(wish);
  }

  #forgetStretch(id: string): void {
    this.#store.change((state) =>
      state.threads.get(id)?.lastSeq
        ? { ...state, threads: withoutEntry(state.threads, id) }
        : state,
    );
  }

  async #load(wish: Wish): Promise<void> {
    const resyncs = this.#resyncs;
    const isKnown = this.#store.latest.conversations.has(wish.id);
    const beforeSeq = endOf(wish);
    const [page, conversation] = await Promise.all([
      this.#pageBefore(wish.id, beforeSeq),
      isKnown ? null : this.#api.getConversation(wish.id),
    ]);
    const change: Change = (state) => {
      const known = conversation ? withConversation(state, conversation) : state;
      return withOnlyHistory(known, wish.id, page, beforeSeq);
    };
    if (wish !== this.#wish) return;
    // A snapshot that was begun since then loads it itself, and may know of messages that this page does not.
    if (resyncs === this.#resyncs) this.#store.change(change);
    else this.#store.changeMeanwhile(change);
    void this.fillHole(wish.id);
  }

  /** Null for the newest. */
  #pageBefore(id: string, beforeSeq: bigint | null): Promise<MessagePage> {
    return this.#api.listMessages(id, beforeSeq === null ? {} : { beforeSeq }, PAGE_SIZE);
  }

  /** What a snapshot should collect frames for from now on. */
  startOver(): ReadonlyMap<string, typeof EMPTY_WINDOW> {
    this.#resyncs += 1;
    this.#loading.clear();
    return new Map(this.#wish === null ? [] : [[this.#wish.id, EMPTY_WINDOW]]);
  }

  /** Into the growing snapshot: the same stretch of history as before, so the view does not jump. */
  async grow(): Promise<void> {
    const wish = this.#wish;
    if (wish === null) return;
    const resyncs = this.#resyncs;
    const isCurrent = () => resyncs === this.#resyncs;
    const hasBeenShown = threadMessages(this.#store.snapshot.state, wish.id) !== null;
    try {
      const [conversation] = await Promise.all([
        this.#api.getConversation(wish.id),
        this.#growStretch(wish, () => isCurrent() && wish === this.#wish),
      ]);
      if (isCurrent()) this.#store.grow((state) => withConversation(state, conversation));
    } catch (error) {
      const isErased = ERASED_REASONS.includes(refusalOf(error).reason);
      if (hasBeenShown && !isErased) throw error;
      // Erased while nobody told us, or never on screen: a wrong address must not keep the rest of the inbox from loading.
      if (!isCurrent()) return;
      this.#store.grow((state) => {
        const known = hasBeenShown ? withoutConversation(state, wish.id) : state;
        return { ...known, threads: withoutEntry(known.threads, wish.id) };
      });
    }
  }

  async #growStretch(wish: Wish, isCurrent: () => boolean): Promise<void> {
    const { id } = wish;
    const { state } = this.#store.snapshot;
    const shown = threadMessages(state, id)?.length ?? 0;
    const wanted = Math.min(RELOADED_MESSAGES, Math.max(PAGE_SIZE, shown));
    const lastSeq = state.threads.get(id)?.lastSeq ?? null;
    const endsBefore = shown === 0 ? endOf(wish) : lastSeq === null ? null : lastSeq + 1n;
    let page = await this.#pageBefore(id, endsBefore);
    if (!isCurrent()) return;
    this.#store.grow((state) => withOnlyHistory(state, id, page, endsBefore));
    for (let loaded = page.messages.length; loaded < wanted && page.hasMore; ) {
      const beforeSeq = page.messages.at(-1)?.seq ?? 1n;
      const size = Math.min(LARGEST_PAGE, wanted - loaded);
      page = await this.#api.listMessages(id, { beforeSeq }, size);
      if (!isCurrent() || page.messages.length === 0) return;
      this.#store.grow((state) => withPage(state, id, page.messages, !page.hasMore));
      loaded += page.messages.length;
    }
  }

  /** The page before the oldest shown message. Returns how many came; rejects when it could not be loaded. */
  async loadOlder(id: string): Promise<number> {
    const window = this.#store.latest.threads.get(id);
    if (window === undefined || window.firstSeq === null || window.reachesStart) return 0;
    const { firstSeq } = window;
    return await this.#loadBeside(`${id} older`, async () => {
      const page = await this.#api.listMessages(id, { beforeSeq: firstSeq }, PAGE_SIZE);
      this.#store.change((state) =>
        // Meanwhile the stretch may begin elsewhere; a page that does not touch it would tear a hole.
        state.threads.get(id)?.firstSeq === firstSeq
          ? withPage(state, id, page.messages, !page.hasMore)
          : state,
      );
      return page.messages.length;
    });
  }

  /** The page after the last shown message, where newer ones are not loaded. Returns and rejects like `loadOlder`. */
  async loadNewer(id: string): Promise<number> {
    const lastSeq = this.#store.latest.threads.get(id)?.lastSeq ?? null;
    if (lastSeq === null) return 0;
    return await this.#loadBeside(`${id} newer`, async () => {
      const page = await this.#api.listMessages(id, { afterSeq: lastSeq }, PAGE_SIZE);
      this.#store.change((state) =>
        state.threads.get(id)?.lastSeq === lastSeq
          ? withNewerPage(state, id, page.messages, !page.hasMore)
          : state,
      );
      void this.fillHole(id);
      return page.messages.length;
    });
  }

  /** One at a time. */
  async #loadBeside(key: string, load: () => Promise<number>): Promise<number> {
    if (this.#loading.has(key)) return 0;
    this.#loading.add(key);
    try {
      return await load();
    } finally {
      this.#loading.delete(key);
    }
  }

  /** Load what is missing in the middle. */
  async fillHole(id: string): Promise<void> {
    const afterSeq = holeAfter(this.#store.latest, id);
    if (afterSeq === null) return;
    await this.#loadBeside(`${id} hole`, async () => {
      const page = await this.#api.listMessages(id, { afterSeq }, LARGEST_PAGE);
      this.#store.change((state) => withMessages(state, id, page.messages));
      return page.messages.length;
    }).catch(this.#failed);
  }
}

/** Before which message the page ends that shows what is wished; null for the newest. */
function endOf({ atSeq }: Wish): bigint | null {
  return atSeq === null ? null : atSeq + AFTER_IT + 1n;
}

/** Shows this page, and knows what it tells about its thread: the newest message is also the list's preview. */
function withOnlyHistory(
  state: InboxState,
  id: string,
  { thread, messages, hasMore }: MessagePage,
  beforeSeq: bigint | null,
): InboxState {
  const reachesEnd = messages[0]?.seq === thread?.lastSeq;
  const next = withOnlyPage(state, id, messages, {
    isOldest: !hasMore,
    isNewest: beforeSeq === null || reachesEnd,
  });
  if (thread === null) return next;
  return withThread(next, thread, (reachesEnd && messages.find(isSaid)) || null);
}
