import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import type { LengthPrefix } from './length-prefix.js';

const MOST_BYTES = 5;
const MOST_LENGTH = 2 ** 32 - 1;

/**
 * A length as a base 128 varint (https://protobuf.dev/programming-guides/encoding/#varints):
 * unsigned LEB128, in as few bytes as it needs, up to 2^32 - 1 in five.
 *
 * More bytes than needed are `PIKE_ERR_MALFORMED`, although Protocol Buffers would read them: a
 * length that can be written in several ways is how two parsers come to disagree about a stream.
 */
export const varintPrefix: LengthPrefix = {
  begin(writer: ByteWriter): number {
    // Most messages are short: room for one byte, and the others have their content moved.
    return writer.reserve(1) + 1;
  },

  end(writer: ByteWriter, start: number): void {
    let length = writer.position - start;
    if (length > MOST_LENGTH) {
      throw new PikeError(
        'PIKE_ERR_MESSAGE_TOO_LARGE',
        `A content of ${length} bytes cannot be counted by a varint, whose most is ${MOST_LENGTH}.`,
      );
    }
    const extra = bytesOf(length) - 1;
    if (extra > 0) {
      const end = writer.position;
      writer.ensure(extra).advance(extra);
      writer.buffer.copyWithin(start + extra, start, end);
    }
    let position = start - 1;
    for (; length >= 0x80; length = Math.floor(length / 0x80)) {
      writer.fillUInt8((length % 0x80) + 0x80, position);
      position += 1;
    }
    writer.fillUInt8(length, position);
  },

  read(reader: ByteReader): number | undefined {
    let length = 0;
    for (let i = 0; i < reader.remaining; i += 1) {
      const byte = reader.peekUInt8(i);
      // Not by shifting, which would make the 32nd bit a sign.
      length += (byte % 0x80) * 2 ** (7 * i);
      if (i === MOST_BYTES - 1 && byte > 0x0f) {
        throw new PikeError('PIKE_ERR_MALFORMED', 'A length is over 2^32 - 1.');
      }
      if (byte >= 0x80) continue;
      if (byte === 0 && i > 0) {
        throw new PikeError('PIKE_ERR_MALFORMED', 'A length takes more bytes than it needs.');
      }
      reader.skip(i + 1);
      return length;
    }
    return undefined;
  },
};

function bytesOf(length: number): number {
  let bytes = 1;
  for (let most = 0x80; length >= most; most *= 0x80) bytes += 1;
  return bytes;
}
