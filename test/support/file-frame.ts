import { crc32 } from 'node:zlib';

/** A file's header as docs/file-protocol.md has it, whatever it says. */
export function fileHeader({ kind = 1, name = 'a', size = 0n }): Buffer {
  const fixed = Buffer.from('PKF1\0\0\0\0\0\0\0\0\0\0');
  fixed.writeUInt8(kind, 4);
  fixed.writeUInt8(Buffer.byteLength(name), 5);
  fixed.writeBigUInt64BE(size, 6);
  return Buffer.concat([fixed, Buffer.from(name)]);
}

/** A whole file with a CRC-32, as docs/file-protocol.md has it, whatever its name. */
export function fileFrame(name: string, content: string): Buffer {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(content));
  const size = BigInt(Buffer.byteLength(content));
  return Buffer.concat([fileHeader({ name, size }), Buffer.from(content), checksum]);
}
