/** How long to wait before the next try: full jitter, so a thousand browsers do not come back at once. */

const FIRST_CEILING_MILLIS = 250;
const LAST_CEILING_MILLIS = 30_000;
const STABLE_AFTER_MILLIS = 60_000;

export class Backoff {
  #attempt = 0;
  readonly #random: () => number;

  constructor(random: () => number = Math.random) {
    this.#random = random;
  }

  /** The wait before the next try; each one doubles the ceiling it is drawn below. */
  next(): number {
    const ceiling = Math.min(LAST_CEILING_MILLIS, FIRST_CEILING_MILLIS * 2 ** this.#attempt);
    this.#attempt += 1;
    return this.#random() * ceiling;
  }

  /** A connection that lived this long ended. A short life does not count as success. */
  wasConnectedFor(millis: number): void {
    if (millis >= STABLE_AFTER_MILLIS) this.#attempt = 0;
  }

  reset(): void {
    this.#attempt = 0;
  }
}
