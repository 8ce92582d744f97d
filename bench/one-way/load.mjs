// What is sent, and how a receiver checks it: the same for every peer, so that each does the same work.
// A message is `size` bytes: its number modulo RING, 4 bytes, little-endian; zeros; and that number again
// in its last byte. Receivers fold the first 4 bytes and the last of each message into a checksum.

import { tell } from '../harness/questions.mjs';

/** How many different messages there are. */
export const RING = 1024;

/** The messages that are sent, over and over. */
export function createMessages(size) {
  return Array.from({ length: RING }, (_, number) => {
    const message = Buffer.alloc(size);
    message.writeUInt32LE(number);
    message[size - 1] = number;
    return message;
  });
}

/** The checksum after one more message. */
export function fold(checksum, head, tail) {
  return (Math.imul(checksum, 31) + head + tail) | 0;
}

/** What the checksum of `count` messages must be. */
export function expectedChecksum(count) {
  let checksum = 0;
  for (let i = 0; i < count; i++) checksum = fold(checksum, i % RING, (i % RING) & 0xff);
  return checksum;
}

/** Counts and checks what a receiver of JavaScript gets, and tells the result when all is there. */
export class Tally {
  #received = 0;
  #checksum = 0;
  #began = 0;

  /** @param warmUp messages that come before the clock starts */
  constructor(warmUp, count) {
    this.warmUp = warmUp;
    this.total = warmUp + count;
    this.count = count;
  }

  add(head, tail) {
    this.#checksum = fold(this.#checksum, head, tail);
    this.#received++;
    if (this.#received === this.warmUp) this.#began = performance.now();
    else if (this.#received === this.total) this.#finish();
  }

  #finish() {
    tell({ ms: performance.now() - this.#began, checksum: this.#checksum });
  }
}

/** What every program is told: `<role> <port> <size> <warmUp> <count>`. */
export function readArguments() {
  const [role, port, size, warmUp, count] = process.argv.slice(2);
  return {
    role,
    port: Number(port),
    size: Number(size),
    warmUp: Number(warmUp),
    count: Number(count),
  };
}
