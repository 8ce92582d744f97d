import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';

/** Which byte of a number comes first: `BE` the highest (network order), `LE` the lowest. */
export type ByteOrder = 'BE' | 'LE';

/** How a length stands in front of its content. Stateless. */
export interface LengthPrefix {
  /** Leaves room for the length, and says where the content begins. */
  begin(writer: ByteWriter): number;
  /**
   * Fills the length in, once the content is written.
   * @param start what {@link begin} returned
   * @throws PikeError `PIKE_ERR_MESSAGE_TOO_LARGE` when the content is longer than can be counted
   */
  end(writer: ByteWriter, start: number): void;
  /** Reads a length, or returns `undefined` while it has not wholly arrived. */
  read(reader: ByteReader): number | undefined;
}

/** A length of a fixed number of bytes, unsigned. */
export function fixedLengthPrefix(bytes: 1 | 2 | 4, order: ByteOrder): LengthPrefix {
  return PREFIXES[`${bytes}${order}`];
}

class FixedLengthPrefix implements LengthPrefix {
  readonly #bytes: number;
  readonly #most: number;
  readonly #fill: (writer: ByteWriter, length: number, position: number) => void;
  readonly #read: (reader: ByteReader) => number;

  constructor(
    bytes: number,
    fill: (writer: ByteWriter, length: number, position: number) => void,
    read: (reader: ByteReader) => number,
  ) {
    this.#bytes = bytes;
    this.#most = 2 ** (8 * bytes) - 1;
    this.#fill = fill;
    this.#read = read;
  }

  begin(writer: ByteWriter): number {
    return writer.reserve(this.#bytes) + this.#bytes;
  }

  end(writer: ByteWriter, start: number): void {
    const length = writer.position - start;
    if (length > this.#most) {
      throw new PikeError(
        'PIKE_ERR_MESSAGE_TOO_LARGE',
        `A content of ${length} bytes cannot be counted by a prefix of ${this.#bytes} bytes, ` +
          `whose most is ${this.#most}.`,
      );
    }
    this.#fill(writer, length, start - this.#bytes);
  }

  read(reader: ByteReader): number | undefined {
    return reader.remaining < this.#bytes ? undefined : this.#read(reader);
  }
}

const one = new FixedLengthPrefix(
  1,
  (writer, length, position) => writer.fillUInt8(length, position),
  (reader) => reader.readUInt8(),
);

const PREFIXES: Readonly<Record<`${1 | 2 | 4}${ByteOrder}`, LengthPrefix>> = {
  '1BE': one,
  '1LE': one,
  '2BE': new FixedLengthPrefix(
    2,
    (writer, length, position) => writer.fillUInt16BE(length, position),
    (reader) => reader.readUInt16BE(),
  ),
  '2LE': new FixedLengthPrefix(
    2,
    (writer, length, position) => writer.fillUInt16LE(length, position),
    (reader) => reader.readUInt16LE(),
  ),
  '4BE': new FixedLengthPrefix(
    4,
    (writer, length, position) => writer.fillUInt32BE(length, position),
    (reader) => reader.readUInt32BE(),
  ),
  '4LE': new FixedLengthPrefix(
    4,
    (writer, length, position) => writer.fillUInt32LE(length, position),
    (reader) => reader.readUInt32LE(),
  ),
};
