import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { FramedConverter } from '../core/framed-converter.js';
import { bytesBeforeSpace, SPACE } from './digits.js';
import { parsePythonFloat, pythonRepr } from './python-float.js';

/** Enough for the largest double written out as an integer, 309 digits. */
const MOST_CHARACTERS = 320;

/**
 * Floats as Python's `repr` writes them, and one space (the original's `FLOAT_CONVERTER`).
 *
 * Every `number` travels unchanged, -0, infinities and NaN included. Decoding also reads integers
 * (`3`) and throws `PIKE_ERR_MALFORMED` for anything that `repr` of a Python float or int cannot
 * be; encoding throws `PIKE_ERR_SERIALIZER` for what is no number.
 */
export class FloatConverter extends FramedConverter<number> {
  encode(message: number, writer: ByteWriter): void {
    if (typeof message !== 'number') {
      throw new PikeError('PIKE_ERR_SERIALIZER', `A number can be sent; got ${typeof message}.`);
    }
    writer.writeString(pythonRepr(message), 'latin1').writeUInt8(SPACE);
  }

  decode(reader: ByteReader): number | undefined {
    const length = bytesBeforeSpace(reader, MOST_CHARACTERS, belongs);
    if (length === undefined) return undefined;
    const text = reader.readString(length, 'latin1');
    const number = parsePythonFloat(text);
    if (number === undefined) {
      throw new PikeError('PIKE_ERR_MALFORMED', `"${text}" is no float.`);
    }
    reader.skip(1);
    return number;
  }
}

/** The characters of `-+.0123456789`, `e`, `inf` and `nan`. */
const CHARACTERS = new Set(Buffer.from('-+.0123456789einfa'));

function belongs(byte: number): boolean {
  return CHARACTERS.has(byte);
}
