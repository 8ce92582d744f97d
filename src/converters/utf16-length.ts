import { isAscii } from 'node:buffer';
import { PikeError } from '../core/errors.js';

/**
 * Finds where a UTF-8 text ends of which the length in UTF-16 code units (JavaScript's `length`)
 * is known. It goes on where it had to stop for want of bytes, so each byte is looked at twice at
 * most, however they arrive.
 */
export class Utf16Length {
  readonly #units: number;
  /** How many of the units are found, in so many bytes. */
  #foundUnits = 0;
  #foundBytes = 0;

  constructor(units: number) {
    this.#units = units;
  }

  /**
   * How many bytes the text takes, or `undefined` if not all have arrived.
   * @param buffer holds the text from `start` on: always the same bytes, and more behind them
   * @param most how many bytes it may take; it is not looked for behind them
   * @throws PikeError `PIKE_ERR_MALFORMED` for a byte that cannot begin a character, and if the text
   * would end in the middle of one. (Whether characters are whole is not looked at.)
   */
  bytes(buffer: Buffer, start: number, most: number): number | undefined {
    const units = this.#units;
    const arrived = Math.min(buffer.length - start, most);
    // A unit takes a byte at least.
    if (arrived < units) return undefined;
    if (this.#foundBytes === 0 && isAscii(buffer.subarray(start, start + units))) return units;
    let bytes = this.#foundBytes;
    let found = this.#foundUnits;
    while (found < units && bytes < arrived) {
      const width = widthOf(buffer[start + bytes] as number);
      if (bytes + width > arrived) break;
      bytes += width;
      found += width === 4 ? 2 : 1;
    }
    this.#foundBytes = bytes;
    this.#foundUnits = found;
    if (found > units) throw malformed('The length of a message cuts a character in two.');
    return found === units ? bytes : undefined;
  }
}

/** How many bytes a character has, by its first one. */
function widthOf(byte: number): number {
  if (byte < 0x80) return 1;
  if (byte >= 0xc2 && byte < 0xe0) return 2;
  if (byte >= 0xe0 && byte < 0xf0) return 3;
  if (byte >= 0xf0 && byte < 0xf5) return 4;
  throw malformed('A text is not valid UTF-8.');
}

function malformed(message: string): PikeError {
  return new PikeError('PIKE_ERR_MALFORMED', message);
}
