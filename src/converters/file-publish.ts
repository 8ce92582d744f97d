import { link, open, rename, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { toError } from '../core/errors.js';
import { markedName, randomMark } from './file-name.js';

/** What to do when a file of the name that a peer gave is there already. */
export type Existing = 'suffix' | 'refuse';

/** What the system is asked for; given by tests that play a file system without hard links. */
export interface Publishing {
  link: (existing: string, path: string) => Promise<void>;
}

/** What file systems without hard links say; EISDIR is Windows' "invalid function". */
const NO_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EISDIR']);
const MOST_TRIES = 8;

/**
 * Gives a finished file the name that it should have, without ever touching another of that name.
 * @returns where it is now
 * @throws the system's error; `EEXIST` if the name is taken and must not be varied
 */
export async function publish(
  part: string,
  directory: string,
  name: string,
  existing: Existing,
  publishing: Publishing = { link },
): Promise<string> {
  for (let tries = 0; ; tries += 1) {
    const path = join(directory, tries === 0 ? name : markedName(name, randomMark()));
    try {
      await moveTo(path, part, publishing);
      return path;
    } catch (error) {
      const taken = codeOf(error) === 'EEXIST';
      if (!taken || existing === 'refuse' || tries === MOST_TRIES) throw error;
    }
  }
}

/** Unlike `rename`, `link` fails if the name is taken, by a symbolic link too, and at once. */
async function moveTo(path: string, part: string, publishing: Publishing): Promise<void> {
  try {
    await publishing.link(part, path);
  } catch (error) {
    if (!NO_LINKS.has(codeOf(error) ?? '')) throw error;
    // The name is taken with an empty file of our own, which the finished one then replaces.
    await (await open(path, 'wx')).close();
    try {
      await rename(part, path);
    } catch (failed) {
      await unlink(path);
      throw failed;
    }
    return;
  }
  try {
    await unlink(part);
  } catch (error) {
    // The file has its name; that the other one is left over is for the administrator to know.
    process.emitWarning(toError(error));
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
