/**
 * Holds the bytes that have arrived and are not consumed. Bytes handed out as views are never
 * written over. Growing is geometric, so that a large message that arrives in many pieces is copied
 * a bounded number of times, and so is one that arrives a byte at a time.
 */
export class Reassembly {
  #buffer: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  /** Whether the bytes behind `#end` are ours to write to. */
  #owned = false;
  readonly #mostBytes: number;

  /** @param mostBytes how large a message may be: up to there, no more room is taken than it can need */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The bytes at hand: a view. */
  get bytes(): Buffer {
    return this.#start === 0 && this.#end === this.#buffer.length
      ? this.#buffer
      : this.#buffer.subarray(this.#start, this.#end);
  }

  get length(): number {
    return this.#end - this.#start;
  }

  /** Adds what has arrived. */
  append(data: Buffer): void {
    const kept = this.length;
    if (kept === 0) {
      this.#buffer = data;
      this.#start = 0;
      this.#end = data.length;
      this.#owned = false;
      return;
    }
    if (!this.#owned || this.#end + data.length > this.#buffer.length) {
      const doubled = kept < this.#mostBytes ? Math.min(kept * 2, this.#mostBytes) : kept * 2;
      this.#moveTo(Math.max(kept + data.length, doubled));
    }
    data.copy(this.#buffer, this.#end);
    this.#end += data.length;
  }

  /** Forgets the first `bytes` bytes at hand. */
  drop(bytes: number): void {
    this.#start += bytes;
    if (this.#start === this.#end) {
      this.#buffer = EMPTY;
      this.#start = 0;
      this.#end = 0;
      this.#owned = false;
    }
  }

  #moveTo(capacity: number): void {
    const kept = this.length;
    const larger = Buffer.allocUnsafeSlow(capacity);
    this.#buffer.copy(larger, 0, this.#start, this.#end);
    this.#buffer = larger;
    this.#start = 0;
    this.#end = kept;
    this.#owned = true;
  }
}

const EMPTY = Buffer.alloc(0);
