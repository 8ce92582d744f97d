import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The version of this package: the nearest manifest above that names one. (`dist` has one that does not.) */
export function packageVersion(): string {
  let folder = new URL('./', import.meta.url);
  for (let above = new URL('../', folder); above.href !== folder.href;) {
    const { version } = readManifest(new URL('package.json', folder));
    if (version !== undefined) return version;
    folder = above;
    above = new URL('../', folder);
  }
  throw new Error('The package has no package.json.');
}

function readManifest(file: URL): { version?: string } {
  try {
    return JSON.parse(readFileSync(fileURLToPath(file), 'utf8')) as { version?: string };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
}
