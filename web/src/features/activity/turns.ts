/** The turns of the AI that ended, newest first: loaded page by page, and told of as they end. */

import type { Turn } from "../../gen/inbox/assistant/v1/assistant_pb";
import type { ServerFrame } from "../../gen/inbox/realtime/v1/frame_pb";

export type AskForTurns = (
  pageToken: string,
) => Promise<{ turns: readonly Turn[]; nextPageToken: string }>;

export interface TurnsSnapshot {
  /** Null until the first page is in. */
  readonly turns: readonly Turn[] | null;
  /** Empty once all are loaded. */
  readonly nextPageToken: string;
}

export class Turns {
  #value: TurnsSnapshot = { turns: null, nextPageToken: "" };
  #loads = 0;
  /** Told of since the first page was asked for, which may not have them. */
  #told: Turn[] = [];
  readonly #conversationId: string;
  readonly #ask: AskForTurns;
  readonly #listeners = new Set<() => void>();

  /** Those of one conversation, or of all when it is empty. */
  constructor(conversationId: string, ask: AskForTurns) {
    this.#conversationId = conversationId;
    this.#ask = ask;
  }

  get value(): TurnsSnapshot {
    return this.#value;
  }

  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The newest again; further pages have to be asked for anew. Rejects when it could not be loaded. */
  async load(): Promise<void> {
    this.#loads += 1;
    const load = this.#loads;
    this.#told = [];
    const page = await this.#ask("");
    if (load !== this.#loads) return;
    this.#set(joined(this.#told, page.turns), page.nextPageToken);
  }

  /** The page after the oldest. Rejects when it could not be loaded. */
  async more(): Promise<void> {
    const { turns, nextPageToken } = this.#value;
    if (turns === null || nextPageToken === "") return;
    const load = this.#loads;
    const page = await this.#ask(nextPageToken);
    if (load !== this.#loads) return;
    this.#set(joined(this.#value.turns ?? [], page.turns), page.nextPageToken);
  }

  receive({ body }: ServerFrame): void {
    const turn = body.case === "turnEnded" ? body.value.turn : undefined;
    if (turn === undefined) return;
    if (this.#conversationId !== "" && turn.conversationId !== this.#conversationId) return;
    this.#told = joined([turn], this.#told);
    const { turns, nextPageToken } = this.#value;
    if (turns !== null) this.#set(joined([turn], turns), nextPageToken);
  }

  #set(turns: readonly Turn[], nextPageToken: string): void {
    this.#value = { turns, nextPageToken };
    for (const listener of [...this.#listeners]) listener();
  }
}

/** Each once, the first of it in its place. */
function joined(first: readonly Turn[], second: readonly Turn[]): Turn[] {
  return [...new Map([...second, ...first].map((turn) => [turn.id, turn])).values()].sort(
    (a, b) => endMillis(b) - endMillis(a) || (a.id < b.id ? 1 : -1),
  );
}

function endMillis({ endTime }: Turn): number {
  return endTime === undefined ? 0 : Number(endTime.seconds) * 1e3 + endTime.nanos / 1e6;
}
