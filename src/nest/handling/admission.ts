import { Fifo } from '../../core/fifo.js';

/**
 * So many requests of one peer are begun in a turn: what they are answered with is seen before
 * others are. (Were they begun all at once, a thousand replies of a megabyte would exist before
 * anybody knew that there is no room for two.)
 */
const MOST_IN_TURN = 128;
/** So many bytes of a peer may wait for a handler. */
const MOST_WAITING_BYTES = 4 * 1_048_576;

/** A request or an event that waits until its handler may begin. */
export interface Applicant {
  /** Roughly how much it holds on to meanwhile. */
  readonly bytes: number;
  /** Whether it is to be answered, so that it waits for room for the answer too. */
  readonly answered: boolean;
  /** It is in flight now: begins. */
  admitted(): void;
}

/** What admission needs to know of its connection. */
export interface AdmissionHost {
  /** How many more replies of the usual size there is room for, see `SendBuffer.allowance`. */
  readonly allowance: number;
  /** Resolves when there is room for a reply. */
  room(): Promise<void>;
  /** More waits than may: the peer is to be held back, by not reading what else it sends. */
  holdBack(): void;
  /** What waited too long has begun: reads again. */
  goOn(): void;
}

/**
 * Decides when the handlers of one peer's requests and events begin: in the order of arrival, as long
 * as fewer than `maxInFlight` are in flight and the peer takes the replies.
 */
export class Admission {
  readonly #most: number;
  readonly #host: AdmissionHost;
  readonly #waiting = new Fifo<Applicant>();
  #waitingBytes = 0;
  #inFlight = 0;
  /** How many more requests may begin before it is renewed, in a later turn. */
  #allowance = 0;
  /** At so many left it is renewed: not in each turn, for in most a few requests come, if any. */
  #low = 0;
  #renewing = false;
  #admitting = false;
  #holdsBack = false;

  /** @param most how many may be in flight */
  constructor(most: number, host: AdmissionHost) {
    this.#most = most;
    this.#host = host;
    this.#renew();
  }

  /** Whether a further request is to be refused. Where the peer is held back already, little more comes. */
  get refuses(): boolean {
    return this.#isFull && !this.#holdsBack;
  }

  /** Whether as much waits as may. */
  get #isFull(): boolean {
    return (
      this.#inFlight + this.#waiting.length >= 2 * this.#most ||
      this.#waitingBytes >= MOST_WAITING_BYTES
    );
  }

  /** Admits a request or an event at once, if that may begin now; otherwise it is to be {@link hold held}. */
  tryBegin(answered: boolean): boolean {
    if (this.#waiting.length > 0 || !this.#hasPlace(answered)) return false;
    this.#inFlight++;
    return true;
  }

  /** Lets a request or an event wait; holds the peer back if it is one too many. */
  hold(applicant: Applicant): void {
    if (this.refuses) {
      this.#holdsBack = true;
      this.#host.holdBack();
    }
    this.#waiting.push(applicant);
    this.#waitingBytes += applicant.bytes;
    this.#admit();
  }

  /** One that waits does so no longer. */
  withdraw(applicant: Applicant): void {
    if (this.#waiting.remove(applicant) === -1) return;
    this.#waitingBytes -= applicant.bytes;
    // An event behind it does not wait for the room that it has waited for.
    this.#admit();
  }

  /** One that was in flight is over. */
  ended(): void {
    this.#inFlight--;
    if (this.#waiting.length > 0) this.#admit();
  }

  #admit(): void {
    // What begins may be over at once.
    if (this.#admitting) return;
    this.#admitting = true;
    for (;;) {
      const next = this.#waiting.at(0);
      if (next === undefined || this.#inFlight >= this.#most) break;
      if (!this.#hasPlace(next.answered)) {
        this.#renewLater();
        break;
      }
      this.#waiting.shift();
      this.#waitingBytes -= next.bytes;
      this.#inFlight++;
      next.admitted();
    }
    this.#admitting = false;
    this.#relieve();
  }

  /** Whether one more may be in flight. */
  #hasPlace(answered: boolean): boolean {
    if (this.#inFlight >= this.#most) return false;
    return !answered || this.#takeAllowance();
  }

  #takeAllowance(): boolean {
    if (this.#allowance === 0 || this.#host.allowance === 0) return false;
    this.#allowance--;
    if (this.#allowance <= this.#low) this.#renewLater();
    return true;
  }

  #renew(): void {
    this.#allowance = Math.min(MOST_IN_TURN, this.#host.allowance);
    this.#low = this.#allowance >> 1;
  }

  /** In the next turn, or when there is room. */
  #renewLater(): void {
    if (this.#renewing) return;
    this.#renewing = true;
    const renew = (): void => {
      this.#renewing = false;
      this.#renew();
      if (this.#waiting.length > 0) this.#admit();
    };
    if (this.#host.allowance > 0) setImmediate(renew);
    else void this.#host.room().then(renew);
  }

  #relieve(): void {
    if (!this.#holdsBack || this.#waiting.length > this.#most / 2) return;
    if (this.#waitingBytes > MOST_WAITING_BYTES / 2) return;
    this.#holdsBack = false;
    this.#host.goOn();
  }
}
