/**
 * Holds the bytes that have arrived and are not consumed. Bytes handed out as views are never
 * written over.
 *
 * A message that began with the last arrival is joined with the first bytes of the next one, and as
 * soon as it is whole the rest is read where it lies: of many small messages little is copied. Growing
 * is geometric, so that a large message that arrives in many pieces is copied a bounded number of
 * times, and so is one that arrives a byte at a time.
 */
export class Reassembly {
  #buffer: Buffer = EMPTY;
  #start = 0;
  #end = 0;
  /** Whether the bytes behind `#end` are ours to write to. */
  #owned = false;
  /** The last arrival, while only a part of it is shown. */
  #arrival: Buffer | undefined;
  /** How many of its bytes are shown, as copies: the last ones of {@link bytes}. */
  #joined = 0;
  readonly #mostBytes: number;

  /** @param mostBytes how large a message may be: up to there, no more room is taken than it can need */
  constructor(mostBytes: number) {
    this.#mostBytes = mostBytes;
  }

  /** The bytes at hand: a view. There may be {@link showMore more} of them. */
  get bytes(): Buffer {
    return this.#start === 0 && this.#end === this.#buffer.length
      ? this.#buffer
      : this.#buffer.subarray(this.#start, this.#end);
  }

  /** How many bytes are at hand. */
  get shown(): number {
    return this.#end - this.#start;
  }

  /** How many bytes are held, shown or not. */
  get length(): number {
    const hidden = this.#arrival === undefined ? 0 : this.#arrival.length - this.#joined;
    return this.shown + hidden;
  }

  /** Adds what has arrived. */
  append(data: Buffer): void {
    while (this.showMore());
    if (this.shown === 0) {
      this.#readIn(data);
      return;
    }
    this.#arrival = data;
    this.#joined = 0;
    this.showMore();
  }

  /** Forgets the first `bytes` of the {@link bytes}. */
  drop(bytes: number): void {
    this.#start += bytes;
    const { shown } = this;
    if (this.#arrival !== undefined && shown <= this.#joined) {
      this.#readIn(this.#arrival.subarray(this.#joined - shown));
    } else if (shown === 0) {
      this.clear();
    }
  }

  /** Shows more bytes behind those at hand, which are not enough. @returns whether there are more */
  showMore(): boolean {
    if (this.#arrival === undefined) return false;
    const more = Math.max(this.shown, LEAST_JOINED_BYTES);
    const piece = this.#arrival.subarray(this.#joined, this.#joined + more);
    this.#add(piece);
    this.#joined += piece.length;
    if (this.#joined === this.#arrival.length) this.#arrival = undefined;
    return true;
  }

  /** Forgets everything. */
  clear(): void {
    this.#readIn(EMPTY);
  }

  /** Goes on in these bytes, which are somebody else's. */
  #readIn(bytes: Buffer): void {
    this.#buffer = bytes;
    this.#start = 0;
    this.#end = bytes.length;
    this.#owned = false;
    this.#arrival = undefined;
  }

  /** Copies bytes behind those at hand. */
  #add(bytes: Buffer): void {
    if (!this.#owned || this.#end + bytes.length > this.#buffer.length) this.#moveTo(bytes.length);
    bytes.copy(this.#buffer, this.#end);
    this.#end += bytes.length;
  }

  /** Makes a buffer with room for `more` bytes behind those at hand. */
  #moveTo(more: number): void {
    const kept = this.shown;
    const doubled = kept < this.#mostBytes ? Math.min(kept * 2, this.#mostBytes) : kept * 2;
    const larger = Buffer.allocUnsafeSlow(Math.max(kept + more, doubled));
    this.#buffer.copy(larger, 0, this.#start, this.#end);
    this.#buffer = larger;
    this.#start = 0;
    this.#end = kept;
    this.#owned = true;
  }
}

const EMPTY = Buffer.alloc(0);

/** How much of an arrival is copied, at first, behind a message that is not whole. */
const LEAST_JOINED_BYTES = 1024;
