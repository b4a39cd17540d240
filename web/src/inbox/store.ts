/**
 * Holds the state and tells who listens. While a snapshot is being loaded there are two states: the one on screen
 * and the one that is growing from the snapshot; frames go into both, so the swap loses nothing and does not flicker.
 */

import type { ServerFrame } from "../gen/inbox/realtime/v1/frame_pb";
import { applyFrame } from "./apply";
import { EMPTY_STATE, type InboxState } from "./state";
import { NOTHING_PENDING, type Pending } from "./views";

export interface InboxSnapshot {
  readonly state: InboxState;
  readonly pending: Pending;
  /** False until the first snapshot is in: show skeletons. */
  readonly isLoaded: boolean;
  /** What is shown may be old: a snapshot is being loaded, or its list was behind. */
  readonly isCatchingUp: boolean;
}

const BETWEEN_TELLING_MILLIS = 16;

export type Change = (state: InboxState) => InboxState;

export class InboxStore {
  #snapshot: InboxSnapshot = {
    state: EMPTY_STATE,
    pending: NOTHING_PENDING,
    isLoaded: false,
    isCatchingUp: true,
  };
  #toldAt = Number.NEGATIVE_INFINITY;
  #isTellingSoon = false;
  #growing: InboxState | null = null;
  readonly #listeners = new Set<() => void>();

  get snapshot(): InboxSnapshot {
    return this.#snapshot;
  }

  /** The state that loads should look at: the growing one if there is one. */
  get latest(): InboxState {
    return this.#growing ?? this.#snapshot.state;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  apply(frame: ServerFrame, nowMillis: number): void {
    this.change((state) => applyFrame(state, frame, nowMillis));
  }

  /** News that belongs into whatever state there is. */
  change(change: Change): void {
    if (this.#growing !== null) this.#growing = change(this.#growing);
    this.#set({ state: change(this.#snapshot.state) });
  }

  /** For the screen alone, until what grows behind it is complete: that knows better. */
  changeMeanwhile(change: Change): void {
    if (this.#growing !== null) this.#set({ state: change(this.#snapshot.state) });
  }

  setPending(change: (pending: Pending) => Pending): void {
    this.#set({ pending: change(this.#snapshot.pending) });
  }

  /** Start over from nothing, behind the screen; threads and folders in `wanted` collect frames from now on. */
  startOver(wanted: InboxState): void {
    this.#growing = wanted;
    this.#set({ isCatchingUp: true });
  }

  /** A part of the snapshot has arrived. */
  grow(change: Change): void {
    if (this.#growing === null) this.change(change);
    else this.#growing = change(this.#growing);
  }

  /** The snapshot is complete: show it. */
  finish(isCaughtUp: boolean): void {
    if (this.#growing === null) return;
    const state = this.#growing;
    this.#growing = null;
    this.#set({ state, isLoaded: true, isCatchingUp: !isCaughtUp });
  }

  #set(part: Partial<InboxSnapshot>): void {
    const next = { ...this.#snapshot, ...part };
    const isSame = (Object.keys(part) as (keyof InboxSnapshot)[]).every(
      (key) => next[key] === this.#snapshot[key],
    );
    if (isSame) return;
    this.#snapshot = next;
    this.#tell();
  }

  /** At once when it was quiet; in a storm of frames once per painted frame, so that painting keeps up. */
  #tell(): void {
    if (this.#isTellingSoon) return;
    const quietFor = performance.now() - this.#toldAt;
    if (quietFor >= BETWEEN_TELLING_MILLIS) {
      this.#tellNow();
      return;
    }
    this.#isTellingSoon = true;
    setTimeout(() => {
      this.#isTellingSoon = false;
      this.#tellNow();
    }, BETWEEN_TELLING_MILLIS - quietFor);
  }

  #tellNow(): void {
    this.#toldAt = performance.now();
    for (const listener of [...this.#listeners]) listener();
  }
}
