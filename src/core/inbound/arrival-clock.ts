/**
 * Tells whether the message that is arriving takes too long: longer than it may, and slower than a
 * peer that means well.
 */
export class ArrivalClock {
  readonly #timeout: number;
  readonly #minBytesPerSecond: number;
  /** When the first byte of the present message arrived; `undefined` between two messages. */
  #since: number | undefined;
  #bytes = 0;

  /** @param timeout in ms; 0: never */
  constructor(timeout: number, minBytesPerSecond: number) {
    this.#timeout = timeout;
    this.#minBytesPerSecond = minBytesPerSecond;
  }

  /** A message has begun with so many bytes. */
  begin(now: number, bytes: number): void {
    this.#since = now;
    this.#bytes = bytes;
  }

  /** More of the present message has arrived. */
  arrived(now: number, bytes: number): void {
    if (this.#since === undefined) this.begin(now, bytes);
    else this.#bytes += bytes;
  }

  /** The message is whole. */
  end(): void {
    this.#since = undefined;
  }

  /** We have not been reading: that the peer was slow is not its fault. */
  forgive(now: number): void {
    if (this.#since !== undefined) this.begin(now, 0);
  }

  isOverdue(now: number): boolean {
    if (this.#since === undefined || this.#timeout === 0) return false;
    const elapsed = now - this.#since;
    return elapsed >= this.#timeout && this.#bytes * 1000 < this.#minBytesPerSecond * elapsed;
  }
}
