import type { Connection } from '../core/connection.js';
import type {
  Converter,
  Deserializer,
  Limits,
  PutBytesResult,
  Serializer,
} from '../core/converter.js';
import { DONE, WAIT_FOR_MORE } from '../core/converter.js';
import { PikeError } from '../core/errors.js';
import { isDigit } from './digits.js';
import type { JsonOptions } from './json-payload.js';
import { JsonText } from './json-text.js';
import { readMaxDepth, refuseUnknownOptions } from './options.js';
import { tooLarge } from './too-large.js';
import { Utf16Length } from './utf16-length.js';
import { decodeUtf8 } from './utf8.js';

const HASH = 0x23;
const ZERO = 0x30;

/**
 * The wire format of Nest's own TCP transport (`Transport.TCP`): `<length>#<json>`, so that its
 * clients and servers can be spoken with. The length is in decimal and counts UTF-16 code units,
 * `JSON.stringify(message).length`, while the JSON travels as UTF-8.
 *
 * What JSON is refused, and with which error codes, is said at `jsonPayload`. Decoding also throws
 * `PIKE_ERR_MALFORMED` for a length that is no decimal number, is 0 (no JSON is empty) or begins
 * with a 0, or that ends in the middle of a character, and `PIKE_ERR_MESSAGE_TOO_LARGE` as soon as a
 * length arrives that cannot fit into `maxMessageBytes`, which counts bytes, the length included.
 * Unlike Nest's transport it gives `null`, `false`, `0` and `''` as they are, not as `{}`.
 *
 * The wire is not trusted: `T` is what you expect, not what was checked.
 */
export class NestTcpConverter<T = unknown> implements Converter<T> {
  /** A message is parsed only when it is whole. */
  readonly atomic = true;
  readonly #text: JsonText;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
  constructor(options: JsonOptions = {}) {
    const owner = 'NestTcpConverter';
    refuseUnknownOptions(owner, options, ['maxDepth']);
    this.#text = new JsonText(readMaxDepth(owner, options.maxDepth));
  }

  createSerializer(message: T, _connection?: Connection): Serializer {
    return new NestTcpSerializer(this.#text.stringify(message));
  }

  createDeserializer(_connection: Connection | undefined, limits: Limits): Deserializer<T> {
    return new NestTcpDeserializer<T>(this.#text, limits.maxMessageBytes);
  }
}

class NestTcpSerializer implements Serializer {
  #json: string | undefined;

  constructor(json: string) {
    this.#json = json;
  }

  getBytes(): Buffer {
    const json = this.#json;
    if (json === undefined) return EMPTY;
    this.#json = undefined;
    return Buffer.from(`${json.length}#${json}`);
  }
}

class NestTcpDeserializer<T> implements Deserializer<T> {
  message!: T;
  readonly #text: JsonText;
  readonly #maxMessageBytes: number;
  /** Where the JSON begins, and where it ends: once its length is known. */
  #start = 0;
  #end: Utf16Length | undefined;

  constructor(text: JsonText, maxMessageBytes: number) {
    this.#text = text;
    this.#maxMessageBytes = maxMessageBytes;
  }

  putBytes(data: Buffer): PutBytesResult {
    const most = this.#maxMessageBytes;
    this.#end ??= this.#readLength(data);
    const bytes = this.#end?.bytes(data, this.#start, most - this.#start);
    if (bytes === undefined) {
      if (data.length > most) throw tooLarge(most);
      return [data, WAIT_FOR_MORE];
    }
    const end = this.#start + bytes;
    this.message = this.#text.parse(decodeUtf8(data, this.#start, end)) as T;
    return [data.subarray(end), DONE];
  }

  #readLength(data: Buffer): Utf16Length | undefined {
    let length = 0;
    for (let i = 0; i < data.length; i += 1) {
      const byte = data[i] as number;
      if (byte === HASH && i > 0) {
        this.#start = i + 1;
        return new Utf16Length(length);
      }
      // No length begins with a zero, so that zeros without end are no length either.
      if (!isDigit(byte) || (i === 0 && byte === ZERO)) {
        throw new PikeError('PIKE_ERR_MALFORMED', 'The length of a message is no decimal number.');
      }
      length = length * 10 + (byte - ZERO);
      // The digits up to here, the '#', and the JSON, of which a unit takes a byte at least.
      if (i + 2 + length > this.#maxMessageBytes) throw tooLarge(this.#maxMessageBytes);
    }
    return undefined;
  }
}

const EMPTY = Buffer.alloc(0);
