/** Tells whether a peer has accepted nothing for too long of what was handed over for it. */
export class StallClock {
  readonly #timeout: number;
  #progress = -1;
  #since = 0;

  /** @param timeout in ms; 0: never */
  constructor(timeout: number) {
    this.#timeout = timeout;
  }

  /** @param progress a figure that grows with every byte accepted; `undefined` if nothing is under way */
  isStalled(now: number, progress: number | undefined): boolean {
    if (progress === undefined || progress !== this.#progress) {
      this.#progress = progress ?? -1;
      this.#since = now;
      return false;
    }
    return this.#timeout > 0 && now - this.#since >= this.#timeout;
  }
}
