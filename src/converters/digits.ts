import type { ByteReader } from '../core/bytes/byte-reader.js';
import { PikeError } from '../core/errors.js';
import { tooLarge } from './too-large.js';

/** The byte that ends a number on the original Pike's wire. */
export const SPACE = 0x20;

/**
 * How many bytes stand before the next space, or `undefined` if it has not arrived. Bytes are
 * judged in their order, so that the same input fails in the same way however it was cut.
 * @param most how many bytes may stand before the space
 * @param belongs whether a byte may stand there
 * @throws PikeError `PIKE_ERR_MALFORMED` for a byte that does not belong or one too many,
 * `PIKE_ERR_MESSAGE_TOO_LARGE` when the space can only come behind `maxMessageBytes`
 */
export function bytesBeforeSpace(
  reader: ByteReader,
  most: number,
  belongs: (byte: number, index: number) => boolean,
): number | undefined {
  const { buffer, position, remaining } = reader;
  for (let i = 0; i < remaining; i += 1) {
    if (i >= reader.maxMessageBytes) throw tooLarge(reader.maxMessageBytes);
    const byte = buffer[position + i] as number;
    if (byte === SPACE) return i;
    if (i >= most || !belongs(byte, i)) {
      throw new PikeError(
        'PIKE_ERR_MALFORMED',
        i >= most
          ? `A number has more than ${most} characters.`
          : `A number has the byte 0x${byte.toString(16)} in it.`,
      );
    }
  }
  return undefined;
}

/** Whether a byte is an ASCII digit. */
export function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39;
}
