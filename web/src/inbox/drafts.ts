/**
 * What a member began to write: kept on this machine at once, and a moment later with the service, for their other
 * devices. What is in the field wins over what was saved elsewhere; an untouched field takes that over.
 */

import { refusalOf } from "../connection/refusal";
import type { Draft } from "../gen/inbox/conversation/v1/draft_pb";
import { Reason } from "../gen/inbox/error/v1/reason_pb";

export const SAVED_AFTER_MILLIS = 800;
const TRIED_AGAIN_AFTER_MILLIS = 5_000;

export interface DraftApi {
  /** Null where there never was one. */
  get(conversationId: string): Promise<Draft | null>;
  /** Both refused with VERSION_CONFLICT when it was saved or deleted elsewhere since `version`. */
  save(conversationId: string, text: string, version: bigint): Promise<Draft>;
  delete(conversationId: string, version: bigint): Promise<Draft | null>;
}

export interface DraftStorage {
  read(conversationId: string): string | null;
  /** Null forgets it. */
  write(conversationId: string, value: string | null): void;
  /** Another tab of this member wrote one. */
  listen(changed: (conversationId: string) => void): void;
}

interface Clock {
  wait(millis: number): Promise<void>;
}

interface Kept {
  readonly text: string;
  /** Of the draft it goes on from. */
  readonly version: bigint;
  /** The service has it. */
  readonly isSaved: boolean;
}

const NEVER_WRITTEN: Kept = { text: "", version: 0n, isSaved: true };

export class Drafts {
  readonly #kept = new Map<string, Kept>();
  /** Counts the changes of each, so that only the last one's rest saves. */
  readonly #changes = new Map<string, number>();
  readonly #saving = new Set<string>();
  readonly #listeners = new Set<() => void>();
  readonly #api: DraftApi;
  readonly #storage: DraftStorage;
  readonly #clock: Clock;

  constructor(api: DraftApi, storage: DraftStorage, clock: Clock) {
    this.#api = api;
    this.#storage = storage;
    this.#clock = clock;
    storage.listen((id) => this.#heard(id));
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  textOf(id: string): string {
    return this.#of(id).text;
  }

  /** The field says this now. */
  change(id: string, text: string): void {
    this.#keep(id, { ...this.#of(id), text, isSaved: false });
    void this.#saveAfter(id, SAVED_AFTER_MILLIS);
  }

  /** The conversation is opened: take over what was written elsewhere, or save what could not be saved yet. */
  async open(id: string): Promise<void> {
    const draft = await this.#api.get(id).catch(() => null);
    const kept = this.#of(id);
    if (draft !== null && draft.version > kept.version) {
      const text = kept.isSaved ? draft.text : kept.text;
      this.#keep(id, { text, version: draft.version, isSaved: kept.isSaved });
    }
    await this.#save(id);
  }

  /** Another tab has it now, and saves it; what this one was about to save stays. */
  #heard(id: string): void {
    const kept = this.#kept.get(id) ?? NEVER_WRITTEN;
    if (!kept.isSaved) return;
    const stored = this.#storage.read(id);
    const theirs = stored === null ? { ...kept, text: "" } : parse(stored);
    this.#kept.set(id, { ...theirs, isSaved: true });
    this.#tell();
  }

  async #saveAfter(id: string, millis: number): Promise<void> {
    const change = (this.#changes.get(id) ?? 0) + 1;
    this.#changes.set(id, change);
    await this.#clock.wait(millis);
    if (this.#changes.get(id) === change) await this.#save(id);
  }

  /** Until the service has what the field says; one call at a time. */
  async #save(id: string): Promise<void> {
    if (this.#saving.has(id)) return;
    this.#saving.add(id);
    try {
      while (!this.#of(id).isSaved) await this.#saveOnce(id);
    } catch (error) {
      if (refusalOf(error).isTransient) void this.#saveAfter(id, TRIED_AGAIN_AFTER_MILLIS);
    } finally {
      this.#saving.delete(id);
    }
  }

  async #saveOnce(id: string): Promise<void> {
    const { text, version } = this.#of(id);
    try {
      const draft = await this.#put(id, text, version);
      const isSaved = this.#of(id).text === text;
      this.#keep(id, { ...this.#of(id), version: draft?.version ?? version, isSaved });
    } catch (error) {
      if (refusalOf(error).reason !== Reason.VERSION_CONFLICT) throw error;
      const draft = await this.#api.get(id);
      const kept = this.#of(id);
      // What was sent from here is no reason to delete what is being written elsewhere.
      this.#keep(id, {
        ...kept,
        version: draft?.version ?? 0n,
        isSaved: kept.text.trim() === "",
      });
    }
  }

  #put(id: string, text: string, version: bigint): Promise<Draft | null> {
    if (text.trim() !== "") return this.#api.save(id, text, version);
    return version === 0n ? Promise.resolve(null) : this.#api.delete(id, version);
  }

  #of(id: string): Kept {
    const kept = this.#kept.get(id) ?? parse(this.#storage.read(id));
    this.#kept.set(id, kept);
    return kept;
  }

  #keep(id: string, kept: Kept): void {
    this.#kept.set(id, kept);
    const isForgotten = kept.text === "" && kept.isSaved;
    this.#storage.write(id, isForgotten ? null : format(kept));
    this.#tell();
  }

  #tell(): void {
    for (const listener of [...this.#listeners]) listener();
  }
}

function format({ text, version, isSaved }: Kept): string {
  return JSON.stringify({ text, version: String(version), isSaved });
}

/** Earlier versions of the client kept the text alone. */
function parse(stored: string | null): Kept {
  if (stored === null) return NEVER_WRITTEN;
  try {
    const { text, version, isSaved } = JSON.parse(stored) as Record<string, unknown>;
    if (typeof text === "string" && typeof version === "string") {
      return { text, version: BigInt(version), isSaved: isSaved === true };
    }
  } catch {
    // Not of this form.
  }
  return { text: stored, version: 0n, isSaved: false };
}
