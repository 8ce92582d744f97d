import { isUint8Array } from 'node:util/types';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import type { PayloadCodec } from './payload-codec.js';

/**
 * The content as it is. What is received is a view of the buffer that arrived: valid for ever, but
 * it holds on to that buffer, so copy (`Buffer.from(bytes)`) small parts that are kept for long.
 * Any `Uint8Array` can be sent; anything else throws `PIKE_ERR_SERIALIZER`.
 */
export const rawPayload: PayloadCodec<Buffer> = {
  encode(message: Uint8Array, writer: ByteWriter): void {
    if (!isUint8Array(message)) {
      throw new PikeError(
        'PIKE_ERR_SERIALIZER',
        `A Buffer or Uint8Array can be sent; got ${typeof message}.`,
      );
    }
    writer.writeBytes(message);
  },
  decode(bytes: Buffer): Buffer {
    return bytes;
  },
};
