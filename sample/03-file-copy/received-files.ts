import { Injectable } from '@nestjs/common';
import type { OnApplicationShutdown } from '@nestjs/common';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { lstat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FileConverter } from 'nestjs-pike/converters';
import type { ReceivedFile } from 'nestjs-pike/converters';
import type { Receipt } from './protocol.js';

/** The files that have arrived. */
@Injectable()
export class ReceivedFiles implements OnApplicationShutdown {
  constructor(private readonly converter: FileConverter) {}

  /**
   * Makes sure that a file which was sent twice, because the first receipt never came, is there
   * once: no file is overwritten, so the second has got a name of its own.
   */
  async keep(file: ReceivedFile): Promise<Receipt> {
    const { name, size, path } = file;
    const sha256 = file.sha256 ?? (await sha256Of(path));
    const earlier = join(dirname(path), name);
    if (earlier === path || !(await isFileWith(earlier, size, sha256))) {
      return { name, storedAs: basename(path), size, sha256 };
    }
    await unlink(path);
    return { name, storedAs: name, size, sha256 };
  }

  /** The process must not exit while the part of a file that was cut off is being deleted. */
  async onApplicationShutdown(): Promise<void> {
    await this.converter.settled();
  }
}

/** What cannot be read, or is there no more, is not the same: then both stay. */
async function isFileWith(path: string, size: number, sha256: string): Promise<boolean> {
  try {
    const stats = await lstat(path);
    return stats.isFile() && stats.size === size && (await sha256Of(path)) === sha256;
  } catch {
    return false;
  }
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}
