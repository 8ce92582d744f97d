import type { PikeError } from '../errors.js';
import { Fifo } from '../fifo.js';

interface Waiter {
  /** The waiter is done when that many messages are settled. */
  target: number;
  resolve: () => void;
  reject: (error: PikeError) => void;
}

/**
 * Those who wait until everything given so far was sent. Messages are settled in order, so each
 * waiter is one number, however many messages it waits for.
 */
export class FlushWaiters {
  #settled = 0;
  readonly #waiters = new Fifo<Waiter>();

  /** Waits for the `pending` messages that are not settled yet. */
  wait(pending: number): Promise<void> {
    if (pending === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ target: this.#settled + pending, resolve, reject });
    });
  }

  /** The `count` oldest messages were sent. */
  sent(count: number): void {
    this.#settled += count;
    this.#resolveReached();
  }

  /** The pending message at `index` was withdrawn: who waited for it waits for one less. */
  withdrawn(index: number): void {
    for (let i = 0; i < this.#waiters.length; i++) {
      const waiter = this.#waiters.at(i) as Waiter;
      if (waiter.target > this.#settled + index) waiter.target--;
    }
    this.#resolveReached();
  }

  /** A pending message came back, or several, of which the oldest has `kept` older ones before it. */
  returned(kept: number, error: PikeError): void {
    const reached = this.#settled + kept;
    for (const waiter of this.#waiters.takeAll()) {
      if (waiter.target > reached) waiter.reject(error);
      else this.#waiters.push(waiter);
    }
  }

  #resolveReached(): void {
    for (;;) {
      const waiter = this.#waiters.at(0);
      if (waiter === undefined || waiter.target > this.#settled) return;
      this.#waiters.shift();
      waiter.resolve();
    }
  }
}
