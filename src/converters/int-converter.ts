import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { FramedConverter } from '../core/framed-converter.js';
import { bytesBeforeSpace, isDigit, SPACE } from './digits.js';

const MINUS = 0x2d;
/** Python's own bound (`sys.int_info.default_max_str_digits`): reading digits takes quadratic time. */
const MOST_DIGITS = 4300;

/**
 * Integers in decimal, `-` first when negative, and one space (the original's `INT_CONVERTER`).
 *
 * Safe integers are received as `number`, others as `bigint`; leading zeros and `-0` are read as
 * Python's `int` reads them. Decoding throws `PIKE_ERR_MALFORMED` for anything else and for more
 * than 4300 characters; encoding throws `PIKE_ERR_SERIALIZER` for a `number` that is no safe
 * integer, and for more digits.
 */
export class IntConverter extends FramedConverter<number | bigint> {
  encode(message: number | bigint, writer: ByteWriter): void {
    if (typeof message !== 'bigint' && !Number.isSafeInteger(message)) {
      throw new PikeError(
        'PIKE_ERR_SERIALIZER',
        `A safe integer or a bigint can be sent; got ${String(message)}.`,
      );
    }
    const text = message.toString();
    if (text.length > MOST_DIGITS) {
      throw new PikeError('PIKE_ERR_SERIALIZER', `An integer has more than ${MOST_DIGITS} digits.`);
    }
    writer.writeString(text, 'latin1').writeUInt8(SPACE);
  }

  decode(reader: ByteReader): number | bigint | undefined {
    const length = bytesBeforeSpace(reader, MOST_DIGITS, belongs);
    if (length === undefined) return undefined;
    const text = reader.readString(length, 'latin1');
    if (text === '' || text === '-') {
      throw new PikeError('PIKE_ERR_MALFORMED', 'An integer has no digits.');
    }
    reader.skip(1);
    const number = Number(text);
    if (!Number.isSafeInteger(number)) return BigInt(text);
    return number === 0 ? 0 : number;
  }
}

function belongs(byte: number, index: number): boolean {
  return isDigit(byte) || (index === 0 && byte === MINUS);
}
