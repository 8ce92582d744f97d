import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { MessagePackDecoder } from './message-pack-decoder.js';
import { MessagePackEncoder } from './message-pack-encoder.js';
import { readMaxDepth, refuseUnknownOptions } from './options.js';
import type { PayloadCodec } from './payload-codec.js';

/** Options of `messagePackPayload` and `MessagePackConverter`. */
export interface MessagePackOptions {
  /** How deeply arrays and maps may nest, counting the outermost. Default: 64; most: 512. */
  maxDepth?: number;
}

/**
 * One MessagePack value (https://github.com/msgpack/msgpack/blob/master/spec.md): the standard
 * types and the timestamp extension, no other extension.
 *
 * | JavaScript | MessagePack | and back |
 * |---|---|---|
 * | `null` | nil | `null` |
 * | `boolean` | bool | `boolean` |
 * | `number`: safe integer, not -0 | the smallest int | `number` |
 * | `number`: any other | float 64 | `number` |
 * | `bigint` from -2^63 to 2^64 - 1 | the smallest int | `number` if safe, else `bigint` |
 * | `string` | str, UTF-8 | `string` |
 * | `Buffer`, `Uint8Array`, `ArrayBuffer` | bin | `Buffer` |
 * | `Array`, `Set` | array | `Array` |
 * | `Date` | timestamp, in milliseconds | `Date` |
 * | plain object, `Map` with string or integer keys | map | plain object |
 * | object with `toJSON` (other than plain ones) | what `toJSON()` returns | |
 * | other class instances | map of their own enumerable properties | plain object |
 *
 * As in JSON, members that are `undefined` are left out and array elements that are `undefined`
 * become nil. A lone surrogate, which UTF-8 cannot express, becomes U+FFFD. Encoding throws
 * `PIKE_ERR_SERIALIZER` for `undefined` itself, functions, symbols, promises, bigints out of range,
 * invalid dates, other typed arrays (their byte order is the machine's own), a member named
 * `__proto__`, and values that are circular or nest deeper than `maxDepth`.
 *
 * Decoding throws `PIKE_ERR_MALFORMED` for everything else that the wire can hold: other
 * extensions, invalid UTF-8, timestamps that no `Date` can express, nesting deeper than `maxDepth`,
 * lengths beyond the end, bytes behind the value, map keys that are neither strings nor integers
 * (which become strings), and the key `__proto__`. Of a key that comes twice the last value counts.
 * Float 32 is read, nanoseconds below a millisecond are cut off. A bin of 4 KiB or more is a view
 * of the buffer that arrived and holds on to it; smaller ones are copies.
 *
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function messagePackPayload<T = unknown>(options: MessagePackOptions = {}): PayloadCodec<T> {
  refuseUnknownOptions('MessagePack', options, ['maxDepth']);
  return new MessagePackPayload<T>(readMaxDepth('MessagePack', options.maxDepth));
}

class MessagePackPayload<T> implements PayloadCodec<T> {
  readonly #encoder: MessagePackEncoder;
  readonly #decoder: MessagePackDecoder;

  constructor(maxDepth: number) {
    this.#encoder = new MessagePackEncoder(maxDepth);
    this.#decoder = new MessagePackDecoder(maxDepth);
  }

  encode(message: T, writer: ByteWriter): void {
    this.#encoder.encode(message, writer);
  }

  decode(bytes: Buffer): T {
    return this.#decoder.decode(bytes, 0, bytes.length) as T;
  }

  decodeAt(buffer: Buffer, start: number, end: number): T {
    return this.#decoder.decode(buffer, start, end) as T;
  }
}
