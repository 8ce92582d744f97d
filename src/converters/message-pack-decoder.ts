import { PikeError } from '../core/errors.js';
import { KeyCache } from './key-cache.js';
import { decodeTimestamp, TIMESTAMP_TYPE } from './message-pack-timestamp.js';
import { decodeUtf8 } from './utf8.js';

/** Texts up to this many bytes are put together here: for them a call out of JavaScript costs more. */
const SHORT_TEXT_BYTES = 16;
/** From this many bytes on, binary content is a view; below, a copy, which does not pin a chunk. */
const VIEW_BYTES = 4096;
const EMPTY = Buffer.alloc(0);

/**
 * Reads one MessagePack value. Every length is compared with the bytes at hand before anything is
 * made of it, and recursion is bounded, so a message costs memory in proportion to its bytes.
 * No code of the application runs while it reads.
 */
export class MessagePackDecoder {
  readonly #maxDepth: number;
  readonly #keys = new KeyCache();
  #bytes: Buffer = EMPTY;
  #at = 0;
  #end = 0;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  /**
   * Reads the bytes from `start` up to `end`, which must be one value.
   * @throws PikeError `PIKE_ERR_MALFORMED`
   */
  decode(bytes: Buffer, start: number, end: number): unknown {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    try {
      const value = this.#read(this.#maxDepth);
      if (this.#at !== end) throw malformed(`has ${end - this.#at} bytes behind its value`);
      return value;
    } finally {
      // Not to hold on to the bytes of the last message.
      this.#bytes = EMPTY;
    }
  }

  /** @param depth how many levels of containers may still be entered */
  #read(depth: number): unknown {
    const bytes = this.#bytes;
    const type = bytes[this.#take(1)] as number;
    if (type < 0x80) return type;
    if (type >= 0xe0) return type - 0x100;
    if (type < 0x90) return this.#map(type & 0x0f, depth);
    if (type < 0xa0) return this.#array(type & 0x0f, depth);
    if (type < 0xc0) return this.#text(type & 0x1f);
    switch (type) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xc4:
        return this.#binary(this.#uint8());
      case 0xc5:
        return this.#binary(this.#uint16());
      case 0xc6:
        return this.#binary(this.#uint32());
      case 0xc7:
        return this.#extension(this.#uint8());
      case 0xca:
        return bytes.readFloatBE(this.#take(4));
      case 0xcb:
        return bytes.readDoubleBE(this.#take(8));
      case 0xcc:
        return this.#uint8();
      case 0xcd:
        return this.#uint16();
      case 0xce:
        return this.#uint32();
      case 0xcf:
        return narrowed(bytes.readBigUInt64BE(this.#take(8)));
      case 0xd0:
        return bytes.readInt8(this.#take(1));
      case 0xd1:
        return bytes.readInt16BE(this.#take(2));
      case 0xd2:
        return bytes.readInt32BE(this.#take(4));
      case 0xd3:
        return narrowed(bytes.readBigInt64BE(this.#take(8)));
      case 0xd6:
        return this.#extension(4);
      case 0xd7:
        return this.#extension(8);
      case 0xd9:
        return this.#text(this.#uint8());
      case 0xda:
        return this.#text(this.#uint16());
      case 0xdb:
        return this.#text(this.#uint32());
      case 0xdc:
        return this.#array(this.#uint16(), depth);
      case 0xdd:
        return this.#array(this.#uint32(), depth);
      case 0xde:
        return this.#map(this.#uint16(), depth);
      case 0xdf:
        return this.#map(this.#uint32(), depth);
      default:
        throw malformed(`holds the type 0x${type.toString(16)}, which is not allowed`);
    }
  }

  #array(length: number, depth: number): unknown[] {
    this.#enter(length, depth);
    // Grows with what is really read. Allocated by declared lengths, each of maxDepth levels could
    // claim all the bytes that are left.
    const array: unknown[] = [];
    for (let i = 0; i < length; i += 1) array.push(this.#read(depth - 1));
    return array;
  }

  #map(length: number, depth: number): Record<string, unknown> {
    this.#enter(2 * length, depth);
    const object: Record<string, unknown> = {};
    for (let i = 0; i < length; i += 1) {
      const key = this.#key();
      object[key] = this.#read(depth - 1);
    }
    return object;
  }

  #enter(values: number, depth: number): void {
    if (depth === 0) throw malformed(`nests deeper than maxDepth, ${this.#maxDepth}`);
    // Every value takes a byte at least.
    if (values > this.#end - this.#at) throw endsEarly();
  }

  #key(): string {
    const type = this.#bytes[this.#at] as number;
    let key: string;
    if (type >= 0xa0 && type < 0xc0 && this.#at < this.#end) {
      this.#at += 1;
      key = this.#shortKey(type & 0x1f);
    } else {
      const value = this.#read(0);
      if (typeof value === 'string') key = value;
      else if (Number.isSafeInteger(value) || typeof value === 'bigint') key = String(value);
      else throw malformed('has a map key that is neither a string nor an integer');
    }
    if (key === '__proto__') throw malformed('has a map key named __proto__');
    return key;
  }

  #shortKey(length: number): string {
    const start = this.#take(length);
    const cached = this.#keys.find(this.#bytes, start, length);
    if (cached !== undefined) return cached;
    const key = decodeUtf8(this.#bytes, start, start + length);
    this.#keys.add(key);
    return key;
  }

  #text(length: number): string {
    const start = this.#take(length);
    const bytes = this.#bytes;
    if (length > SHORT_TEXT_BYTES) return decodeUtf8(bytes, start, start + length);
    let text = '';
    for (let at = start; at < start + length; at += 1) {
      const byte = bytes[at] as number;
      if (byte >= 0x80) return decodeUtf8(bytes, start, start + length);
      text += String.fromCharCode(byte);
    }
    return text;
  }

  #binary(length: number): Buffer {
    const start = this.#take(length);
    const view = this.#bytes.subarray(start, start + length);
    return length < VIEW_BYTES ? Buffer.from(view) : view;
  }

  #extension(length: number): Date {
    const start = this.#take(length + 1);
    const type = this.#bytes[start] as number;
    const date =
      type === TIMESTAMP_TYPE ? decodeTimestamp(this.#bytes, start + 1, length) : undefined;
    if (date === undefined) {
      throw malformed(`holds an extension of type 0x${type.toString(16)} and ${length} bytes`);
    }
    return date;
  }

  #uint8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  #uint16(): number {
    const bytes = this.#bytes;
    const at = this.#take(2);
    return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  }

  #uint32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  #take(length: number): number {
    const at = this.#at;
    if (length > this.#end - at) throw endsEarly();
    this.#at = at + length;
    return at;
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function endsEarly(): PikeError {
  return malformed('ends before its value does');
}

function malformed(what: string): PikeError {
  return new PikeError('PIKE_ERR_MALFORMED', `A MessagePack message ${what}.`);
}
