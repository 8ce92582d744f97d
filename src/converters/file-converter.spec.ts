// Prevents: files that depend on how their bytes are cut, and headers that a peer makes to harm.
import { afterAll, afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileHeader } from '../../test/support/file-frame.js';
import { encodeAll, testConverter } from '../testing/converter-contract.js';
import { decodeAll, everySplit, standInConnection } from '../testing/every-split.js';
import { FileConverter } from './file-converter.js';
import type { FileMessage, FileProgress } from './file-message.js';
import { isReceivedFile } from './file-message.js';

const shared = mkdtempSync(join(tmpdir(), 'pike-contract-'));
const sources = mkdtempSync(join(tmpdir(), 'pike-sources-'));
afterAll(() => {
  for (const directory of [shared, sources]) rmSync(directory, { recursive: true });
});

const SAMPLES: FileMessage[] = [
  { path: source('empty', '') },
  { path: source('one byte', 'x') },
  { path: source('some.txt', 'PKF1 content \0\u{1F600}') },
  { path: source('named', 'by its sender'), name: 'Größe.txt' },
];

for (const checksum of ['crc32', 'sha256'] as const) {
  testConverter(new FileConverter({ directory: shared, checksum }), SAMPLES, {
    name: `FileConverter with ${checksum}`,
    // Decoding thousands of times, with a few calls to the disk each.
    patience: 10_000,
    bounded: false,
    compare: ({ path, name = basename(path) }) => [name, readFileSync(path, 'utf8')],
    malformed: {
      'another protocol': 'GET / HTTP/1.1\r\n\r\n',
      'another version': Buffer.from('PKF2\x01\x01'),
      'no checksum': fileHeader({ kind: 0 }),
      'a checksum of an unknown kind': fileHeader({ kind: 3 }),
      'no name': fileHeader({ name: '' }),
      'a name that leaves the directory': fileHeader({ name: '../a' }),
      'a name that is not UTF-8': Buffer.concat([
        fileHeader({ name: 'a' }).subarray(0, 14),
        Buffer.from([0xff]),
      ]),
      'a wrong checksum': Buffer.concat([fileHeader({ size: 1n }), Buffer.from('x\0\0\0\0')]),
      'a wrong checksum of nothing': Buffer.concat([fileHeader({}), Buffer.from('\0\0\0\x01')]),
    },
    unsendable: {
      undefined,
      'a path alone': '/etc/hostname',
      'no path': { name: 'a' },
      'a path with a NUL': { path: 'a\0b', name: 'a' },
      'a name that is no text': { path: '/etc/hostname', name: 1 },
      'a name that leaves the directory': { path: '/etc/hostname', name: '../a' },
      'an empty name': { path: '/etc/hostname', name: '' },
      'a directory': { path: sources, name: 'a' },
      'a device': { path: '/dev/null' },
      'a file that is not there': { path: join(sources, 'nowhere') },
    },
  });
}

describe('FileConverter', () => {
  let directory: string;
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pike-files-'));
  });
  afterEach(() => rm(directory, { recursive: true }));

  it('writes what docs/file-protocol.md says', async () => {
    const bytes = await encodeAll(new FileConverter(), { path: source('a.txt', 'hello') });
    // The CRC-32 of "hello" is 3610a686.
    expect(bytes.toString('latin1')).toBe(
      'PKF1\x01\x05\0\0\0\0\0\0\0\x05a.txthello\x36\x10\xa6\x86',
    );
  });

  it.each([
    ['one more than may be', 101n],
    ['more than a number can hold exactly', 2n ** 53n + 1n],
    ['the largest', 2n ** 64n - 1n],
  ])('refuses a size before anything is stored: %s', async (_what, size) => {
    const converter = new FileConverter({ directory, maxFileBytes: 100 });
    const { error } = await everySplit(converter, fileHeader({ size }));
    expect(error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
    await converter.settled();
    expect(await readdir(directory)).toEqual([]);
  });

  it('takes, and sends, a file of maxFileBytes', async () => {
    const converter = new FileConverter({ directory, maxFileBytes: 5 });
    const bytes = await encodeAll(converter, { path: source('five', '12345') });
    const [message] = await decodeAll(converter, bytes);
    expect(message).toEqual({ path: join(directory, 'five'), name: 'five', size: 5 });
    await expect(encodeAll(converter, { path: source('six', '123456') })).rejects.toMatchObject({
      code: 'PIKE_ERR_MESSAGE_TOO_LARGE',
    });
    await converter.settled();
  });

  it('takes no file if it has no directory', async () => {
    const converter = new FileConverter();
    const { error } = await everySplit(converter, fileHeader({}));
    expect(error).toMatchObject({ code: 'PIKE_ERR_DESERIALIZER' });
  });

  it('tells received files from others, and sends them on as they are', async () => {
    const converter = new FileConverter({ directory, checksum: 'sha256' });
    const sent: FileMessage = { path: source('on', 'and on') };
    const [received] = await decodeAll(converter, await encodeAll(converter, sent));
    expect([isReceivedFile(sent), received && isReceivedFile(received)]).toEqual([false, true]);
    const [again] = await decodeAll(converter, await encodeAll(converter, received as FileMessage));
    expect(again).toMatchObject({ name: 'on', size: 6, sha256: received?.sha256 });
    expect(again?.path).not.toBe(received?.path);
  });

  it('keeps two files of one name apart that arrive at the same time', async () => {
    const converter = new FileConverter({ directory });
    const contents = Array.from({ length: 10 }, (_, index) => `content ${index}`);
    const wires = await Promise.all(
      contents.map((content, index) =>
        encodeAll(converter, { path: source(`same-${index}`, content), name: 'same.txt' }),
      ),
    );
    const received = await Promise.all(wires.map((wire) => decodeAll(converter, wire)));
    const paths = received.flat().map(({ path }) => path);
    expect(new Set(paths).size).toBe(10);
    expect(paths.map((path) => readFileSync(path, 'utf8'))).toEqual(contents);
    await converter.settled();
    expect(await readdir(directory)).toHaveLength(10);
  });

  it('tells both sides how far a file is', async () => {
    const states: FileProgress[] = [];
    const converter = new FileConverter({ directory, onProgress: (state) => states.push(state) });
    const connection = standInConnection();
    const path = source('progress', 'x'.repeat(300_000));
    const wire = await encodeAll(converter, { path }, { connection });
    await decodeAll(converter, wire, { connection });
    for (const direction of ['sending', 'receiving'] as const) {
      const own = states.filter((state) => state.direction === direction);
      expect(own.at(-1)).toEqual({
        connection,
        direction,
        name: 'progress',
        bytes: 300_000,
        size: 300_000,
      });
      const counts = own.map(({ bytes }) => bytes);
      expect(counts).toEqual([...counts].sort((a, b) => a - b));
    }
    expect(states.filter(({ direction }) => direction === 'sending').length).toBeGreaterThan(1);
  });

  it.each([
    ['has grown', (path: string) => appendFile(path, 'more')],
    ['has shrunk', (path: string) => writeFile(path, 'less')],
    // As by a program that has written to it: the system's own clock may be too coarse to tell.
    ['was written to', (path: string) => utimesSync(path, 1, 1)],
  ])('does not complete a file that %s while it was sent', async (_what, change) => {
    const path = join(directory, 'changing');
    await writeFile(path, Buffer.alloc(1_000_000));
    let changed = false;
    const converter = new FileConverter();
    const serializer = converter.createSerializer({ path }, standInConnection());
    const pull = async (): Promise<number> => {
      for (;;) {
        let bytes: Uint8Array | symbol = new Uint8Array();
        await new Promise<void>((resolve) => {
          bytes = serializer.getBytes(resolve);
          if (typeof bytes !== 'symbol') resolve();
        });
        if (typeof bytes !== 'symbol') return bytes.length;
      }
    };
    const all = async (): Promise<void> => {
      for (let left = await pull(); left > 0; left = await pull()) {
        if (!changed) change(path);
        changed = true;
      }
    };
    await expect(all()).rejects.toMatchObject({ code: 'PIKE_ERR_SERIALIZER' });
    expect(changed).toBe(true);
    serializer.destroy?.();
    await converter.settled();
  });

  if (process.platform !== 'win32') {
    it('is not held up by a FIFO that nobody writes to', async () => {
      const path = join(directory, 'fifo');
      execFileSync('mkfifo', [path]);
      const converter = new FileConverter();
      await expect(encodeAll(converter, { path })).rejects.toMatchObject({
        code: 'PIKE_ERR_SERIALIZER',
      });
      await converter.settled();
    });
  }

  it.each([
    [{ directory: '' }, 'directory'],
    [{ directory: 'a\0b' }, 'directory'],
    [{ directory: 1 }, 'directory'],
    [{ maxFileBytes: -1 }, 'maxFileBytes'],
    [{ maxFileBytes: 1.5 }, 'maxFileBytes'],
    [{ maxFileBytes: Infinity }, 'maxFileBytes'],
    [{ existing: 'overwrite' }, 'existing'],
    [{ checksum: 'md5' }, 'checksum'],
    [{ checksum: 'toString' }, 'checksum'],
    [{ onProgress: true }, 'onProgress'],
    [{ dir: '/tmp' }, 'dir'],
  ])('refuses the options %p', (options, name) => {
    expect(() => new FileConverter(options as object)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(name),
      }),
    );
  });

  it('gives a file, a wait or a PikeError for any bytes, the same at every cut', async () => {
    const converter = new FileConverter({ directory, maxFileBytes: 1000 });
    const valid = await encodeAll(converter, { path: source('v', 'content') });
    const compare = ({ name, size }: FileMessage): unknown => [name, size];
    const change = fc.tuple(fc.nat(valid.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { maxLength: 2 }), async (changes) => {
        const bytes = Buffer.from(valid);
        for (const [at, value] of changes) bytes[at] = value;
        const { error } = await everySplit(converter, bytes, { compare, patience: 10_000 });
        if (error !== undefined) expect(error).toHaveProperty('code');
      }),
      { numRuns: 30 },
    );
    await converter.settled();
    expect((await readdir(directory)).filter((name) => name.endsWith('.part'))).toEqual([]);
  }, 30_000);
});

it('have left whole files, and no parts of those that the contract suites have cut', () => {
  expect(readdirOf(shared).filter((name) => name.endsWith('.part'))).toEqual([]);
});

function readdirOf(directory: string): string[] {
  return execFileSync('ls', ['-A', directory]).toString().split('\n');
}

function source(name: string, content: string): string {
  const path = join(sources, name);
  writeFileSync(path, content);
  return path;
}
