import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { FramedConverter } from '../core/framed-converter.js';
import { isDigit, SPACE } from './digits.js';
import { requireText } from './require-text.js';
import { tooLarge } from './too-large.js';
import { decodeUtf8 } from './utf8.js';

/**
 * Texts behind their length: the number of UTF-8 bytes in decimal, one space, and the bytes (the
 * original's `STRING_CONVERTER`).
 *
 * Decoding throws `PIKE_ERR_MESSAGE_TOO_LARGE` as soon as a length over `maxMessageBytes` arrives,
 * and `PIKE_ERR_MALFORMED` when the length is no decimal number or the bytes are not UTF-8.
 * Encoding writes a lone surrogate, which UTF-8 cannot express, as U+FFFD, as `Buffer` and
 * `TextEncoder` do, and throws `PIKE_ERR_SERIALIZER` for what is no string.
 */
export class StringConverter extends FramedConverter<string> {
  encode(message: string, writer: ByteWriter): void {
    const length = Buffer.byteLength(requireText(message));
    writer.writeString(String(length), 'latin1').writeUInt8(SPACE).writeString(message);
  }

  decode(reader: ByteReader): string | undefined {
    const { buffer, position, remaining } = reader;
    let length = 0;
    for (let i = 0; i < remaining; i += 1) {
      const byte = buffer[position + i] as number;
      if (byte === SPACE && i > 0) {
        const start = i + 1;
        if (start + length > remaining) return undefined;
        reader.skip(start + length);
        return decodeUtf8(buffer, position + start, position + start + length);
      }
      if (!isDigit(byte)) {
        throw new PikeError('PIKE_ERR_MALFORMED', 'The length of a text is no decimal number.');
      }
      length = length * 10 + (byte - 0x30);
      // The digits up to here, the space, and the bytes.
      if (i + 2 + length > reader.maxMessageBytes) throw tooLarge(reader.maxMessageBytes);
    }
    return undefined;
  }
}
