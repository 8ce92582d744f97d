import type { ByteWriter } from '../core/byte-writer.js';

/**
 * What stands inside a frame: turns a message into the frame's content and back. A framing
 * (`LengthPrefixedConverter`, `DelimitedConverter`, `LineConverter`) knows where a message ends, so a codec always sees all of it. One
 * instance serves all connections, so it keeps no state of any.
 */
export interface PayloadCodec<T> {
  /** Writes the content, without any framing. Throwing rejects the message. */
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

/** Decodes the content that stands in `buffer` from `start` up to `end`. */
export function decodeContent<T>(
  payload: PayloadCodec<T>,
  buffer: Buffer,
  start: number,
  end: number,
): T {
  return payload.decodeAt === undefined
    ? payload.decode(buffer.subarray(start, end))
    : payload.decodeAt(buffer, start, end);
}
