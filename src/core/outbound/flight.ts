import type { Leftovers } from '../events.js';

/**
 * What is known of the bytes of a chunk that the system accepted when the connection ended.
 *
 * - `exact`: that many bytes, no more and no less;
 * - `atLeast`: that many, possibly more: a write has failed, and what the system counted since the
 *   last clean one is not to be trusted.
 */
export type Accepted = { exact: number } | { atLeast: number };

/**
 * The messages in the one chunk that has been handed to the socket and is not confirmed yet:
 * which message ends where in it. Pure bookkeeping.
 */
export class Flight<T> {
  /** The messages that end in the chunk, in order, and where they end. */
  readonly #messages: T[] = [];
  readonly #ends: number[] = [];
  /** Whether bytes of the first message were accepted with an earlier chunk. */
  #continued = false;
  /** The message whose end is in a later chunk, if there is one; always the last. */
  #open: { message: T } | undefined;

  /** How many messages end in the chunk. */
  get endedMessages(): number {
    return this.#messages.length;
  }

  /** How many messages have bytes in the chunk. */
  get length(): number {
    return this.#messages.length + (this.#open === undefined ? 0 : 1);
  }

  /** The message whose end is in a later chunk. */
  get open(): { message: T } | undefined {
    return this.#open;
  }

  /** Whether the open message has had bytes accepted before this chunk. */
  get openIsContinued(): boolean {
    return this.#continued && this.#messages.length === 0;
  }

  /** Starts over. @param continued whether bytes of the first message left with an earlier chunk */
  begin(continued: boolean): void {
    this.#messages.length = 0;
    this.#ends.length = 0;
    this.#open = undefined;
    this.#continued = continued;
  }

  /** Notes that a message ends `end` bytes into the chunk. */
  ended(message: T, end: number): void {
    this.#messages.push(message);
    this.#ends.push(end);
  }

  /** Notes that the chunk holds the beginning, or a middle part, of a message. */
  opened(message: T): void {
    this.#open = { message };
  }

  /**
   * Divides the messages by what the system accepted.
   * @returns how many were sent, and what was not, `queued` oldest first
   */
  divide(accepted: Accepted): { sent: number; leftovers: Leftovers<T> } {
    return 'exact' in accepted
      ? this.#divideExactly(accepted.exact)
      : this.#divideWithDoubt(accepted.atLeast);
  }

  #divideExactly(accepted: number): { sent: number; leftovers: Leftovers<T> } {
    const sent = this.#endedWithin(accepted);
    const rest = this.#messages.slice(sent);
    if (this.#open !== undefined) rest.push(this.#open.message);
    if (rest.length === 0) return { sent, leftovers: { queued: [], uncertain: [] } };
    const startsAt = sent === 0 ? 0 : (this.#ends[sent - 1] as number);
    const begun = accepted > startsAt || (sent === 0 && this.#continued);
    if (!begun) return { sent, leftovers: { queued: rest, uncertain: [] } };
    const [incomplete, ...queued] = rest;
    return { sent, leftovers: { incomplete, queued, uncertain: [] } };
  }

  #divideWithDoubt(floor: number): { sent: number; leftovers: Leftovers<T> } {
    const sent = this.#endedWithin(floor);
    const uncertain = this.#messages.slice(sent);
    if (this.#open === undefined) return { sent, leftovers: { queued: [], uncertain } };
    // The open message cannot have been sent, for its end was never handed over. If some of it is
    // known to have left, nothing is in doubt about it.
    const startsAt = this.#ends.at(-1) ?? 0;
    const begun = floor > startsAt || this.openIsContinued;
    if (begun) {
      return { sent, leftovers: { incomplete: this.#open.message, queued: [], uncertain } };
    }
    return { sent, leftovers: { queued: [], uncertain: [...uncertain, this.#open.message] } };
  }

  #endedWithin(accepted: number): number {
    let sent = 0;
    while (sent < this.#ends.length && (this.#ends[sent] as number) <= accepted) sent++;
    return sent;
  }
}
