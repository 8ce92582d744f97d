// A file from disk to disk over a socket: `FileConverter` against stream.pipeline(createReadStream,
// socket) into stream.pipeline(socket, createWriteStream), that with Node's own buffer sizes and with
// FileConverter's. Without and with a SHA-256 on both sides; without, FileConverter checks a CRC-32, and
// the streams nothing. 1 GiB, 32 MiB with `--quick`; in the system's temporary directory.
// `npm run bench:files [-- --quick] [--json FILE] [--mib 256] [--directory /mnt/disk]`
import { randomBytes } from 'node:crypto';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compare } from './harness/compare.mjs';
import { ownVersion } from './harness/machine.mjs';
import { readOptions } from './harness/options.mjs';
import { PeerProcess } from './harness/peer-process.mjs';
import { report } from './harness/report.mjs';

const MIB = 1024 * 1024;
const { quick, json, rounds, mib, directory } = readOptions({
  rounds: 7,
  own: { mib: { type: 'string' }, directory: { type: 'string', default: tmpdir() } },
});
const mebibytes = Number(mib ?? (quick ? 32 : 1024));
if (!Number.isInteger(mebibytes) || mebibytes < 1) {
  throw new TypeError(`--mib must be a whole number of MiB; got ${mib}.`);
}
const size = mebibytes * MIB;
const PEERS = [
  { way: 'stream', name: 'stream.pipeline', version: process.version },
  { way: 'tuned', name: 'stream.pipeline, our buffer sizes', version: process.version },
  { way: 'files', name: 'nestjs-pike, FileConverter', version: ownVersion },
];

/** Written to the disk before anything is measured. */
async function makeSource(path) {
  const source = await open(path, 'wx');
  const content = randomBytes(MIB);
  for (let bytes = 0; bytes < size; bytes += MIB) await source.write(content);
  await source.sync();
  await source.close();
}

function start(file, ...args) {
  const path = fileURLToPath(new URL(`files/${file}`, import.meta.url));
  return new PeerProcess([process.execPath, path, ...args]);
}

const folder = await mkdtemp(join(directory, 'pike-bench-'));
try {
  const path = join(folder, 'source');
  await makeSource(path);
  const receiver = start('receiver.mjs', folder);
  const sender = start('sender.mjs');
  const ports = await receiver.next();
  await sender.next();

  /** Sends the file once: how much a second until it is stored, and how long both CPUs worked. */
  const measure = async ({ way }, checked) => {
    const before = await receiver.ask('cpu');
    const port = ports[checked ? 'checked' : 'plain'][way];
    const began = performance.now();
    const stored = receiver.next().then((copy) => ({ copy, ms: performance.now() - began }));
    const order = { way, path, checked, port };
    const [{ copy, ms }, { digest, cpu }] = await Promise.all([stored, sender.ask(order)]);
    if ((await stat(copy.path)).size !== size) throw new Error(`${way}: the copy is not whole`);
    // FileConverter has compared the digests itself.
    if (way !== 'files' && copy.digest !== digest) throw new Error(`${way}: the copy differs`);
    await rm(copy.path);
    const cpuMs = (await receiver.ask('cpu')) - before + cpu;
    return { 'MiB/s': (mebibytes * 1000) / ms, 'CPU s/GiB': (cpuMs / 1000) * (1024 / mebibytes) };
  };

  const sections = [];
  for (const checked of [false, true]) {
    // A first round, not counted, warms all up.
    await compare(PEERS, 1, (peer) => measure(peer, checked));
    const results = await compare(PEERS, rounds, (peer) => measure(peer, checked));
    const title = `${mebibytes} MiB, ${checked ? 'SHA-256 on both sides' : 'no SHA-256'}`;
    sections.push({ title, unit: 'MiB/s', results });
  }
  await Promise.all([sender.stop(), receiver.stop()]);
  const title = 'A file over a socket';
  report({ name: 'files', title, sections, peers: PEERS, rounds, quick, json });
} finally {
  await rm(folder, { recursive: true });
}
