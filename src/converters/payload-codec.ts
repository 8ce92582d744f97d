import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { isPromise, wrongAnswer } from '../core/converter-answers.js';

/**
 * What stands inside a frame: turns a message into the frame's content and back. A framing
 * (`LengthPrefixedConverter`, `DelimitedConverter`, `LineConverter`) knows where a message ends, so a codec always sees all of it. One
 * instance serves all connections, so it keeps no state of any.
 */
export interface PayloadCodec<T> {
  /** Writes the content, without any framing, at once. Throwing rejects the message, and so does a promise. */
  encode(message: T, writer: ByteWriter): void;
  /**
   * Reads the content; all of `bytes` belongs to it. Throwing costs the connection, with the code
   * `PIKE_ERR_MALFORMED` where the peer is to blame. The bytes are a view that stays valid for
   * ever, but holds on to the buffer that arrived: copy what you keep for long.
   */
  decode(bytes: Buffer): T;
  /**
   * The same for the bytes of `buffer` from `start` up to `end`. Optional; a framing prefers it,
   * because it saves making a view of every message.
   */
  decodeAt?(buffer: Buffer, start: number, end: number): T;
}

/**
 * Encodes the content.
 * @throws PikeError `PIKE_ERR_SERIALIZER` for an `async` encode, which has written next to nothing yet;
 * whatever `encode` throws
 */
export function encodeContent<T>(payload: PayloadCodec<T>, message: T, writer: ByteWriter): void {
  const answer: unknown = payload.encode(message, writer);
  if (isPromise(answer)) {
    throw wrongAnswer('PIKE_ERR_SERIALIZER', 'encode of a payload must return nothing', answer);
  }
}

/** Decodes the content that stands in the reader's buffer from `start` up to `end`. */
export function decodeContent<T>(
  payload: PayloadCodec<T>,
  reader: ByteReader,
  start: number,
  end: number,
): T {
  return payload.decodeAt === undefined
    ? payload.decode(reader.view(start, end))
    : payload.decodeAt(reader.buffer, start, end);
}
