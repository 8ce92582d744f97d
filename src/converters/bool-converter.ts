import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { FramedConverter } from '../core/framed-converter.js';

const TRUE = Buffer.from('True');
const FALSE = Buffer.from('False');

/**
 * Booleans as `True` and `False`, with nothing between them (the original's `BOOL_CONVERTER`).
 * Decoding throws `PIKE_ERR_MALFORMED` at the first byte that belongs to neither.
 */
export class BoolConverter extends FramedConverter<boolean> {
  encode(message: boolean, writer: ByteWriter): void {
    if (typeof message !== 'boolean') {
      throw new PikeError('PIKE_ERR_SERIALIZER', `A boolean can be sent; got ${typeof message}.`);
    }
    writer.writeBytes(message ? TRUE : FALSE);
  }

  decode(reader: ByteReader): boolean | undefined {
    if (reader.remaining === 0) return undefined;
    const message = reader.peekUInt8() === TRUE[0];
    const word = message ? TRUE : FALSE;
    for (let i = 0; i < word.length; i += 1) {
      if (i === reader.remaining) return undefined;
      if (reader.peekUInt8(i) !== word[i]) {
        throw new PikeError('PIKE_ERR_MALFORMED', 'A boolean is neither True nor False.');
      }
    }
    reader.skip(word.length);
    return message;
  }
}
