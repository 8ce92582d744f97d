import type { ByteWriter } from '../core/bytes/byte-writer.js';
import type { PayloadCodec } from './payload-codec.js';
import { requireText } from './require-text.js';
import { decodeUtf8 } from './utf8.js';

/**
 * Text in UTF-8. Decoding refuses invalid UTF-8 (`PIKE_ERR_MALFORMED`); encoding writes a lone
 * surrogate, which UTF-8 cannot express, as U+FFFD, as `Buffer` and `TextEncoder` do.
 */
export const textPayload: PayloadCodec<string> = {
  encode(message: string, writer: ByteWriter): void {
    writer.writeString(requireText(message));
  },
  decode(bytes: Buffer): string {
    return decodeUtf8(bytes, 0, bytes.length);
  },
  decodeAt: decodeUtf8,
};
