// Prevents: parts of a killed process that fill the disk, and a clearing that takes something else.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { readdirSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.js';
import { encodeAll } from '../testing/converter-contract.js';
import { standInConnection } from '../testing/every-split.js';
import { FileConverter } from './file-converter.js';
import { partName, randomMark } from './file-name.js';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pike-parts-'));
});
afterEach(() => rm(directory, { recursive: true }));

describe('removeStaleParts', () => {
  it('deletes the parts of any names, and says where they were', async () => {
    const names = ['a', 'Größe \u{1F600}.txt', 'x'.repeat(255)];
    const parts = names.map((name) => join(directory, partName(name, randomMark())));
    await Promise.all(parts.map((path) => writeFile(path, 'some')));
    const removed = await new FileConverter({ directory }).removeStaleParts();
    expect(removed.sort()).toEqual(parts.sort());
    expect(await readdir(directory)).toEqual([]);
  });

  it('leaves everything else', async () => {
    await writeFile(join(directory, 'whole.txt'), 'content');
    await writeFile(join(directory, 'whole.txt.0123456789ab.part'), 'a name that a peer may give');
    await writeFile(join(directory, '.hidden'), 'content');
    await mkdir(join(directory, '.a.0123456789ab.part'));
    await symlink('whole.txt', join(directory, '.b.0123456789ab.part'));
    const before = await readdir(directory);
    await expect(new FileConverter({ directory }).removeStaleParts()).resolves.toEqual([]);
    expect(await readdir(directory)).toEqual(before);
  });

  it('leaves the part of a file that the converter is receiving, and takes it from another', async () => {
    const path = join(directory, 'source');
    await writeFile(path, 'content');
    const wire = await encodeAll(new FileConverter(), { path });
    const converter = new FileConverter({ directory });
    const deserializer = converter.createDeserializer(standInConnection(), {
      maxMessageBytes: 100,
    });
    const [unused] = deserializer.putBytes(wire.subarray(0, -1), () => {}) as [Buffer, symbol];
    await eventually(() => readdirSync(directory).length === 2);
    await expect(converter.removeStaleParts()).resolves.toEqual([]);
    await expect(new FileConverter({ directory }).removeStaleParts()).resolves.toHaveLength(1);
    await new Promise<void>((resolve) => {
      deserializer.putBytes(wire.subarray(-1 - unused.length), resolve);
    });
    expect(() => deserializer.putBytes(Buffer.alloc(0), () => {})).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_DESERIALIZER' }),
    );
    deserializer.destroy?.();
    await converter.settled();
    expect(await readdir(directory)).toEqual(['source']);
  });

  it('has nothing to delete without a directory', async () => {
    await expect(new FileConverter().removeStaleParts()).resolves.toEqual([]);
  });

  it('says which directory it cannot read, and why', async () => {
    const missing = join(directory, 'missing');
    await expect(
      new FileConverter({ directory: missing }).removeStaleParts(),
    ).rejects.toMatchObject({
      code: 'PIKE_ERR_INVALID_OPTION',
      message: expect.stringContaining(missing),
      cause: { code: 'ENOENT' },
    });
  });
});
