import { RING } from '../one-way/load.mjs';

/** The size of a message, in bytes. */
export const SIZE = 100;

/** After so many messages, of all connections together, a receiver tells how many it has. */
const ACKNOWLEDGED = 16_384;

/** A sender is never so many messages ahead of its receiver at the beginning of a turn. */
export const WINDOW = 8 * ACKNOWLEDGED;

/**
 * Counts and sums up what comes on all connections, in whatever order.
 * @param acknowledge called with the number of messages so far, every now and then
 */
export class Sum {
  received = 0;
  sum = 0;
  #waiting;

  constructor(acknowledge) {
    this.acknowledge = acknowledge;
  }

  add(head, tail) {
    this.sum += head + tail;
    if (++this.received % ACKNOWLEDGED === 0) this.acknowledge(this.received);
    if (this.received === this.#waiting?.count) this.#waiting.resolve();
  }

  /** Resolves once so many messages have come. */
  reaches(count) {
    if (this.received >= count) return Promise.resolve();
    return new Promise((resolve) => {
      this.#waiting = { count, resolve };
    });
  }
}

/** What the sum of the first `count` messages must be. */
export function expectedSum(count) {
  const sumOf = (some) => {
    let sum = 0;
    for (let i = 0; i < some; i++) sum += i + (i & 0xff);
    return sum;
  };
  return Math.floor(count / RING) * sumOf(RING) + sumOf(count % RING);
}
