/**
 * What a person sent and the service has not confirmed yet. Kept on this machine until it has, tried again with the
 * same client_message_id, so it arrives once. One at a time per conversation, in the order it was written.
 */

import { Backoff } from "./backoff";
import { browser, type Environment } from "./environment";
import type { Refusal } from "./refusal";

/** Something left over from longer ago is not sent behind the person's back. */
export const HOLD_AFTER_MILLIS = 15 * 60_000;

export type OutboxState =
  /** Will be sent by itself. */
  | "waiting"
  /** Left over from an earlier visit: a person decides. */
  | "held"
  /** The service refused it: a person decides. */
  | "refused";

export interface OutboxEntry {
  readonly clientMessageId: string;
  readonly conversationId: string;
  readonly text: string;
  readonly createTimeMillis: number;
  readonly state: OutboxState;
  readonly refusal: Refusal | null;
}

/** Survives a reload; each entry has its own key, so two tabs do not overwrite each other. */
export interface OutboxStorage {
  load(): OutboxEntry[];
  put(entry: OutboxEntry): void;
  remove(clientMessageId: string): void;
}

export interface OutboxHandlers {
  /** Resolves once the service has it for good. */
  send(entry: OutboxEntry): Promise<void>;
  refusalOf(error: unknown): Refusal;
  changed(): void;
}

export class Outbox {
  #entries: readonly OutboxEntry[] = [];
  #isStopped = false;
  readonly #busy = new Set<string>();
  readonly #waits = new Map<string, { backoff: Backoff; cancel: () => void }>();
  readonly #storage: OutboxStorage;
  readonly #handlers: OutboxHandlers;
  readonly #environment: Environment;

  constructor(
    storage: OutboxStorage,
    handlers: OutboxHandlers,
    environment: Environment = browser,
  ) {
    this.#storage = storage;
    this.#handlers = handlers;
    this.#environment = environment;
    const now = environment.now();
    this.#entries = storage
      .load()
      .map((entry) =>
        entry.state === "waiting" && now - entry.createTimeMillis > HOLD_AFTER_MILLIS
          ? { ...entry, state: "held" as const }
          : entry,
      )
      .sort((a, b) => a.createTimeMillis - b.createTimeMillis);
  }

  /** In the order they were written. */
  get entries(): readonly OutboxEntry[] {
    return this.#entries;
  }

  add(conversationId: string, clientMessageId: string, text: string): void {
    this.#put({
      clientMessageId,
      conversationId,
      text,
      createTimeMillis: this.#environment.now(),
      state: "waiting",
      refusal: null,
    });
    this.#run(conversationId);
  }

  /** A person wants a held or refused one to be tried again. */
  sendAgain(clientMessageId: string): void {
    const entry = this.#find(clientMessageId);
    if (entry === undefined || entry.state === "waiting") return;
    this.#put({ ...entry, state: "waiting", refusal: null });
    this.#run(entry.conversationId);
  }

  discard(clientMessageId: string): void {
    this.#remove(clientMessageId);
  }

  /** The line is back, or the page was just opened: try everything that waits, now. */
  tryNow(): void {
    this.#isStopped = false;
    for (const wait of this.#waits.values()) wait.cancel();
    this.#waits.clear();
    for (const conversationId of new Set(this.#entries.map((entry) => entry.conversationId))) {
      this.#run(conversationId);
    }
  }

  /** The message was seen in the conversation, so it arrived, whatever became of the answer. */
  confirm(clientMessageId: string): void {
    if (this.#find(clientMessageId) !== undefined) this.#remove(clientMessageId);
  }

  stop(): void {
    this.#isStopped = true;
    for (const wait of this.#waits.values()) wait.cancel();
    this.#waits.clear();
  }

  #run(conversationId: string): void {
    if (this.#isStopped || this.#busy.has(conversationId) || this.#waits.has(conversationId))
      return;
    const next = this.#entries.find(
      (entry) => entry.conversationId === conversationId && entry.state === "waiting",
    );
    if (next === undefined) return;
    this.#busy.add(conversationId);
    void this.#try(next);
  }

  async #try(entry: OutboxEntry, backoff = new Backoff(() => this.#environment.random())) {
    const { conversationId, clientMessageId } = entry;
    try {
      await this.#handlers.send(entry);
      this.#remove(clientMessageId);
    } catch (error) {
      const refusal = this.#handlers.refusalOf(error);
      if (refusal.isTransient || refusal.isSignedOut) {
        this.#waitAndTry(entry, backoff);
        return;
      }
      if (this.#find(clientMessageId) !== undefined) {
        this.#put({ ...entry, state: "refused", refusal });
      }
    }
    this.#busy.delete(conversationId);
    this.#run(conversationId);
  }

  #waitAndTry(entry: OutboxEntry, backoff: Backoff): void {
    this.#busy.delete(entry.conversationId);
    if (this.#isStopped) return;
    const cancel = this.#environment.after(backoff.next(), () => {
      this.#waits.delete(entry.conversationId);
      if (this.#find(entry.clientMessageId)?.state !== "waiting") {
        this.#run(entry.conversationId);
        return;
      }
      this.#busy.add(entry.conversationId);
      void this.#try(entry, backoff);
    });
    this.#waits.set(entry.conversationId, { backoff, cancel });
  }

  #find(clientMessageId: string): OutboxEntry | undefined {
    return this.#entries.find((entry) => entry.clientMessageId === clientMessageId);
  }

  #put(entry: OutboxEntry): void {
    const others = this.#entries.filter((e) => e.clientMessageId !== entry.clientMessageId);
    const isNew = others.length === this.#entries.length;
    this.#entries = isNew
      ? [...others, entry]
      : this.#entries.map((e) => (e.clientMessageId === entry.clientMessageId ? entry : e));
    this.#storage.put(entry);
    this.#handlers.changed();
  }

  #remove(clientMessageId: string): void {
    this.#entries = this.#entries.filter((entry) => entry.clientMessageId !== clientMessageId);
    this.#storage.remove(clientMessageId);
    this.#handlers.changed();
  }
}
