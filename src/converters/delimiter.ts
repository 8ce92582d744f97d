import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import type { PayloadCodec } from './payload-codec.js';
import { encodeContent } from './payload-codec.js';
import { tooLarge } from './too-large.js';

/**
 * How many bytes stand before the next delimiter, or `undefined` if it has not arrived.
 * @throws PikeError `PIKE_ERR_MESSAGE_TOO_LARGE` when it ends behind `maxMessageBytes`
 */
export function bytesBefore(delimiter: Buffer, reader: ByteReader): number | undefined {
  const length = reader.indexOf(delimiter);
  if (length === -1) return undefined;
  // Here, so that no payload is decoded that is too large.
  if (length + delimiter.length > reader.maxMessageBytes) throw tooLarge(reader.maxMessageBytes);
  return length;
}

/**
 * Writes a message's content and what ends it.
 * @param delimiter what a receiver looks for
 * @param ending what is written behind the content; ends with the delimiter
 * @throws PikeError `PIKE_ERR_SERIALIZER` if the receiver would find the delimiter earlier than at
 * the end of what is written
 */
export function encodeBefore<T>(
  delimiter: Buffer,
  ending: Buffer,
  payload: PayloadCodec<T>,
  message: T,
  writer: ByteWriter,
): void {
  const start = writer.position;
  encodeContent(payload, message, writer);
  writer.writeBytes(ending);
  const found = writer.buffer.indexOf(delimiter, start) + delimiter.length;
  if (found !== writer.position) {
    throw new PikeError(
      'PIKE_ERR_SERIALIZER',
      `The message holds the delimiter ${JSON.stringify(delimiter.toString('latin1'))}: it would ` +
        'be received as two messages.',
    );
  }
}
