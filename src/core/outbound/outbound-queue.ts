import type { Leftovers } from '../events.js';
import { Fifo } from '../fifo.js';
import type { Accepted, Division } from './flight.js';
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
  /** All that are not settled, oldest first: those with bytes handed over, and then those that wait. */
  readonly #pending = new Fifo<T>();
  readonly #flight = new Flight();
  #flying = false;
  /** Whether bytes of the oldest message were accepted with earlier chunks, and no flight counts it. */
  #begun = false;
  /** Whether the converter is at work on the next message: whatever it calls, that one stays. */
  #inHand = false;

  /** How many messages wait: none of their bytes has been handed over. */
  get waiting(): number {
    return this.#pending.length - this.unconfirmed;
  }

  /** How many messages are not settled. */
  get pending(): number {
    return this.#pending.length;
  }

  /** How many messages have bytes handed over, or in the chunk being filled, and are not settled. */
  get unconfirmed(): number {
    return this.#begun ? this.#flight.length + 1 : this.#flight.length;
  }

  /** Whether a chunk has been handed over and is not confirmed. */
  get flying(): boolean {
    return this.#flying;
  }

  /** Whether bytes of a message have left and others have yet to be handed over. */
  get inMidMessage(): boolean {
    return this.#begun || (this.#flying && this.#flight.open);
  }

  push(message: T): void {
    this.account.given++;
    this.#pending.push(message);
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
    return this.#pending.at(this.#flight.length) as T;
  }

  /** Whether there is a message to write bytes of. */
  get hasNext(): boolean {
    return this.#pending.length > this.#flight.length;
  }

  /** Whether bytes of the next message have left with earlier chunks. */
  get nextIsBegun(): boolean {
    return this.#begun;
  }

  /**
   * Begins to fill a chunk. Then, for each message, call {@link takeInHand} and {@link nextEnds} or
   * {@link rejectNext}; at last {@link takeOff}.
   */
  board(): void {
    this.#flight.begin(this.#begun);
  }

  /** The next message ends `end` bytes into the chunk. */
  nextEnds(end: number): void {
    this.#flight.ended(end);
    this.#begun = false;
    this.#inHand = false;
  }

  /** The next message cannot be serialized; none of its bytes has left. */
  rejectNext(): T {
    const message = this.takeInHand();
    this.#pending.removeAt(this.#flight.length);
    this.account.rejected++;
    this.#inHand = false;
    return message;
  }

  /** The chunk is handed over. @param open whether it ends in the middle of the next message */
  takeOff(open: boolean): void {
    if (open) {
      this.#flight.opened();
      this.#begun = false;
    }
    this.#inHand = false;
    this.#flying = true;
  }

  /** The system has accepted the whole chunk. Returns how many messages were sent with it. */
  land(): number {
    const sent = this.#flight.endedMessages;
    this.account.sent += sent;
    this.#pending.drop(sent);
    // A begun message whose serializer had no bytes for the chunk was not on the flight.
    this.#begun ||= this.#flight.open;
    this.#flying = false;
    this.#flight.begin(false);
    if (!this.hasNext) this.#flight.rest();
    return sent;
  }

  /** Takes back a waiting message that is not in hand. Returns its place among the pending ones, or -1. */
  withdraw(message: T): number {
    const index = this.#pending.remove(message, this.#firstFree);
    if (index !== -1) this.account.withdrawn++;
    return index;
  }

  /**
   * Takes back all waiting messages but the one in hand, for a connection that finishes only what
   * it has begun.
   */
  takeWaiting(): T[] {
    const taken = this.#pending.takeAll(this.#firstFree);
    this.account.queued += taken.length;
    return taken;
  }

  /** Ends the account. @param accepted how much of the chunk in flight the system accepted */
  close(accepted: Accepted): { sent: number; leftovers: Leftovers<T> } {
    const { sent, uncertain, incomplete } = this.#divide(accepted);
    this.#pending.drop(sent);
    const rest = this.#pending.takeAll();
    const { account } = this;
    account.sent += sent;
    account.uncertain += uncertain;
    account.incomplete += incomplete;
    account.queued += rest.length - uncertain - incomplete;
    this.#flying = false;
    this.#flight.rest();
    this.#begun = false;
    this.#inHand = false;
    const leftovers = {
      queued: rest.slice(uncertain + incomplete),
      uncertain: rest.slice(0, uncertain),
    };
    return {
      sent,
      leftovers: incomplete === 0 ? leftovers : { ...leftovers, incomplete: rest[uncertain] },
    };
  }

  #divide(accepted: Accepted): Division {
    if (this.#begun) return { sent: 0, uncertain: 0, incomplete: 1 };
    // Of a chunk that is still being filled (a converter may disconnect) no byte has left.
    return this.#flight.divide(this.#flying ? accepted : { exact: 0 });
  }

  /** The place of the first waiting message that can be taken back. */
  get #firstFree(): number {
    return this.#inHand && !this.#begun ? this.unconfirmed + 1 : this.unconfirmed;
  }
}
