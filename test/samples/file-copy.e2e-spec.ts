// Prevents: a file copy that loses, doubles or truncates a file when one side is killed, that lets a
// stranger write where it should not, or whose memory grows with the file.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { mkdtemp, open, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { freePort } from '../support/free-port.js';
import type { Program } from '../support/project.js';
import { Project } from '../support/project.js';
import { RawPeer } from '../support/raw-peer.js';

const MIB = 1024 ** 2;
/** `npm run test:large` makes it 2 GiB. */
const LARGE = Number(process.env.PIKE_FILE_BYTES ?? 128 * MIB);

let project: Project;
let folder: string;
let inbox: string;
let port: number;

beforeAll(async () => {
  project = await Project.create();
  await project.addFolder('sample/03-file-copy');
});
afterAll(() => project.remove());
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pike-copy-'));
  inbox = join(folder, 'inbox');
  port = await freePort();
});
afterEach(() => rm(folder, { recursive: true }));

async function startServer(...options: string[]): Promise<Program> {
  const args = [inbox, '--port', `${port}`, ...options];
  const server = project.start({ file: 'sample/03-file-copy/main.js', args });
  await server.prints('Storing files in');
  return server;
}

function startSender(...args: string[]): Program {
  const file = 'sample/03-file-copy/send.js';
  return project.start({ file, args: ['--to', `127.0.0.1:${port}`, ...args] });
}

async function stop(server: Program): Promise<void> {
  server.kill('SIGTERM');
  expect(await server.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
}

/** A file of so many bytes, different in each MiB, made without holding it. */
async function makeFile(name: string, bytes: number): Promise<string> {
  const path = join(folder, name);
  const file = await open(path, 'w');
  const block = randomBytes(MIB);
  for (let at = 0; at < bytes; at += MIB) {
    block.writeDoubleLE(at);
    await file.write(block, 0, Math.min(MIB, bytes - at));
  }
  await file.close();
  return path;
}

async function sha256(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Every file has arrived, under its own name and unaltered, and there is nothing else: no part, no second copy. */
async function expectStored(...paths: string[]): Promise<void> {
  const names = paths.map((path) => path.slice(folder.length + 1));
  expect((await readdir(inbox)).sort()).toEqual(names.toSorted());
  for (const [i, path] of paths.entries()) {
    expect(await sha256(join(inbox, names[i] as string))).toBe(await sha256(path));
  }
}

describe('the file copy', () => {
  it('stores several files at once, and says so', async () => {
    const server = await startServer();
    const paths = await Promise.all(
      [0, 1, 5 * MIB, 20 * MIB, 3000].map((bytes, i) => makeFile(`${i}.bin`, bytes)),
    );
    const { code, stdout } = await startSender(...paths).ended;
    expect({ code, last: stdout.trim().split('\n').at(-1) }).toEqual({
      code: 0,
      last: '5 of 5 files are stored.',
    });
    for (const path of paths) expect(stdout).toContain(await sha256(path));
    expect(stdout).toMatch(/100 % {2}25\.0 MiB of 25\.0 MiB/);
    await expectStored(...paths);
    await stop(server);
  });

  it('says what it cannot send, by its exit status too', async () => {
    const server = await startServer('--limit', '1000');
    const [good, large] = [await makeFile('good', 1000), await makeFile('large', 1001)];
    const some = await startSender('--attempts', '1', good, join(folder, 'none')).ended;
    expect(some).toMatchObject({ code: 1 });
    expect(some.stdout).toContain('1 of 2 files are stored.');
    // More than the server takes: the connection is cut, and no part is left.
    const none = await startSender('--attempts', '1', large).ended;
    expect(none).toMatchObject({ code: 1 });
    expect(none.stdout).toContain(`NOT stored: ${large}`);
    expect(await startSender().ended).toMatchObject({ code: 2, stdout: '' });
    await stop(server);
    await expectStored(good);
    const refused = await startSender('--attempts', '1', good).ended;
    expect(refused).toMatchObject({ code: 1 });
    expect(refused.stdout).toContain('ECONNREFUSED');
  });

  it.each<NodeJS.Signals>(['SIGKILL', 'SIGTERM'])(
    'goes on where the server got %s in the middle of a file, and stores each once',
    async (signal) => {
      let server = await startServer();
      const paths = [await makeFile('small', 1000), await makeFile('big', 100 * MIB)];
      const sender = startSender('--connections', '1', ...paths, await makeFile('next', 2 * MIB));
      await sender.prints(' 20 %');
      server.kill(signal);
      await server.ended;
      server = await startServer();
      const { code, stdout } = await sender.ended;
      expect(stdout).toContain('3 of 3 files are stored.');
      expect(code).toBe(0);
      await expectStored(...paths, join(folder, 'next'));
      await stop(server);
    },
  );

  it('leaves nothing behind when the sender is killed, and serves the next one', async () => {
    const server = await startServer();
    const [big, next] = [await makeFile('big', 100 * MIB), await makeFile('next', MIB)];
    const sender = startSender(big);
    await sender.prints(' 20 %');
    sender.kill('SIGKILL');
    await server.prints('A sender was lost');
    expect(await startSender(next).ended).toMatchObject({ code: 0 });
    await stop(server);
    await expectStored(next);
  });

  it('gives up when interrupted, and says what is not stored', async () => {
    const server = await startServer();
    const big = await makeFile('big', 100 * MIB);
    const sender = startSender(big);
    await sender.prints(' 20 %');
    sender.kill('SIGINT');
    const { code, stdout } = await sender.ended;
    expect(code).toBe(130);
    expect(stdout).toContain(`NOT stored: ${big}`);
    await stop(server);
    expect(await readdir(inbox)).toEqual([]);
  });

  it('cuts off a stranger who names a file elsewhere, or sends garbage, and goes on', async () => {
    const server = await startServer();
    const header = (name: string): Buffer => {
      const bytes = Buffer.alloc(14);
      bytes.write('PKF1');
      bytes.writeUInt8(1, 4);
      bytes.writeUInt8(Buffer.byteLength(name), 5);
      bytes.writeBigUInt64BE(5n, 6);
      return Buffer.concat([bytes, Buffer.from(name), Buffer.from('mine!'), Buffer.alloc(4)]);
    };
    for (const bytes of [
      header('../escaped'),
      header('/tmp/escaped'),
      header('nul\0byte'),
      header('wrong checksum'),
      Buffer.from('GET / HTTP/1.1\r\n\r\n'),
    ]) {
      const peer = await RawPeer.connect({ host: '127.0.0.1', port });
      peer.write(bytes);
      await peer.ended;
      expect(peer.text).toBe('');
      await peer.destroy();
    }
    const good = join(folder, 'good');
    await writeFile(good, 'still here');
    expect(await startSender(good).ended).toMatchObject({ code: 0 });
    await stop(server);
    await expectStored(good);
    expect((await readdir(folder)).sort()).toEqual(['good', 'inbox']);
  });

  it(`sends ${LARGE / MIB} MiB in flat memory`, async () => {
    const big = await makeFile('big', LARGE);
    const server = await startServer();
    const sender = startSender(big);
    const curve: Record<string, number[]> = { server: [], sender: [] };
    for (let percent = 10; percent < 100; percent += 10) {
      await sender.prints(`${percent} %`);
      curve.server?.push(residentMiB(server));
      curve.sender?.push(residentMiB(sender));
    }
    expect(await sender.ended).toMatchObject({ code: 0 });
    await expectStored(big);
    await stop(server);

    console.log(`Resident MiB at each tenth of ${LARGE / MIB} MiB: ${JSON.stringify(curve)}`);
    for (const figures of Object.values(curve)) {
      // Whoever keeps what is sent grows by nine tenths of it, and by half of it from the middle on.
      expect(Math.max(...figures)).toBeLessThan(250);
      expect(Math.max(...figures.slice(4)) - Math.max(...figures.slice(0, 5))).toBeLessThan(32);
    }
  }, 240_000);
});

/** What a process takes of the memory now. */
function residentMiB({ pid }: Program): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
}
