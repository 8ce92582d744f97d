import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { FramedConverter } from '../core/framed-converter.js';
import { bytesBefore } from './delimiter.js';
import { refuseUnknownOptions } from './options.js';
import type { PayloadCodec } from './payload-codec.js';
import { decodeContent } from './payload-codec.js';
import type { TextEncoding } from './text-encoding.js';
import { readEncoding } from './text-encoding.js';

/** `<VT>`, the start of a block. */
const START = 0x0b;
/** `<FS>`, the end of a block, behind which comes `<CR>`. */
const END = 0x1c;
const END_OF_BLOCK = Buffer.from([END, 0x0d]);

/** Options of {@link MllpConverter}. */
export interface MllpOptions {
  /** The encoding of the text. Default: `'utf8'`. */
  encoding?: TextEncoding;
}

/**
 * MLLP, the Minimal Lower Layer Protocol of HL7 v2: each message is a text between `0x0b` and `0x1c 0x0d`. (Health
 * Level Seven, "Transport Specification: MLLP, Release 1".) What stands in the message is not looked at.
 *
 * Decoding throws `PIKE_ERR_MESSAGE_TOO_LARGE` when no block ends within `maxMessageBytes`, its frame included,
 * and `PIKE_ERR_MALFORMED` for bytes outside of a block, a start or end of a block within one, and text that is not
 * valid UTF-8; it looks for the end of a block once, however the bytes arrive. Encoding throws `PIKE_ERR_SERIALIZER`
 * for a text with the characters U+000B or U+001C in it, or one that the encoding does not have.
 *
 * @example new MllpConverter({ encoding: 'latin1' }) // senders whose MSH-18 is empty, or 8859/1
 */
export class MllpConverter extends FramedConverter<string> {
  readonly #text: PayloadCodec<string>;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
  constructor(options: MllpOptions = {}) {
    super();
    refuseUnknownOptions('MllpConverter', options, ['encoding']);
    this.#text = readEncoding('MllpConverter', options.encoding);
  }

  encode(message: string, writer: ByteWriter): void {
    writer.writeUInt8(START);
    const start = writer.position;
    this.#text.encode(message, writer);
    if (holdsFrameBytes(writer.buffer, start, writer.position)) {
      throw new PikeError(
        'PIKE_ERR_SERIALIZER',
        'The text holds U+000B or U+001C, with which MLLP begins and ends messages.',
      );
    }
    writer.writeBytes(END_OF_BLOCK);
  }

  decode(reader: ByteReader): string | undefined {
    if (reader.remaining === 0) return undefined;
    if (reader.readUInt8() !== START) throw malformed('Bytes stand outside of a block');
    const length = bytesBefore(END_OF_BLOCK, reader);
    if (length === undefined) return undefined;
    const start = reader.position;
    const end = start + length;
    if (holdsFrameBytes(reader.buffer, start, end)) {
      throw malformed('A block begins or ends within another');
    }
    reader.skip(length + END_OF_BLOCK.length);
    return decodeContent(this.#text, reader, start, end);
  }
}

function holdsFrameBytes(buffer: Buffer, start: number, end: number): boolean {
  const content = buffer.subarray(start, end);
  return content.includes(START) || content.includes(END);
}

function malformed(what: string): PikeError {
  return new PikeError('PIKE_ERR_MALFORMED', `${what}: this is not MLLP.`);
}
