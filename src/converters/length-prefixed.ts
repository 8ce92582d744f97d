import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { FramedConverter } from '../core/framed-converter.js';
import type { ByteOrder, LengthPrefix } from './length-prefix.js';
import { fixedLengthPrefix } from './length-prefix.js';
import { invalidOption, readPayload, refuseUnknownOptions } from './options.js';
import type { PayloadCodec } from './payload-codec.js';
import { decodeContent, encodeContent } from './payload-codec.js';
import { rawPayload } from './raw-payload.js';
import { varintPrefix } from './varint-prefix.js';

/** Options of {@link LengthPrefixedConverter}. */
export interface LengthPrefixedOptions<T = Buffer> {
  /**
   * How many bytes the length takes; `'varint'`: as few as it needs, 1 to 5, as Protocol Buffers
   * write it (unsigned LEB128: seven bits a byte, the lowest first). Default: 4.
   */
  bytes?: 1 | 2 | 4 | 'varint';
  /** Which byte of the length comes first; not for `'varint'`. Default: `BE`, the highest. */
  order?: ByteOrder;
  /** What the content is. Default: `rawPayload`, its bytes as they are. */
  payload?: PayloadCodec<T>;
}

/**
 * Messages that each follow their length: an unsigned integer that counts the bytes behind it,
 * not itself.
 *
 * Decoding throws `PIKE_ERR_MESSAGE_TOO_LARGE` as soon as a length arrives that, with its own
 * bytes, is over `maxMessageBytes`, `PIKE_ERR_MALFORMED` for a varint that takes more bytes than it
 * needs or is over 2^32 - 1, and whatever the payload throws. Encoding throws
 * `PIKE_ERR_MESSAGE_TOO_LARGE` when the prefix cannot count the content.
 *
 * @example new LengthPrefixedConverter({ bytes: 2, order: 'LE', payload: textPayload })
 * @example new LengthPrefixedConverter({ bytes: 'varint' }) // as protobuf's writeDelimitedTo
 */
export class LengthPrefixedConverter<T = Buffer> extends FramedConverter<T> {
  readonly #prefix: LengthPrefix;
  readonly #payload: PayloadCodec<T>;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
  constructor(options: LengthPrefixedOptions<T> = {}) {
    super();
    refuseUnknownOptions('LengthPrefixedConverter', options, ['bytes', 'order', 'payload']);
    this.#prefix = readPrefix(options);
    this.#payload = readPayload('LengthPrefixedConverter', options.payload, rawPayload);
  }

  encode(message: T, writer: ByteWriter): void {
    const start = this.#prefix.begin(writer);
    encodeContent(this.#payload, message, writer);
    this.#prefix.end(writer, start);
  }

  decode(reader: ByteReader): T | undefined {
    const before = reader.position;
    const length = this.#prefix.read(reader);
    if (length === undefined) return undefined;
    const start = reader.position;
    if (start - before + length > reader.maxMessageBytes) {
      throw new PikeError(
        'PIKE_ERR_MESSAGE_TOO_LARGE',
        `A length of ${length} bytes was declared; with its prefix that is over ` +
          `${reader.maxMessageBytes}. Raise maxMessageBytes if such messages are expected.`,
      );
    }
    if (length > reader.remaining) return undefined;
    reader.skip(length);
    return decodeContent(this.#payload, reader, start, start + length);
  }
}

function readPrefix({ bytes = 4, order }: LengthPrefixedOptions<unknown>): LengthPrefix {
  const owner = 'LengthPrefixedConverter';
  if (![1, 2, 4, 'varint'].includes(bytes)) {
    throw invalidOption(owner, 'bytes', "must be 1, 2, 4 or 'varint'", bytes);
  }
  if (order !== undefined && !['BE', 'LE'].includes(order)) {
    throw invalidOption(owner, 'order', "must be 'BE' or 'LE'", order);
  }
  if (bytes !== 'varint') return fixedLengthPrefix(bytes, order ?? 'BE');
  if (order !== undefined) {
    throw invalidOption(owner, 'order', 'means nothing to a varint: leave it out', order);
  }
  return varintPrefix;
}
