import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { FramedConverter } from '../core/framed-converter.js';
import { bytesBefore, encodeBefore } from './delimiter.js';
import { invalidOption, readPayload, refuseUnknownOptions } from './options.js';
import type { PayloadCodec } from './payload-codec.js';
import { decodeContent } from './payload-codec.js';
import { rawPayload } from './raw-payload.js';

/** Options of {@link DelimitedConverter}. */
export interface DelimitedOptions<T = Buffer> {
  /** What ends every message: bytes, or a text of which the UTF-8 bytes are taken. Required; not empty. */
  delimiter: string | Uint8Array;
  /** What the content is. Default: `rawPayload`, its bytes as they are. */
  payload?: PayloadCodec<T>;
}

/**
 * Messages that each end with the same bytes. (For lines of text see `LineConverter`.)
 *
 * Decoding throws `PIKE_ERR_MESSAGE_TOO_LARGE` when no delimiter ends within `maxMessageBytes`, and
 * whatever the payload throws; it looks at each byte once, however the bytes arrive. Encoding
 * throws `PIKE_ERR_SERIALIZER` for a message that would be read as two, because its content holds
 * the delimiter, or makes one together with the delimiter's own beginning. An empty content is a
 * message like any other. A delimiter is required behind the last message too.
 *
 * @example new DelimitedConverter({ delimiter: '\0', payload: textPayload })
 */
export class DelimitedConverter<T = Buffer> extends FramedConverter<T> {
  readonly #delimiter: Buffer;
  readonly #payload: PayloadCodec<T>;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
  constructor(options: DelimitedOptions<T>) {
    super();
    const owner = 'DelimitedConverter';
    const { delimiter, payload } = options ?? {};
    if (
      (typeof delimiter !== 'string' && !(delimiter instanceof Uint8Array)) ||
      !delimiter.length
    ) {
      throw invalidOption(owner, 'delimiter', 'must be a text or bytes, and not empty', delimiter);
    }
    refuseUnknownOptions(owner, options, ['delimiter', 'payload']);
    this.#delimiter = Buffer.from(delimiter as string);
    this.#payload = readPayload(owner, payload, rawPayload);
  }

  encode(message: T, writer: ByteWriter): void {
    encodeBefore(this.#delimiter, this.#delimiter, this.#payload, message, writer);
  }

  decode(reader: ByteReader): T | undefined {
    const length = bytesBefore(this.#delimiter, reader);
    if (length === undefined) return undefined;
    const start = reader.position;
    reader.skip(length + this.#delimiter.length);
    return decodeContent(this.#payload, reader, start, start + length);
  }
}
