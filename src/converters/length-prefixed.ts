import type { ByteReader } from '../core/byte-reader.js';
import type { ByteWriter } from '../core/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { FramedConverter } from '../core/framed-converter.js';
import type { ByteOrder, LengthPrefix } from './length-prefix.js';
import { fixedLengthPrefix } from './length-prefix.js';
import { refuseUnknownOptions } from './options.js';
import type { PayloadCodec } from './payload-codec.js';
import { rawPayload } from './raw-payload.js';

/** Options of {@link LengthPrefixedConverter}. */
export interface LengthPrefixedOptions<T = Buffer> {
  /** How many bytes the length takes. Default: 4. */
  bytes?: 1 | 2 | 4;
  /** Which byte of the length comes first. Default: `BE`, the highest. */
  order?: ByteOrder;
  /** What the content is. Default: `rawPayload`, its bytes as they are. */
  payload?: PayloadCodec<T>;
}

/**
 * Messages that each follow their length: an unsigned integer that counts the bytes behind it,
 * not itself.
 *
 * Decoding throws `PIKE_ERR_MESSAGE_TOO_LARGE` as soon as a length arrives that, with its own
 * bytes, is over `maxMessageBytes`, and whatever the payload throws. Encoding throws
 * `PIKE_ERR_MESSAGE_TOO_LARGE` when the prefix cannot count the content.
 *
 * @example new LengthPrefixedConverter({ bytes: 2, order: 'LE', payload: textPayload })
 */
export class LengthPrefixedConverter<T = Buffer> extends FramedConverter<T> {
  readonly #prefix: LengthPrefix;
  readonly #payload: PayloadCodec<T>;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
  constructor(options: LengthPrefixedOptions<T> = {}) {
    super();
    refuseUnknownOptions('LengthPrefixedConverter', options, ['bytes', 'order', 'payload']);
    const { bytes = 4, order = 'BE', payload } = options;
    if (![1, 2, 4].includes(bytes)) {
      throw invalidOption('bytes', 'must be 1, 2 or 4', bytes);
    }
    if (!['BE', 'LE'].includes(order)) {
      throw invalidOption('order', "must be 'BE' or 'LE'", order);
    }
    if (payload !== undefined && typeof payload?.decode !== 'function') {
      throw invalidOption('payload', 'must be a PayloadCodec, with encode and decode', payload);
    }
    this.#prefix = fixedLengthPrefix(bytes, order);
    // Without a payload T is Buffer.
    this.#payload = payload ?? (rawPayload as PayloadCodec<unknown> as PayloadCodec<T>);
  }

  encode(message: T, writer: ByteWriter): void {
    const start = this.#prefix.begin(writer);
    this.#payload.encode(message, writer);
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
    const payload = this.#payload;
    return payload.decodeAt === undefined
      ? payload.decode(reader.buffer.subarray(start, start + length))
      : payload.decodeAt(reader.buffer, start, start + length);
  }
}

function invalidOption(name: string, must: string, got: unknown): PikeError {
  return new PikeError(
    'PIKE_ERR_INVALID_OPTION',
    `${name} of LengthPrefixedConverter ${must}; got ${String(got)}.`,
  );
}
