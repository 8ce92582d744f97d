import { ByteWriter } from '../core/bytes/byte-writer.js';
import type { Connection } from '../core/connection.js';
import type { Converter, Deserializer, Limits, Serializer } from '../core/converter.js';
import { invalidOption, readMaxDepth, refuseUnknownOptions } from './options.js';
import { RespDecoder } from './resp-decoder.js';
import type { RespDecoderSettings } from './resp-decoder.js';
import { writeRespValue } from './resp-encoder.js';
import type { RespValue } from './resp-value.js';

/** Options of {@link RespConverter}. */
export interface RespOptions {
  /**
   * What bulk strings are received as: texts in UTF-8 or ISO 8859-1, or bytes as they are, since
   * Redis holds any (views: copy what you keep). Texts are sent in it, too, in UTF-8 with `'buffer'`.
   * Default: `'utf8'`.
   */
  encoding?: 'utf8' | 'latin1' | 'buffer';
  /**
   * For servers: whether a line that begins no array is a command as people type it, `SET greeting "hello
   * world"`, received as an array of its words; an empty line is an empty array. As in Redis, nothing but
   * arrays and such commands is received then. Default: false.
   */
  inlineCommands?: boolean;
  /** How deeply arrays may nest, 1 to 512. Default: 64. */
  maxDepth?: number;
}

/**
 * RESP2, the protocol of Redis (https://redis.io/docs/latest/develop/reference/protocol-spec/): simple strings,
 * errors, integers, bulk strings, arrays, null; and inline commands. A message is one {@link RespValue}: for
 * Redis a command is an array of bulk strings, and a reply any value. Replies have no ids: use it with
 * `correlation: 'order'`.
 *
 * Integers beyond `Number.MAX_SAFE_INTEGER` are received as bigint, up to RESP's 64 bits.
 *
 * Decoding throws `PIKE_ERR_MESSAGE_TOO_LARGE` as soon as a length, or a count of elements, arrives that
 * cannot fit into `maxMessageBytes`, and `PIKE_ERR_MALFORMED` for a type that RESP2 does not have (those of RESP3
 * among them), a length or integer that is none, a line end that is missing, unbalanced quotes, arrays that nest too deep, and
 * text that is not UTF-8 where it should be, errors aside. Encoding throws `PIKE_ERR_SERIALIZER` for values
 * that RESP2 does not have, such as fractions, booleans and `undefined`.
 *
 * It is no `FramedConverter`: that an array is whole is known only at its last element, and a `decode` that began
 * anew with each arrival would let a peer that sends slowly cost quadratic time.
 *
 * @example new RespConverter({ encoding: 'buffer', inlineCommands: true }) // a server
 */
export class RespConverter implements Converter<RespValue> {
  /** A value is received only when it is whole. */
  readonly atomic = true;
  readonly #settings: RespDecoderSettings;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
  constructor(options: RespOptions = {}) {
    const owner = 'RespConverter';
    refuseUnknownOptions(owner, options, ['encoding', 'inlineCommands', 'maxDepth']);
    const { encoding = 'utf8', inlineCommands = false } = options;
    if (!['utf8', 'latin1', 'buffer'].includes(encoding)) {
      throw invalidOption(owner, 'encoding', "must be 'utf8', 'latin1' or 'buffer'", encoding);
    }
    if (typeof inlineCommands !== 'boolean') {
      throw invalidOption(owner, 'inlineCommands', 'must be true or false', inlineCommands);
    }
    this.#settings = { encoding, inlineCommands, maxDepth: readMaxDepth(owner, options.maxDepth) };
  }

  createSerializer(message: RespValue, _connection?: Connection): Serializer {
    return new RespSerializer(message, this.#settings);
  }

  createDeserializer(_connection: Connection | undefined, limits: Limits): Deserializer<RespValue> {
    return new RespDecoder(this.#settings, limits.maxMessageBytes);
  }
}

/** Most values are short. */
const FIRST_BUFFER_BYTES = 128;
const EMPTY = Buffer.alloc(0);

class RespSerializer implements Serializer {
  #settings: RespDecoderSettings | undefined;
  readonly #message: RespValue;

  constructor(message: RespValue, settings: RespDecoderSettings) {
    this.#message = message;
    this.#settings = settings;
  }

  getBytes(): Buffer {
    const settings = this.#settings;
    if (settings === undefined) return EMPTY;
    this.#settings = undefined;
    const { encoding, maxDepth } = settings;
    const writer = new ByteWriter(Buffer.allocUnsafe(FIRST_BUFFER_BYTES));
    writeRespValue(this.#message, writer, encoding === 'buffer' ? 'utf8' : encoding, maxDepth);
    return writer.buffer.subarray(0, writer.position);
  }
}
