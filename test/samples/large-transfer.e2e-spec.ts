// Prevents: a file copy whose memory grows with the file, or that fails beyond what 31 bits can count.
import { expect, it } from '@jest/globals';
import { createHash, randomBytes } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Program } from '../support/project.js';
import { useFileCopy } from './file-copy-programs.js';
import type { FileCopy } from './file-copy-programs.js';

const MIB = 1024 ** 2;
/** `npm run test:large` makes it 2 GiB. */
const LARGE = Number(process.env.PIKE_FILE_BYTES ?? 128 * MIB);

let copy: FileCopy;
useFileCopy((next) => (copy = next));

/** A file of so many bytes, different in each MiB, made without holding it. */
async function makeFile(path: string, bytes: number): Promise<void> {
  const file = await open(path, 'w');
  const block = randomBytes(MIB);
  for (let at = 0; at < bytes; at += MIB) {
    block.writeDoubleLE(at);
    await file.write(block, 0, Math.min(MIB, bytes - at));
  }
  await file.close();
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** What a process takes of the memory now. */
function residentMiB({ pid }: Program): number {
  const [, kib] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kib) / 1024);
}

it(`copies ${LARGE / MIB} MiB in flat memory`, async () => {
  const path = join(copy.outbox, 'large.bin');
  await makeFile(path, LARGE);
  const { endpoint, program: server } = await copy.startServer();
  const sender = copy.startSender(endpoint, path);
  const curve: Record<string, number[]> = { server: [], sender: [] };
  for (let percent = 10; percent < 100; percent += 10) {
    await sender.prints(`${percent} %`);
    curve.server?.push(residentMiB(server));
    curve.sender?.push(residentMiB(sender));
  }
  const { code, stdout, stderr } = await sender.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const sha256 = await sha256Of(path);
  expect(stdout).toContain(`${sha256}  ${path}`);
  expect(await copy.storedNames()).toEqual(['large.bin']);
  expect(await sha256Of(join(copy.inbox, 'large.bin'))).toBe(sha256);

  console.log(`Resident MiB at each tenth of ${LARGE / MIB} MiB: ${JSON.stringify(curve)}`);
  for (const figures of Object.values(curve)) {
    // Whoever keeps what is sent grows by nine tenths of it, and by half of it from the middle on.
    expect(Math.max(...figures)).toBeLessThan(250);
    expect(Math.max(...figures.slice(4)) - Math.max(...figures.slice(0, 5))).toBeLessThan(32);
  }
}, 240_000);
