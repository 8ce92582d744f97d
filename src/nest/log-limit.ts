/**
 * Keeps what peers cause from filling the log: lets so many entries pass in each period, and counts
 * the rest.
 */
export class LogLimit {
  readonly #most: number;
  #periodEnds = 0;
  #passed = 0;
  #leftOut = 0;

  /** @param most how many entries may pass in a minute */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Asks whether an entry may pass.
   * @returns what to add to it: that others were left out before, or nothing; `undefined` if it may not
   */
  pass(now = performance.now()): string | undefined {
    if (now >= this.#periodEnds) {
      this.#periodEnds = now + PERIOD_MS;
      this.#passed = 0;
    }
    if (this.#passed >= this.#most) {
      this.#leftOut++;
      return undefined;
    }
    this.#passed++;
    const leftOut = this.#leftOut;
    this.#leftOut = 0;
    return leftOut === 0 ? '' : ` (${leftOut} such entries were left out before.)`;
  }
}

const PERIOD_MS = 60_000;
