import type { Accepted } from './flight.js';

/**
 * How many bytes of those written to a socket the system has accepted, exactly; `undefined` while
 * that cannot be known: with TLS, where the system counts ciphertext, and after a write has failed.
 */
export type AcceptedBytes = () => number | undefined;

/** How far the system has accepted what is written to a socket, a chunk at a time. Pure bookkeeping. */
export class WriteProgress {
  readonly #acceptedBytes: AcceptedBytes;
  /** Bytes of the chunks that were accepted whole. */
  #confirmed = 0;
  /** What `acceptedBytes` last knew. */
  #floor = 0;
  #known = false;
  /** Whether the chunk in flight was refused at once: then no byte of it was accepted. */
  #refused = false;

  constructor(acceptedBytes: AcceptedBytes) {
    this.#acceptedBytes = acceptedBytes;
  }

  /** A chunk is about to be written. */
  begin(): void {
    this.#known = this.#acceptedBytes() !== undefined;
  }

  /**
   * It has been given to the socket.
   * @returns whether the system is known to have copied all of it already, so that nobody reads it any more
   */
  written(bytes: number): boolean {
    const accepted = this.#acceptedBytes();
    if (accepted === undefined) {
      if (this.#known) this.#refused = true;
      return false;
    }
    this.#floor = accepted;
    return accepted - this.#confirmed >= bytes;
  }

  /** It was accepted whole. */
  confirm(bytes: number): void {
    this.#confirmed += bytes;
  }

  /** How much of the chunk in flight has been accepted. */
  get accepted(): Accepted {
    if (this.#refused) return { exact: 0 };
    const accepted = this.#acceptedBytes();
    return accepted === undefined
      ? { atLeast: Math.max(0, this.#floor - this.#confirmed) }
      : { exact: accepted - this.#confirmed };
  }

  /** Grows with every byte that is accepted, as far as can be known. */
  get total(): number {
    return this.#acceptedBytes() ?? this.#confirmed;
  }
}
