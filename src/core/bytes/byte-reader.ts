import { PikeError } from '../errors.js';
import { uint16BE, uint16LE, uint32BE, uint32LE } from './unsigned.js';
import { View } from './view.js';

/**
 * Reads a message from the bytes that have arrived. The methods are named after `Buffer`'s and move
 * the reader on, except `peek…` and `indexOf`. Reading past what has arrived throws
 * `PIKE_ERR_OUT_OF_BYTES`: ask {@link remaining} first, and return `undefined` from `decode` when
 * the message is not whole yet. So does a count or offset that is no whole number, 0 or more. Use it
 * within `decode` only: afterwards it has other bytes.
 */
export class ByteReader {
  /** The most bytes that one message may take, framing included (option `maxMessageBytes`). */
  readonly maxMessageBytes: number;
  #buffer: Buffer = EMPTY;
  #position = 0;
  /** The memory behind the buffer, once a view was asked for, and where in it the buffer begins. */
  #memory: ArrayBufferLike | undefined;
  #memoryOffset = 0;
  /** What {@link indexOf} has last sought in vain: no match begins from `#vainFrom` up to `#vainTo`. */
  #vainValue: number | Uint8Array | undefined;
  #vainFrom = 0;
  #vainTo = 0;

  constructor(maxMessageBytes: number, buffer: Buffer = EMPTY) {
    this.maxMessageBytes = maxMessageBytes;
    this.#buffer = buffer;
  }

  /**
   * Starts over with other bytes.
   * @internal For the owner of the reader: never within `decode`.
   */
  reset(buffer: Buffer): void {
    this.#buffer = buffer;
    this.#memory = undefined;
    this.#position = 0;
    this.#vainValue = undefined;
  }

  /**
   * Goes on with `buffer`, which begins with the bytes that are not read yet and has more behind
   * them. What {@link indexOf} has sought in vain it does not seek there again.
   * @internal For the owner of the reader: never within `decode`.
   */
  resume(buffer: Buffer): void {
    this.#vainFrom -= this.#position;
    this.#vainTo -= this.#position;
    this.#buffer = buffer;
    this.#memory = undefined;
    this.#position = 0;
  }

  /** The bytes that have arrived, read ones included, for parsers that index into them themselves. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** Where in {@link buffer} the next byte is read. */
  get position(): number {
    return this.#position;
  }

  /** How many bytes have arrived and are not read yet. */
  get remaining(): number {
    return this.#buffer.length - this.#position;
  }

  /** Goes to a {@link ByteReader.position}, back or on. */
  seek(position: number): void {
    if (!(Number.isInteger(position) && position >= 0 && position <= this.#buffer.length)) {
      throw outOfBytes(position - this.#position, this.remaining);
    }
    this.#position = position;
  }

  /** Passes over `bytes` bytes. */
  skip(bytes: number): void {
    this.#take(bytes);
  }

  readUInt8(): number {
    return this.#buffer[this.#take(1)] as number;
  }

  readUInt16BE(): number {
    return uint16BE(this.#buffer, this.#take(2));
  }

  readUInt16LE(): number {
    return uint16LE(this.#buffer, this.#take(2));
  }

  readUInt32BE(): number {
    return uint32BE(this.#buffer, this.#take(4));
  }

  readUInt32LE(): number {
    return uint32LE(this.#buffer, this.#take(4));
  }

  /** Reads eight bytes as an unsigned integer, which a `number` could not hold exactly. */
  readBigUInt64BE(): bigint {
    return this.#buffer.readBigUInt64BE(this.#take(8));
  }

  readBigUInt64LE(): bigint {
    return this.#buffer.readBigUInt64LE(this.#take(8));
  }

  /** Reads one byte as a signed integer, in two's complement, as all `readInt…` do. */
  readInt8(): number {
    return this.#buffer.readInt8(this.#take(1));
  }

  readInt16BE(): number {
    return this.#buffer.readInt16BE(this.#take(2));
  }

  readInt16LE(): number {
    return this.#buffer.readInt16LE(this.#take(2));
  }

  readInt32BE(): number {
    return this.#buffer.readInt32BE(this.#take(4));
  }

  readInt32LE(): number {
    return this.#buffer.readInt32LE(this.#take(4));
  }

  readBigInt64BE(): bigint {
    return this.#buffer.readBigInt64BE(this.#take(8));
  }

  readBigInt64LE(): bigint {
    return this.#buffer.readBigInt64LE(this.#take(8));
  }

  /** Reads four bytes as an IEEE 754 single. */
  readFloatBE(): number {
    return this.#buffer.readFloatBE(this.#take(4));
  }

  readFloatLE(): number {
    return this.#buffer.readFloatLE(this.#take(4));
  }

  /** Reads eight bytes as an IEEE 754 double. */
  readDoubleBE(): number {
    return this.#buffer.readDoubleBE(this.#take(8));
  }

  readDoubleLE(): number {
    return this.#buffer.readDoubleLE(this.#take(8));
  }

  /** Reads one byte at `offset` bytes ahead without moving on. */
  peekUInt8(offset = 0): number {
    return this.#buffer[this.#at(offset, 1)] as number;
  }

  peekUInt16BE(offset = 0): number {
    return uint16BE(this.#buffer, this.#at(offset, 2));
  }

  peekUInt16LE(offset = 0): number {
    return uint16LE(this.#buffer, this.#at(offset, 2));
  }

  peekUInt32BE(offset = 0): number {
    return uint32BE(this.#buffer, this.#at(offset, 4));
  }

  peekUInt32LE(offset = 0): number {
    return uint32LE(this.#buffer, this.#at(offset, 4));
  }

  /** Reads `bytes` bytes as a view: valid for ever, but it holds on to the buffer that arrived. */
  readBytes(bytes: number): Buffer {
    const start = this.#take(bytes);
    return this.view(start, start + bytes);
  }

  /**
   * The bytes of {@link buffer} from `start` up to `end`, which must lie within it, as a view: what
   * its `subarray` returns, in half the time.
   * @internal
   */
  view(start: number, end: number): Buffer {
    if (this.#memory === undefined) {
      this.#memory = this.#buffer.buffer;
      this.#memoryOffset = this.#buffer.byteOffset;
    }
    return new View(this.#memory, this.#memoryOffset + start, end - start);
  }

  /** Reads `bytes` bytes as a copy of their own: for small parts that are kept for long. */
  copyBytes(bytes: number): Buffer {
    return Buffer.from(this.readBytes(bytes));
  }

  /** Reads `bytes` bytes as text. Default encoding: UTF-8, where invalid sequences become U+FFFD. */
  readString(bytes: number, encoding: BufferEncoding = 'utf8'): string {
    const start = this.#take(bytes);
    return this.#buffer.toString(encoding, start, start + bytes);
  }

  /**
   * How many bytes ahead the byte or sequence first occurs, or -1.
   *
   * The last search in vain is remembered, so that a `decode` that is called again with every
   * arrival, and seeks the same in the same place, looks at each byte once: otherwise a peer that
   * sends a long line byte by byte would cost quadratic time.
   * @param value a sequence that is sought again should be the same array, unchanged
   * @param offset how many bytes ahead to begin
   */
  indexOf(value: number | Uint8Array, offset = 0): number {
    if (!(Number.isInteger(offset) && offset >= 0)) throw outOfBytes(offset, this.remaining);
    const start = this.#position + offset;
    const known = value === this.#vainValue && start >= this.#vainFrom && start <= this.#vainTo;
    const found = this.#buffer.indexOf(value, known ? this.#vainTo : start);
    if (found !== -1) return found - this.#position;
    if (!known) this.#vainFrom = start;
    this.#vainValue = value;
    // A sequence may have begun to arrive.
    const last = typeof value === 'number' ? 0 : value.length - 1;
    this.#vainTo = this.#buffer.length - last;
    return -1;
  }

  /** Passes over bytes that must be there. @returns where they begin */
  #take(bytes: number): number {
    const position = this.#position;
    if (!(Number.isInteger(bytes) && bytes >= 0 && position + bytes <= this.#buffer.length)) {
      throw outOfBytes(bytes, this.remaining);
    }
    this.#position = position + bytes;
    return position;
  }

  /** Where the bytes `offset` bytes ahead are, which must be there. */
  #at(offset: number, bytes: number): number {
    if (!(Number.isInteger(offset) && offset >= 0 && offset + bytes <= this.remaining)) {
      throw outOfBytes(offset + bytes, this.remaining);
    }
    return this.#position + offset;
  }
}

const EMPTY = Buffer.alloc(0);

function outOfBytes(wanted: number, remaining: number): PikeError {
  return new PikeError(
    'PIKE_ERR_OUT_OF_BYTES',
    Number.isInteger(wanted) && wanted >= 0
      ? `Asked for ${wanted} bytes where ${remaining} have arrived: compare reader.remaining first, ` +
          'and return undefined while the message is not whole.'
      : `Asked for ${String(wanted)} bytes: a count or an offset is a whole number, 0 or more.`,
  );
}
