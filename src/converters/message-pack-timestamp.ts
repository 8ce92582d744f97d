import type { ByteWriter } from '../core/bytes/byte-writer.js';

/** The type of the timestamp extension, -1, as an unsigned byte. */
export const TIMESTAMP_TYPE = 0xff;

const MOST_NANOSECONDS = 999_999_999;
/** The range of `Date`, in seconds either side of 1970 (ECMA-262, Time Values and Time Range). */
const MOST_SECONDS = 8_640_000_000_000n;

/**
 * The date of a timestamp of 4, 8 or 12 bytes, to the millisecond below; `undefined` if the bytes
 * are none, or none that a `Date` can express.
 */
export function decodeTimestamp(bytes: Buffer, start: number, length: number): Date | undefined {
  if (length === 4) return new Date(bytes.readUInt32BE(start) * 1000);
  if (length === 8) {
    const high = bytes.readUInt32BE(start);
    const seconds = (high & 0x3) * 2 ** 32 + bytes.readUInt32BE(start + 4);
    return dateOf(seconds, high >>> 2);
  }
  if (length === 12) {
    const seconds = bytes.readBigInt64BE(start + 4);
    if (seconds > MOST_SECONDS || seconds < -MOST_SECONDS) return undefined;
    return dateOf(Number(seconds), bytes.readUInt32BE(start));
  }
  return undefined;
}

function dateOf(seconds: number, nanoseconds: number): Date | undefined {
  if (nanoseconds > MOST_NANOSECONDS) return undefined;
  const date = new Date(seconds * 1000 + Math.floor(nanoseconds / 1e6));
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** Writes a valid date in the shortest of the three forms. */
export function encodeTimestamp(date: Date, writer: ByteWriter): void {
  const time = date.getTime();
  const seconds = Math.floor(time / 1000);
  const nanoseconds = (time - seconds * 1000) * 1e6;
  if (seconds < 0 || seconds >= 2 ** 34) {
    writer.writeUInt8(0xc7).writeUInt8(12).writeUInt8(TIMESTAMP_TYPE).writeUInt32BE(nanoseconds);
    writer.writeUInt32BE(Math.floor(seconds / 2 ** 32) >>> 0).writeUInt32BE(seconds >>> 0);
  } else if (nanoseconds === 0 && seconds < 2 ** 32) {
    writer.writeUInt8(0xd6).writeUInt8(TIMESTAMP_TYPE).writeUInt32BE(seconds);
  } else {
    const high = nanoseconds * 4 + Math.floor(seconds / 2 ** 32);
    writer.writeUInt8(0xd7).writeUInt8(TIMESTAMP_TYPE);
    writer.writeUInt32BE(high).writeUInt32BE(seconds >>> 0);
  }
}
