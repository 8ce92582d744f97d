import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { FramedConverter } from '../core/framed-converter.js';
import { bytesBefore, encodeBefore } from './delimiter.js';
import { invalidOption, readPayload, refuseUnknownOptions } from './options.js';
import type { PayloadCodec } from './payload-codec.js';
import { decodeContent } from './payload-codec.js';
import { readEncoding } from './text-encoding.js';
import type { TextEncoding } from './text-encoding.js';

const NEWLINE = Buffer.from('\n');
const RETURN = 0x0d;
const ENDINGS = { '\n': NEWLINE, '\r\n': Buffer.from('\r\n') } as const;

/** Options of {@link LineConverter}. */
export interface LineOptions<T = string> {
  /** The encoding of the text: `'utf8'` or `'latin1'` (of which ASCII is a part). Default: `'utf8'`. */
  encoding?: TextEncoding;
  /** What a line is, instead of a text: `jsonPayload()` for NDJSON. Not together with `encoding`. */
  payload?: PayloadCodec<T>;
  /** What ends a line that is sent. Default: `'\n'`. Received lines may always end with either. */
  ending?: keyof typeof ENDINGS;
}

/**
 * Messages that are a line each, of text unless a `payload` says otherwise.
 *
 * Lines are received with `\n` or `\r\n` behind them, mixed as they come; the ending is not part of
 * the message. An empty line is an empty message. A line end is required behind the last line too.
 *
 * Decoding throws `PIKE_ERR_MESSAGE_TOO_LARGE` when no line ends within `maxMessageBytes`, its end
 * included, and whatever the payload throws (`PIKE_ERR_MALFORMED` for invalid UTF-8); it looks at
 * each byte once, however the bytes arrive. Encoding throws `PIKE_ERR_SERIALIZER` for a message
 * that would be received as another: one that holds `\n`, or that ends with `\r` where `\n` is sent
 * behind it.
 *
 * @example new LineConverter({ encoding: 'latin1', ending: '\r\n' }) // many devices
 * @example new LineConverter({ payload: jsonPayload<Reading>() }) // NDJSON
 */
export class LineConverter<T = string> extends FramedConverter<T> {
  readonly #payload: PayloadCodec<T>;
  readonly #ending: Buffer;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
  constructor(options: LineOptions<T> = {}) {
    super();
    const owner = 'LineConverter';
    refuseUnknownOptions(owner, options, ['encoding', 'payload', 'ending']);
    const { encoding, payload, ending = '\n' } = options;
    const text = readEncoding(owner, encoding);
    if (encoding !== undefined && payload !== undefined) {
      throw invalidOption(owner, 'encoding', 'cannot be given together with payload', encoding);
    }
    if (!Object.hasOwn(ENDINGS, ending)) {
      throw invalidOption(owner, 'ending', "must be '\\n' or '\\r\\n'", JSON.stringify(ending));
    }
    this.#payload = readPayload(owner, payload, text);
    this.#ending = ENDINGS[ending];
  }

  encode(message: T, writer: ByteWriter): void {
    const start = writer.position;
    encodeBefore(NEWLINE, this.#ending, this.#payload, message, writer);
    const contentEnd = writer.position - this.#ending.length;
    if (
      this.#ending === NEWLINE &&
      contentEnd > start &&
      writer.buffer[contentEnd - 1] === RETURN
    ) {
      throw new PikeError(
        'PIKE_ERR_SERIALIZER',
        "The line ends with '\\r', which would be received as a part of the line's end.",
      );
    }
  }

  decode(reader: ByteReader): T | undefined {
    const length = bytesBefore(NEWLINE, reader);
    if (length === undefined) return undefined;
    const start = reader.position;
    reader.skip(length + 1);
    const end = start + length;
    const contentEnd = length > 0 && reader.buffer[end - 1] === RETURN ? end - 1 : end;
    return decodeContent(this.#payload, reader, start, contentEnd);
  }
}
