/** Looking for something while somebody types. Only what answers the words in the box is ever shown. */

import type { FoundMessage, Highlight } from "../gen/inbox/messaging/v1/search_pb";
import type { Clock } from "./inbox";

/** Fast enough to feel live, slow enough not to ask for every letter. */
export const ASKED_AFTER_MILLIS = 200;
/** A page may be empty and not the last; how many of them are asked for in a row. */
const MOST_EMPTY_PAGES = 5;

export interface SearchPage<Item> {
  /** Best first. */
  readonly items: readonly Item[];
  /** Empty once everything is loaded. */
  readonly nextPageToken: string;
  /** Older ones are not all searchable yet. */
  readonly isRebuilding: boolean;
}

export type Ask<Item> = (
  query: string,
  pageToken: string,
  signal: AbortSignal,
) => Promise<SearchPage<Item>>;

/** What one question found, as far as its pages are loaded. */
export interface Found<Item> extends SearchPage<Item> {
  readonly query: string;
}

export interface SearchState<Item> {
  /** As it stands in the box. */
  readonly text: string;
  /** Stays on screen while another question is under way. */
  readonly found: Found<Item> | null;
  readonly isAsking: boolean;
  /** Why the last question has no answer; null if it has one or is under way. */
  readonly failure: unknown;
}

const NOTHING_SOUGHT: SearchState<never> = {
  text: "",
  found: null,
  isAsking: false,
  failure: null,
};

export class Search<Item> {
  #value: SearchState<Item> = NOTHING_SOUGHT;
  /** Ends the question that is under way: each new one ends the one before. */
  #asking = new AbortController();
  readonly #listeners = new Set<() => void>();
  readonly #ask: Ask<Item>;
  readonly #idOf: (item: Item) => string;
  readonly #clock: Clock;

  constructor(ask: Ask<Item>, idOf: (item: Item) => string, clock: Clock) {
    this.#ask = ask;
    this.#idOf = idOf;
    this.#clock = clock;
  }

  get value(): SearchState<Item> {
    return this.#value;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The words in the box are these now. */
  async type(text: string): Promise<void> {
    const query = text.trim();
    if (query === this.#value.text.trim()) {
      this.#set({ text });
      return;
    }
    const { signal } = this.#askAnew();
    if (query === "") {
      this.#set({ ...NOTHING_SOUGHT, text });
      return;
    }
    this.#set({ text, isAsking: true, failure: null });
    await this.#clock.wait(ASKED_AFTER_MILLIS);
    if (!signal.aborted) await this.#answer(query, null, signal);
  }

  /** What is not there yet: the next page, or what could not be answered. Nothing while a question is under way. */
  async more(): Promise<void> {
    const { text, found, isAsking } = this.#value;
    const query = text.trim();
    const before = found?.query === query ? found : null;
    if (isAsking || query === "" || before?.nextPageToken === "") return;
    const { signal } = this.#askAnew();
    this.#set({ isAsking: true, failure: null });
    await this.#answer(query, before, signal);
  }

  clear(): void {
    void this.type("");
  }

  #askAnew(): AbortController {
    this.#asking.abort();
    this.#asking = new AbortController();
    return this.#asking;
  }

  /** Adds to `before`, or begins. */
  async #answer(query: string, before: Found<Item> | null, signal: AbortSignal): Promise<void> {
    try {
      let found = before;
      for (let pages = 0; pages < MOST_EMPTY_PAGES; pages += 1) {
        const page = await this.#ask(query, found?.nextPageToken ?? "", signal);
        if (signal.aborted) return;
        found = this.#joined(query, found, page);
        if (page.items.length > 0 || page.nextPageToken === "") break;
      }
      this.#set({ found, isAsking: false });
    } catch (failure) {
      if (!signal.aborted) this.#set({ failure, isAsking: false });
    }
  }

  #joined(query: string, before: Found<Item> | null, page: SearchPage<Item>): Found<Item> {
    const known = new Set(before?.items.map(this.#idOf));
    const news = page.items.filter((item) => !known.has(this.#idOf(item)));
    const { nextPageToken, isRebuilding } = page;
    return { query, items: [...(before?.items ?? []), ...news], nextPageToken, isRebuilding };
  }

  #set(part: Partial<SearchState<Item>>): void {
    this.#value = { ...this.#value, ...part };
    for (const listener of [...this.#listeners]) listener();
  }
}

export interface FoundGroup {
  readonly conversationId: string;
  readonly messages: readonly FoundMessage[];
}

/** By conversation: the one with the best message first, and in each the best first. */
export function groupsOf(messages: readonly FoundMessage[]): FoundGroup[] {
  const groups = new Map<string, FoundMessage[]>();
  for (const message of messages) {
    const group = groups.get(message.conversationId);
    if (group === undefined) groups.set(message.conversationId, [message]);
    else group.push(message);
  }
  return [...groups].map(([conversationId, found]) => ({ conversationId, messages: found }));
}

export interface TextPart {
  /** Where it begins, as its key. */
  readonly start: number;
  readonly text: string;
  readonly isSought: boolean;
}

/** A text cut where its highlights begin and end; one that lies outside it is left out. */
export function partsOf(text: string, highlights: readonly Highlight[]): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  const cut = (to: number, isSought: boolean) => {
    if (to > end) parts.push({ start: end, text: text.slice(end, to), isSought });
    end = Math.max(end, to);
  };
  for (const { start, length } of highlights) {
    cut(Math.min(start, text.length), false);
    cut(Math.min(start + length, text.length), true);
  }
  cut(text.length, false);
  return parts;
}
