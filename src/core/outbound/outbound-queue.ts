import type { Leftovers } from '../events.js';
import { Fifo } from '../fifo.js';
import type { Accepted } from './flight.js';
import { Flight } from './flight.js';

/** How many messages of a connection met which fate, and how many still wait. */
export interface Account {
  given: number;
  sent: number;
  incomplete: number;
  queued: number;
  uncertain: number;
  rejected: number;
  withdrawn: number;
}

/**
 * The exact accounting of one connection's messages (docs: the fate of a message). A message
 * waits, then its bytes fly in one or more chunks, then it is settled, in order. No sockets, no
 * bytes: only which message is where.
 *
 * Invariant: `given` = `pending` + every other figure of the account.
 */
export class OutboundQueue<T> {
  readonly account: Account = {
    given: 0,
    sent: 0,
    incomplete: 0,
    queued: 0,
    uncertain: 0,
    rejected: 0,
    withdrawn: 0,
  };
  readonly #waiting = new Fifo<T>();
  readonly #flight = new Flight<T>();
  #flying = false;
  /** A message of which bytes were accepted with earlier chunks and which no flight holds. */
  #begun: { message: T } | undefined;
  /** Whether the converter is at work on the next message: whatever it calls, that one stays. */
  #inHand = false;

  /** How many messages wait: none of their bytes has been handed over. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many messages are not settled. */
  get pending(): number {
    return this.#waiting.length + this.unconfirmed;
  }

  /** How many messages have bytes handed over, or in the chunk being filled, and are not settled. */
  get unconfirmed(): number {
    return this.#flight.length + (this.#begun === undefined ? 0 : 1);
  }

  /** Whether a chunk has been handed over and is not confirmed. */
  get flying(): boolean {
    return this.#flying;
  }

  /** Whether bytes of a message have left and others have yet to be handed over. */
  get inMidMessage(): boolean {
    return this.#begun !== undefined || (this.#flying && this.#flight.open !== undefined);
  }

  push(message: T): void {
    this.account.given++;
    this.#waiting.push(message);
  }

  /** Counts a message that is given and refused in one. */
  refuse(): void {
    this.account.given++;
    this.account.rejected++;
  }

  /**
   * The message whose bytes come next, to be written now. Call only if {@link hasNext}. Until
   * {@link nextEnds}, {@link rejectNext} or {@link takeOff} it cannot be taken back.
   */
  takeInHand(): T {
    this.#inHand = true;
    return this.#begun === undefined ? (this.#waiting.at(0) as T) : this.#begun.message;
  }

  /** Whether there is a message to write bytes of. */
  get hasNext(): boolean {
    return this.#begun !== undefined || this.#waiting.length > 0;
  }

  /** Whether bytes of the next message have left with earlier chunks. */
  get nextIsBegun(): boolean {
    return this.#begun !== undefined;
  }

  /**
   * Begins to fill a chunk. Then, for each message, call {@link takeInHand} and {@link nextEnds} or
   * {@link rejectNext}; at last {@link takeOff}.
   */
  board(): void {
    this.#flight.begin(this.#begun !== undefined);
  }

  /** The next message ends `end` bytes into the chunk. */
  nextEnds(end: number): void {
    this.#flight.ended(this.#takeNext(), end);
  }

  /** The next message cannot be serialized; none of its bytes has left. */
  rejectNext(): T {
    this.account.rejected++;
    return this.#takeNext();
  }

  /** The chunk is handed over. @param open whether it ends in the middle of the next message */
  takeOff(open: boolean): void {
    if (open) this.#flight.opened(this.#takeNext());
    this.#inHand = false;
    this.#flying = true;
  }

  /** The system has accepted the whole chunk. Returns how many messages were sent with it. */
  land(): number {
    const sent = this.#flight.endedMessages;
    this.account.sent += sent;
    // A begun message whose serializer had no bytes for the chunk was not on the flight.
    this.#begun = this.#flight.open ?? this.#begun;
    this.#flying = false;
    this.#flight.begin(false);
    return sent;
  }

  /** Takes back a waiting message that is not in hand. Returns its place among the pending ones, or -1. */
  withdraw(message: T): number {
    const index = this.#waiting.remove(message, this.#firstFree);
    if (index === -1) return -1;
    this.account.withdrawn++;
    return index + this.unconfirmed;
  }

  /**
   * Takes back all waiting messages but the one in hand, for a connection that finishes only what
   * it has begun.
   */
  takeWaiting(): T[] {
    const taken = this.#waiting.takeAll(this.#firstFree);
    this.account.queued += taken.length;
    return taken;
  }

  /** Ends the account. @param accepted how much of the chunk in flight the system accepted */
  close(accepted: Accepted): { sent: number; leftovers: Leftovers<T> } {
    // Of a chunk that is still being filled (a converter may disconnect) no byte has left.
    const { sent, leftovers } =
      this.#begun === undefined
        ? this.#flight.divide(this.#flying ? accepted : { exact: 0 })
        : { sent: 0, leftovers: { incomplete: this.#begun.message, queued: [], uncertain: [] } };
    const { account } = this;
    account.sent += sent;
    account.incomplete += 'incomplete' in leftovers ? 1 : 0;
    account.uncertain += leftovers.uncertain.length;
    account.queued += leftovers.queued.length;
    this.#flying = false;
    this.#flight.begin(false);
    this.#begun = undefined;
    this.#inHand = false;
    return {
      sent,
      leftovers: { ...leftovers, queued: [...leftovers.queued, ...this.takeWaiting()] },
    };
  }

  /** The place of the first waiting message that can be taken back. */
  get #firstFree(): 0 | 1 {
    return this.#inHand && this.#begun === undefined ? 1 : 0;
  }

  #takeNext(): T {
    this.#inHand = false;
    if (this.#begun === undefined) return this.#waiting.shift() as T;
    const { message } = this.#begun;
    this.#begun = undefined;
    return message;
  }
}
