/**
 * Exponential backoff with full jitter: how long to wait before the next attempt is random between
 * nothing and a ceiling that doubles each time. So clients that have lost the same server do not
 * all come back at once.
 */
export class Backoff {
  readonly #minDelay: number;
  readonly #maxDelay: number;
  readonly #random: () => number;
  #attempts = 0;

  /** @param random from 0 to 1, 1 excluded */
  constructor(
    { minDelay, maxDelay }: { minDelay: number; maxDelay: number },
    random: () => number = Math.random,
  ) {
    this.#minDelay = minDelay;
    this.#maxDelay = maxDelay;
    this.#random = random;
  }

  /** How long to wait before the next attempt, in ms. */
  next(): number {
    const ceiling = Math.min(this.#maxDelay, this.#minDelay * 2 ** this.#attempts);
    this.#attempts = Math.min(this.#attempts + 1, MOST_DOUBLINGS);
    return Math.floor(this.#random() * (ceiling + 1));
  }

  /** What was wrong is over: the next wait is a short one again. */
  reset(): void {
    this.#attempts = 0;
  }
}

/** The shortest delay that there is, of 1 ms, is then the longest that a timer can wait. */
const MOST_DOUBLINGS = 31;
