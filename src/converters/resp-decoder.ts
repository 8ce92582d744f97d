import type { Deserializer, PutBytesResult } from '../core/converter.js';
import { DONE, WAIT_FOR_MORE } from '../core/converter.js';
import { PikeError } from '../core/errors.js';
import { splitInlineCommand } from './resp-inline.js';
import type { RespValue } from './resp-value.js';
import { RespError } from './resp-value.js';
import { tooLarge } from './too-large.js';
import { decodeUtf8 } from './utf8.js';

const LF = 0x0a;
const CR = 0x0d;
const ARRAY = 0x2a;
const BULK = 0x24;
const INTEGER = 0x3a;
const SIMPLE = 0x2b;
const ERROR = 0x2d;
/** A type, a sign, 19 digits, a line end: no integer of 64 bits takes more. */
const MOST_INTEGER_LINE = 23;
/** `+\r\n`: no value takes less. */
const LEAST_VALUE = 3;

/** How a {@link RespDecoder} reads. */
export interface RespDecoderSettings {
  readonly encoding: 'utf8' | 'latin1' | 'buffer';
  readonly inlineCommands: boolean;
  readonly maxDepth: number;
}

/** An array of which values are still to come. */
interface OpenArray {
  readonly values: RespValue[];
  readonly length: number;
}

/**
 * Reads one value of RESP2. It takes each element of an array when it is whole and does not look at
 * it again, so that an array that arrives byte by byte costs no more than one that arrives at once.
 */
export class RespDecoder implements Deserializer<RespValue> {
  message: RespValue = null;
  readonly #settings: RespDecoderSettings;
  readonly #maxMessageBytes: number;
  readonly #open: OpenArray[] = [];
  /** How many bytes of the message were taken by earlier calls. */
  #taken = 0;
  /** Where in the bytes at hand the next value begins. */
  #position = 0;
  /** How many bytes from there hold no line end. */
  #searched = 0;
  /** The length of the bulk string whose content comes next. */
  #bulkLength: number | undefined;

  constructor(settings: RespDecoderSettings, maxMessageBytes: number) {
    this.#settings = settings;
    this.#maxMessageBytes = maxMessageBytes;
  }

  putBytes(data: Buffer): PutBytesResult {
    this.#position = 0;
    for (;;) {
      const value = this.#readValue(data);
      if (value === undefined) {
        this.#taken += this.#position;
        return [data.subarray(this.#position), WAIT_FOR_MORE];
      }
      if (value === OPENED) continue;
      const whole = this.#close(value);
      if (whole === undefined) continue;
      this.message = whole;
      return [data.subarray(this.#position), DONE];
    }
  }

  /** Puts a value where it belongs. @returns the outermost one, when it is complete */
  #close(value: RespValue): RespValue | undefined {
    let whole = value;
    for (let last = this.#open.at(-1); last !== undefined; last = this.#open.at(-1)) {
      last.values.push(whole);
      if (last.values.length < last.length) return undefined;
      this.#open.pop();
      whole = last.values;
    }
    return whole;
  }

  /** The next value, or that an array has begun, or `undefined` while it has not wholly arrived. */
  #readValue(data: Buffer): RespValue | typeof OPENED | undefined {
    if (this.#bulkLength !== undefined) return this.#readBulk(data, this.#bulkLength);
    if (this.#left <= 0) throw tooLarge(this.#maxMessageBytes);
    const type = data[this.#position];
    if (type === undefined) return undefined;
    if (this.#settings.inlineCommands && this.#open.length === 0 && type !== ARRAY) {
      return this.#readInline(data);
    }
    switch (type) {
      case BULK:
        return this.#beginBulk(data);
      case ARRAY:
        return this.#beginArray(data);
      case INTEGER:
        return this.#readInteger(data);
      case SIMPLE:
      case ERROR:
        return this.#readText(data, type);
      default:
        throw malformed(`A value begins with the byte 0x${type.toString(16)}, which is no type`);
    }
  }

  #readText(data: Buffer, type: number): RespValue | undefined {
    const start = this.#position + 1;
    const end = this.#readLine(data);
    if (end === undefined) return undefined;
    // Errors are for people, and may quote whatever somebody has sent.
    if (type === ERROR) return receivedError(data.toString('utf8', start, end));
    return this.#settings.encoding === 'latin1'
      ? data.toString('latin1', start, end)
      : decodeUtf8(data, start, end);
  }

  #readInteger(data: Buffer): number | bigint | undefined {
    const start = this.#position + 1;
    const end = this.#readLine(data, MOST_INTEGER_LINE);
    return end === undefined ? undefined : parseInteger(data.toString('latin1', start, end));
  }

  #beginBulk(data: Buffer): RespValue | undefined {
    const length = this.#readLength(data);
    if (length === undefined) return undefined;
    if (length === -1) return null;
    if (length + 2 > this.#left) throw tooLarge(this.#maxMessageBytes);
    this.#bulkLength = length;
    return this.#readBulk(data, length);
  }

  #readBulk(data: Buffer, length: number): RespValue | undefined {
    const start = this.#position;
    const end = start + length;
    if (end + 2 > data.length) return undefined;
    if (data[end] !== CR || data[end + 1] !== LF) {
      throw malformed('A bulk string does not end where its length says');
    }
    this.#bulkLength = undefined;
    this.#position = end + 2;
    return this.#content(data, start, end);
  }

  #beginArray(data: Buffer): RespValue | typeof OPENED | undefined {
    const length = this.#readLength(data);
    if (length === undefined) return undefined;
    if (length === -1) return null;
    if (this.#open.length >= this.#settings.maxDepth) {
      throw malformed(`Arrays nest deeper than ${this.#settings.maxDepth}`);
    }
    if (length === 0) return [];
    if (length * LEAST_VALUE > this.#left) throw tooLarge(this.#maxMessageBytes);
    this.#open.push({ values: [], length });
    return OPENED;
  }

  #readLength(data: Buffer): number | undefined {
    const length = this.#readInteger(data);
    if (length === undefined) return undefined;
    if (length < -1) throw malformed(`A length is ${length}`);
    // What is beyond the safe integers is beyond every limit, too.
    return Number(length);
  }

  #readInline(data: Buffer): RespValue | undefined {
    const start = this.#position;
    const lineEnd = this.#findLineEnd(data);
    if (lineEnd === undefined) return undefined;
    this.#position = lineEnd + 1;
    const end = lineEnd > start && data[lineEnd - 1] === CR ? lineEnd - 1 : lineEnd;
    return splitInlineCommand(data.subarray(start, end)).map((word) =>
      this.#content(word, 0, word.length),
    );
  }

  /** Goes behind a line that ends with CR LF. @returns where its content ends */
  #readLine(data: Buffer, most = Number.POSITIVE_INFINITY): number | undefined {
    const start = this.#position;
    const lineEnd = this.#findLineEnd(data, most);
    if (lineEnd === undefined) return undefined;
    if (data.indexOf(CR, start) !== lineEnd - 1) {
      throw malformed('A line does not end with CR LF, or has a CR within');
    }
    this.#position = lineEnd + 1;
    return lineEnd - 1;
  }

  /** Where the next LF is. @param most how many bytes the line may have, its end included */
  #findLineEnd(data: Buffer, most = Number.POSITIVE_INFINITY): number | undefined {
    const start = this.#position;
    const found = data.indexOf(LF, start + this.#searched);
    const bytes = (found === -1 ? data.length : found + 1) - start;
    // Whichever is passed first, so that it does not depend on how the bytes are cut.
    if (bytes > Math.min(most, this.#left)) {
      throw most < this.#left
        ? malformed(`A length or an integer has more than ${most} bytes`)
        : tooLarge(this.#maxMessageBytes);
    }
    this.#searched = found === -1 ? bytes : 0;
    return found === -1 ? undefined : found;
  }

  #content(data: Buffer, start: number, end: number): RespValue {
    switch (this.#settings.encoding) {
      case 'utf8':
        return decodeUtf8(data, start, end);
      case 'latin1':
        return data.toString('latin1', start, end);
      case 'buffer':
        return data.subarray(start, end);
    }
  }

  /** How many bytes the message may still have. */
  get #left(): number {
    return this.#maxMessageBytes - this.#taken - this.#position;
  }
}

/** An array has begun, whose values come next. */
const OPENED = Symbol('opened');

/** Without a stack, which would tell of nothing but this decoder: a peer may send a great many. */
function receivedError(text: string): RespError {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  try {
    return new RespError(text);
  } finally {
    Error.stackTraceLimit = stackTraceLimit;
  }
}

const INTEGER_TEXT = /^[+-]?\d{1,19}$/;

function parseInteger(text: string): number | bigint {
  if (!INTEGER_TEXT.test(text)) throw malformed(`An integer is ${JSON.stringify(text)}`);
  const number = Number(text);
  // Adding 0 makes 0 of -0.
  if (Number.isSafeInteger(number)) return number + 0;
  const integer = BigInt(text.startsWith('+') ? text.slice(1) : text);
  if (BigInt.asIntN(64, integer) === integer) return integer;
  throw malformed(`The integer ${text} takes more than 64 bits`);
}

function malformed(what: string): PikeError {
  return new PikeError('PIKE_ERR_MALFORMED', `${what}: this is not RESP2.`);
}
