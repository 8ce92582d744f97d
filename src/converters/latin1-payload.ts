import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import type { PayloadCodec } from './payload-codec.js';
import { requireText } from './require-text.js';

/** A character that ISO 8859-1 does not have. */
const OTHER = /[\u0100-\uffff]/;

/** Whether ISO 8859-1 has every character of a text. */
export function isLatin1(text: string): boolean {
  return !OTHER.test(text);
}

/**
 * Text in ISO 8859-1, a byte a character, of which ASCII is a part. Any bytes can be decoded;
 * encoding throws `PIKE_ERR_SERIALIZER` for a character above U+00FF.
 */
export const latin1Payload: PayloadCodec<string> = {
  encode(message: string, writer: ByteWriter): void {
    if (!isLatin1(requireText(message))) {
      throw new PikeError('PIKE_ERR_SERIALIZER', 'The text has characters that are not Latin-1.');
    }
    writer.writeString(message, 'latin1');
  },
  decode(bytes: Buffer): string {
    return bytes.toString('latin1');
  },
  decodeAt(buffer: Buffer, start: number, end: number): string {
    return buffer.toString('latin1', start, end);
  },
};
