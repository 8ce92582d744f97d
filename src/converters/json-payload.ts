import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { JsonText } from './json-text.js';
import { readMaxDepth, refuseUnknownOptions } from './options.js';
import type { PayloadCodec } from './payload-codec.js';
import { decodeUtf8 } from './utf8.js';

/** Options of `jsonPayload` and `JsonConverter`. */
export interface JsonOptions {
  /** How deeply arrays and objects may nest, counting the outermost. Default: 64; most: 512. */
  maxDepth?: number;
}

/**
 * JSON (RFC 8259) in UTF-8.
 *
 * Decoding throws `PIKE_ERR_MALFORMED` for what is no JSON, for invalid UTF-8, for a byte order
 * mark, for values that nest deeper than `maxDepth`, and for a member named `__proto__`:
 * `JSON.parse` makes it an own property, which a later `Object.assign` or merge would turn into the
 * prototype.
 *
 * Encoding is `JSON.stringify`. It throws `PIKE_ERR_SERIALIZER` for what has no JSON form
 * (`undefined`, a function, a bigint, a circular value) and for what the peer's decoding would
 * refuse, so that one bad message does not cost the connection. Lone surrogates travel unharmed,
 * as escapes.
 *
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function jsonPayload<T = unknown>(options: JsonOptions = {}): PayloadCodec<T> {
  refuseUnknownOptions('JSON', options, ['maxDepth']);
  return new JsonPayload<T>(readMaxDepth('JSON', options.maxDepth));
}

class JsonPayload<T> implements PayloadCodec<T> {
  readonly #text: JsonText;

  constructor(maxDepth: number) {
    this.#text = new JsonText(maxDepth);
  }

  encode(message: T, writer: ByteWriter): void {
    writer.writeString(this.#text.stringify(message));
  }

  decode(bytes: Buffer): T {
    return this.decodeAt(bytes, 0, bytes.length);
  }

  decodeAt(buffer: Buffer, start: number, end: number): T {
    return this.#text.parse(decodeUtf8(buffer, start, end)) as T;
  }
}
