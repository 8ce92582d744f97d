import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { encodeTimestamp } from './message-pack-timestamp.js';

/** Texts shorter than this are copied here: for them a call out of JavaScript costs more. */
const SHORT_TEXT = 32;
const UINT32 = 2 ** 32;
const EMPTY = Buffer.alloc(0);
/** The type bytes of arrays and maps: with the count in the byte itself, and with two bytes of it. */
const ARRAY = { fixed: 0x90, counted: 0xdc } as const;
const MAP = { fixed: 0x80, counted: 0xde } as const;

/**
 * Writes the elements of MessagePack, each in its smallest form. It writes into the writer's buffer
 * itself, and tells the writer only at the end and when it needs more room.
 */
export class MessagePackOutput {
  #writer: ByteWriter | undefined;
  #bytes: Buffer = EMPTY;
  #at = 0;

  /** Whether it is between `begin` and `end`. */
  get busy(): boolean {
    return this.#writer !== undefined;
  }

  begin(writer: ByteWriter): void {
    this.#writer = writer;
    this.#bytes = writer.buffer;
    this.#at = writer.position;
  }

  /** Tells the writer what has been written. */
  commit(): void {
    this.#surrender();
  }

  /** Lets go of the writer; what was not committed is not written. */
  end(): void {
    this.#writer = undefined;
    this.#bytes = EMPTY;
  }

  nil(): void {
    this.#byte(0xc0);
  }

  boolean(value: boolean): void {
    this.#byte(value ? 0xc3 : 0xc2);
  }

  /** The smallest integer type for a safe integer, a float 64 for everything else. */
  number(value: number): void {
    this.#room(9);
    const bytes = this.#bytes;
    const at = this.#at;
    if ((value | 0) === value && !(value === 0 && 1 / value < 0)) {
      if (value >= -32 && value < 0x80) {
        bytes[at] = value;
        this.#at = at + 1;
      } else if (value >= -0x80 && value < 0x100) {
        bytes[at] = value < 0 ? 0xd0 : 0xcc;
        bytes[at + 1] = value;
        this.#at = at + 2;
      } else if (value >= -0x8000 && value < 0x10000) {
        bytes[at] = value < 0 ? 0xd1 : 0xcd;
        bytes[at + 1] = value >> 8;
        bytes[at + 2] = value;
        this.#at = at + 3;
      } else {
        bytes[at] = value < 0 ? 0xd2 : 0xce;
        this.#uint32At(at + 1, value);
        this.#at = at + 5;
      }
    } else if (!Number.isSafeInteger(value) || value === 0) {
      bytes[at] = 0xcb;
      this.#at = bytes.writeDoubleBE(value, at + 1);
    } else if (value > 0 && value < UINT32) {
      bytes[at] = 0xce;
      this.#uint32At(at + 1, value);
      this.#at = at + 5;
    } else {
      bytes[at] = value < 0 ? 0xd3 : 0xcf;
      this.#uint32At(at + 1, Math.floor(value / UINT32));
      this.#uint32At(at + 5, value);
      this.#at = at + 9;
    }
  }

  /**
   * The smallest integer type.
   * @returns false, without writing anything, if it has more than 64 bits
   */
  bigint(value: bigint): boolean {
    const number = Number(value);
    if (Number.isSafeInteger(number)) {
      this.number(number);
      return true;
    }
    this.#room(9);
    const bytes = this.#bytes;
    if (BigInt.asUintN(64, value) === value) {
      bytes[this.#at] = 0xcf;
      this.#at = bytes.writeBigUInt64BE(value, this.#at + 1);
    } else if (BigInt.asIntN(64, value) === value) {
      bytes[this.#at] = 0xd3;
      this.#at = bytes.writeBigInt64BE(value, this.#at + 1);
    } else {
      return false;
    }
    return true;
  }

  text(text: string): void {
    const { length } = text;
    if (length < SHORT_TEXT) {
      this.#room(1 + length);
      const bytes = this.#bytes;
      const start = this.#at + 1;
      let i = 0;
      for (; i < length; i += 1) {
        const code = text.charCodeAt(i);
        if (code >= 0x80) break;
        bytes[start + i] = code;
      }
      if (i === length) {
        bytes[start - 1] = 0xa0 | length;
        this.#at = start + length;
        return;
      }
    }
    this.#longText(text);
  }

  binary(value: Uint8Array): void {
    const { length } = value;
    this.#room(5 + length);
    const header = length < 0x100 ? 2 : length < 0x10000 ? 3 : 5;
    this.#lengthHeader(header, 0xc4, length);
    this.#bytes.set(value, this.#at + header);
    this.#at += header + length;
  }

  /** @param date a valid one */
  timestamp(date: Date): void {
    const writer = this.#surrender();
    encodeTimestamp(date, writer);
    this.begin(writer);
  }

  /** Begins an array of so many values. */
  array(count: number): void {
    this.#header(count, ARRAY);
  }

  /**
   * Begins a map of so many pairs.
   * @returns where, for {@link lowerCount}
   */
  map(count: number): number {
    const at = this.#at;
    this.#header(count, MAP);
    return at;
  }

  /** Corrects the count of the map that was begun at `header`. */
  lowerCount(header: number, count: number): void {
    const bytes = this.#bytes;
    const type = bytes[header];
    if (type === MAP.counted) bytes.writeUInt16BE(count, header + 1);
    else if (type === MAP.counted + 1) bytes.writeUInt32BE(count, header + 1);
    else bytes[header] = MAP.fixed | count;
  }

  /** The count within the type byte, or in two or four bytes behind it. */
  #header(count: number, type: typeof ARRAY | typeof MAP): void {
    this.#room(5);
    const bytes = this.#bytes;
    if (count < 16) {
      bytes[this.#at] = type.fixed | count;
      this.#at += 1;
    } else if (count < 0x10000) {
      bytes[this.#at] = type.counted;
      this.#at = bytes.writeUInt16BE(count, this.#at + 1);
    } else {
      bytes[this.#at] = type.counted + 1;
      this.#at = bytes.writeUInt32BE(count, this.#at + 1);
    }
  }

  #longText(text: string): void {
    // No UTF-16 unit takes more than three bytes, so most texts need no counting.
    const most = text.length * 3;
    this.#room(5 + (this.#at + 5 + most > this.#bytes.length ? Buffer.byteLength(text) : most));
    const bytes = this.#bytes;
    // The size of the header depends on the bytes, and most texts are ASCII.
    const guess = textHeaderBytes(text.length);
    const length = bytes.write(text, this.#at + guess);
    const header = textHeaderBytes(length);
    if (header !== guess) {
      bytes.copyWithin(this.#at + header, this.#at + guess, this.#at + guess + length);
    }
    if (header === 1) bytes[this.#at] = 0xa0 | length;
    else this.#lengthHeader(header, 0xd9, length);
    this.#at += header + length;
  }

  /** A type byte and a length of one, two or four bytes; the types for these follow one another. */
  #lengthHeader(header: number, first: number, length: number): void {
    const bytes = this.#bytes;
    if (header === 2) {
      bytes[this.#at] = first;
      bytes[this.#at + 1] = length;
    } else if (header === 3) {
      bytes[this.#at] = first + 1;
      bytes.writeUInt16BE(length, this.#at + 1);
    } else {
      bytes[this.#at] = first + 2;
      bytes.writeUInt32BE(length, this.#at + 1);
    }
  }

  /** The low 32 bits of an integer. */
  #uint32At(at: number, value: number): void {
    const bytes = this.#bytes;
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  }

  #byte(byte: number): void {
    this.#room(1);
    this.#bytes[this.#at] = byte;
    this.#at += 1;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return;
    this.#bytes = this.#surrender().ensure(bytes).buffer;
  }

  /** Tells the writer how far we have come. */
  #surrender(): ByteWriter {
    const writer = this.#writer as ByteWriter;
    return writer.advance(this.#at - writer.position);
  }
}

function textHeaderBytes(length: number): 1 | 2 | 3 | 5 {
  if (length < 0x20) return 1;
  if (length < 0x100) return 2;
  return length < 0x10000 ? 3 : 5;
}
