/** How often somebody may do something: so many times at once, and then so many per second. */
export class Allowance {
  readonly #atOnce: number;
  readonly #perSecond: number;
  #left: number;
  #at = Number.NEGATIVE_INFINITY;

  constructor(atOnce: number, perSecond: number) {
    this.#atOnce = atOnce;
    this.#perSecond = perSecond;
    this.#left = atOnce;
  }

  /**
   * Uses it once.
   * @param now in ms, of a clock that never goes back
   * @returns whether that is allowed
   */
  take(now: number): boolean {
    const regained = ((now - this.#at) / 1_000) * this.#perSecond;
    this.#left = Math.min(this.#atOnce, this.#left + regained);
    this.#at = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
