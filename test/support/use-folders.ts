import { afterEach, beforeEach } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Where files are sent from, and where they arrive. */
export interface Folders {
  outbox: string;
  inbox: string;
}

/** Has empty folders for each test. @param use given the next ones */
export function useFolders(use: (folders: Folders) => void): void {
  let folders: Folders;
  beforeEach(async () => {
    folders = await createFolders();
    use(folders);
  });
  afterEach(() => removeFolders(folders));
}

export async function createFolders(): Promise<Folders> {
  const create = (name: string): Promise<string> => mkdtemp(join(tmpdir(), `pike-${name}-`));
  return { outbox: await create('out'), inbox: await create('in') };
}

export async function removeFolders({ outbox, inbox }: Folders): Promise<void> {
  await rm(outbox, { recursive: true });
  await rm(inbox, { recursive: true });
}
