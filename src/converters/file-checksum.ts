import { createHash } from 'node:crypto';
import { crc32 } from 'node:zlib';

/**
 * How a file is checked: `crc32` finds what breaks by accident, at a third of the cost; `sha256`
 * also names the content, for comparing it with what came another way. As both travel beside the
 * content, neither protects from a peer or from somebody in between: TLS does.
 */
export type FileChecksum = 'crc32' | 'sha256';

/** A checksum that is computed while the content passes. */
export interface RunningChecksum {
  update(bytes: Uint8Array): void;
  /** The checksum of all that has passed. To be called once. */
  digest(): Buffer;
}

/** The number that stands for each checksum on the wire, and how many bytes it takes. */
export const CHECKSUMS: Readonly<Record<FileChecksum, { id: number; bytes: number }>> = {
  crc32: { id: 1, bytes: 4 },
  sha256: { id: 2, bytes: 32 },
};

/** Begins to compute a checksum. */
export function startChecksum(kind: FileChecksum): RunningChecksum {
  return kind === 'sha256' ? createHash('sha256') : new Crc32();
}

/** The CRC-32 of zlib, PNG and Ethernet, big-endian. */
class Crc32 implements RunningChecksum {
  #value = 0;

  update(bytes: Uint8Array): void {
    this.#value = crc32(bytes, this.#value);
  }

  digest(): Buffer {
    const digest = Buffer.alloc(4);
    digest.writeUInt32BE(this.#value);
    return digest;
  }
}
