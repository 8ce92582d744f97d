import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeThrown, PikeError } from '../core/errors.js';
import { isPartName } from './file-name.js';

/**
 * Deletes the parts in a directory of which nobody says that they are in use, and nothing else.
 * @returns where they were
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`, with the system's error as `cause`
 */
export async function removeStaleParts(
  directory: string,
  inUse: (path: string) => boolean,
): Promise<string[]> {
  try {
    const entries = await readdir(directory, { withFileTypes: true });
    const parts = entries
      .filter((entry) => entry.isFile() && isPartName(entry.name))
      .map(({ name }) => join(directory, name))
      .filter((path) => !inUse(path));
    await Promise.all(parts.map((path) => rm(path, { force: true })));
    return parts;
  } catch (error) {
    throw new PikeError(
      'PIKE_ERR_INVALID_OPTION',
      `The directory ${directory} cannot be cleared of parts: ${describeThrown(error)}`,
      { cause: error },
    );
  }
}
