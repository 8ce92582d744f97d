/**
 * What is known of the bytes of a chunk that the system accepted when the connection ended.
 *
 * - `exact`: that many bytes, no more and no less;
 * - `atLeast`: that many, possibly more: a write has failed, and what the system counted since the
 *   last clean one is not to be trusted.
 */
export type Accepted = { exact: number } | { atLeast: number };

/**
 * What became of the messages with bytes in a chunk, as so many of each, in this order: the oldest were
 * sent, others are uncertain, one may be incomplete, and of the rest no byte was accepted.
 */
export interface Division {
  readonly sent: number;
  readonly uncertain: number;
  readonly incomplete: 0 | 1;
}

/**
 * The one chunk that has been handed to the socket and is not confirmed yet: where in it messages
 * end. Pure bookkeeping.
 */
export class Flight {
  /** Where the messages that end in the chunk end, in order: the first {@link endedMessages}. */
  #ends: number[] = [];
  #ended = 0;
  /** Whether bytes of the first message were accepted with an earlier chunk. */
  #continued = false;
  #open = false;

  /** How many messages end in the chunk. */
  get endedMessages(): number {
    return this.#ended;
  }

  /** How many messages have bytes in the chunk. */
  get length(): number {
    return this.#open ? this.#ended + 1 : this.#ended;
  }

  /** Whether the end of the last message is in a later chunk. */
  get open(): boolean {
    return this.#open;
  }

  /** Starts over. @param continued whether bytes of the first message left with an earlier chunk */
  begin(continued: boolean): void {
    this.#ended = 0;
    this.#open = false;
    this.#continued = continued;
  }

  /** Starts over, some time later: takes no room until then. */
  rest(): void {
    this.begin(false);
    this.#ends = [];
  }

  /** Notes that the next message ends `end` bytes into the chunk. */
  ended(end: number): void {
    this.#ends[this.#ended++] = end;
  }

  /** Notes that the chunk holds the beginning, or a middle part, of the next message. */
  opened(): void {
    this.#open = true;
  }

  /** Divides the messages by what the system accepted. */
  divide(accepted: Accepted): Division {
    return 'exact' in accepted
      ? this.#divideExactly(accepted.exact)
      : this.#divideWithDoubt(accepted.atLeast);
  }

  #divideExactly(accepted: number): Division {
    const sent = this.#endedWithin(accepted);
    if (sent === this.length) return { sent, uncertain: 0, incomplete: 0 };
    const begun = accepted > this.#endOf(sent) || (sent === 0 && this.#continued);
    return { sent, uncertain: 0, incomplete: begun ? 1 : 0 };
  }

  #divideWithDoubt(floor: number): Division {
    const sent = this.#endedWithin(floor);
    const uncertain = this.#ended - sent;
    if (!this.#open) return { sent, uncertain, incomplete: 0 };
    // The open message cannot have been sent, for its end was never handed over. If some of it is
    // known to have left, nothing is in doubt about it.
    const isContinued = this.#continued && this.#ended === 0;
    const begun = isContinued || floor > this.#endOf(this.#ended);
    return begun
      ? { sent, uncertain, incomplete: 1 }
      : { sent, uncertain: uncertain + 1, incomplete: 0 };
  }

  /** Where the first `messages` messages end. */
  #endOf(messages: number): number {
    return messages === 0 ? 0 : (this.#ends[messages - 1] as number);
  }

  #endedWithin(accepted: number): number {
    let sent = 0;
    while (sent < this.#ended && (this.#ends[sent] as number) <= accepted) sent++;
    return sent;
  }
}
