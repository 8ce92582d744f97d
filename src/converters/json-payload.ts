import type { ByteWriter } from '../core/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { hasProtoKey, nestsDeeper } from './json-guard.js';
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
  readonly #maxDepth: number;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  encode(message: T, writer: ByteWriter): void {
    const text = stringify(message);
    if (text.includes('"__proto__":') && hasProtoKey(text, parse(text))) {
      throw new PikeError('PIKE_ERR_SERIALIZER', 'A member named __proto__ cannot be sent.');
    }
    if (nestsDeeper(text, this.#maxDepth)) {
      throw new PikeError(
        'PIKE_ERR_SERIALIZER',
        `The message nests deeper than ${this.#maxDepth}. Raise maxDepth at both ends if needed.`,
      );
    }
    writer.writeString(text);
  }

  decode(bytes: Buffer): T {
    return this.decodeAt(bytes, 0, bytes.length);
  }

  decodeAt(buffer: Buffer, start: number, end: number): T {
    const text = decodeUtf8(buffer, start, end);
    if (nestsDeeper(text, this.#maxDepth)) {
      throw new PikeError(
        'PIKE_ERR_MALFORMED',
        `A JSON value nests deeper than ${this.#maxDepth}. Raise maxDepth if that is expected.`,
      );
    }
    const value = parse(text);
    if (hasProtoKey(text, value)) {
      throw new PikeError('PIKE_ERR_MALFORMED', 'A JSON object has a member named __proto__.');
    }
    return value as T;
  }
}

function stringify(message: unknown): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(message);
  } catch (error) {
    throw new PikeError('PIKE_ERR_SERIALIZER', 'The message has no JSON form.', { cause: error });
  }
  if (text === undefined) {
    throw new PikeError(
      'PIKE_ERR_SERIALIZER',
      `JSON cannot express ${typeof message}: send null, or leave the member out.`,
    );
  }
  return text;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new PikeError('PIKE_ERR_MALFORMED', 'A message is not valid JSON.', { cause: error });
  }
}
