// A file from disk to disk over a socket: `FileConverter` against stream.pipeline(createReadStream,
// socket) into stream.pipeline(socket, createWriteStream), that with Node's own buffer sizes and with
// FileConverter's. Without and with a SHA-256 on both sides; without, FileConverter checks a CRC-32, and
// the streams nothing. 1 GiB, 32 MiB with `--quick`; in the system's temporary directory.
// `npm run bench:files [-- --quick] [--json FILE] [--mib 256] [--directory /mnt/disk]`
import { tmpdir } from 'node:os';
import { FileTransfer } from './files/running.mjs';
import { compare } from './harness/compare.mjs';
import { ownVersion } from './harness/machine.mjs';
import { readOptions } from './harness/options.mjs';
import { report } from './harness/report.mjs';

const { quick, json, rounds, mib, directory } = readOptions({
  rounds: 5,
  own: { mib: { type: 'string' }, directory: { type: 'string', default: tmpdir() } },
});
const mebibytes = Number(mib ?? (quick ? 32 : 1024));
if (!Number.isInteger(mebibytes) || mebibytes < 1) {
  throw new TypeError(`--mib must be a whole number of MiB; got ${mib}.`);
}
const PEERS = [
  { way: 'stream', name: 'stream.pipeline', version: process.version },
  { way: 'tuned', name: 'stream.pipeline, our buffer sizes', version: process.version },
  { way: 'files', name: 'nestjs-pike, FileConverter', version: ownVersion },
];

const transfer = await FileTransfer.start({ mebibytes, directory });
try {
  const sections = [];
  for (const checked of [false, true]) {
    const measure = async ({ way }) => {
      const { ms, cpu } = await transfer.measure(way, checked);
      return { 'MiB/s': (mebibytes * 1000) / ms, 'CPU s/GiB': (cpu / 1000) * (1024 / mebibytes) };
    };
    // A first round, not counted, warms all up.
    await compare(PEERS, 1, measure);
    const results = await compare(PEERS, rounds, measure);
    const title = `${mebibytes} MiB, ${checked ? 'SHA-256 on both sides' : 'no SHA-256'}`;
    sections.push({ title, unit: 'MiB/s', results });
  }
  const title = 'A file over a socket';
  report({ name: 'files', title, sections, peers: PEERS, rounds, quick, json });
} finally {
  await transfer.stop();
}
