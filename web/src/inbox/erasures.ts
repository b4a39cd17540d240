/** The erasures that were asked for here, looked after until they are done. They go on by themselves: this only watches. */

import { refusalOf } from "../connection/refusal";
import { type Erasure, ErasureState } from "../gen/inbox/conversation/v1/privacy_service_pb";

export const LOOKED_AT_AFTER_MILLIS = 700;
const AWAY_LOOKED_AT_AFTER_MILLIS = 5_000;

export interface ErasureApi {
  erase(contactId: string, requestId: string): Promise<Erasure>;
  get(erasureId: string): Promise<Erasure>;
}

interface Clock {
  wait(millis: number): Promise<void>;
}

export class Erasures {
  #value: ReadonlyMap<string, Erasure> = new Map();
  readonly #listeners = new Set<() => void>();
  readonly #api: ErasureApi;
  readonly #clock: Clock;
  #isClosed = false;

  constructor(api: ErasureApi, clock: Clock) {
    this.#api = api;
    this.#clock = clock;
  }

  /** By the conversations that they take away. */
  get value(): ReadonlyMap<string, Erasure> {
    return this.#value;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Rejects when it was refused; what began is watched from then on. */
  async begin(contactId: string, requestId: string): Promise<void> {
    const erasure = await this.#api.erase(contactId, requestId);
    this.#learn(erasure);
    void this.#watch(erasure);
  }

  /** Nobody is there any more to watch for. */
  close(): void {
    this.#isClosed = true;
  }

  async #watch(begun: Erasure): Promise<void> {
    let erasure = begun;
    let after = LOOKED_AT_AFTER_MILLIS;
    while (erasure.state !== ErasureState.DONE) {
      await this.#clock.wait(after);
      if (this.#isClosed) return;
      try {
        erasure = await this.#api.get(erasure.id);
        this.#learn(erasure);
        after = LOOKED_AT_AFTER_MILLIS;
      } catch (error) {
        // Whoever may not ask any more is signed out, or no owner.
        if (!refusalOf(error).isTransient) return;
        after = AWAY_LOOKED_AT_AFTER_MILLIS;
      }
    }
  }

  #learn(erasure: Erasure): void {
    const next = new Map(this.#value);
    for (const id of erasure.conversationIds) next.set(id, erasure);
    this.#value = next;
    for (const listener of [...this.#listeners]) listener();
  }
}
