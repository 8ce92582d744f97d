// A file from disk to disk over a socket: `FileConverter` against stream.pipeline(createReadStream,
// socket) into stream.pipeline(socket, createWriteStream), that with Node's own buffer sizes and with
// FileConverter's. Without and with a SHA-256 on both sides; without, FileConverter checks a CRC-32, and
// the streams nothing. Sender and receiver in processes of their own, the ways alternating. Compare the
// ratios: absolute figures are the machine's.
// `npm run bench:files`, `npm run bench:files -- <MiB> <directory>`
import { fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, open, rm, stat } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';

const ROUNDS = 7;
const WAYS = ['stream', 'tuned', 'files'];
const MIB = 1024 * 1024;
const [mebibytes = '1024', where = tmpdir()] = process.argv.slice(2);
const size = Number(mebibytes) * MIB;

/** Written to the disk before anything is measured. */
async function makeSource(path) {
  const source = await open(path, 'wx');
  const content = randomBytes(MIB);
  for (let bytes = 0; bytes < size; bytes += MIB) await source.write(content);
  await source.sync();
  await source.close();
}

async function start(file, ...args) {
  const child = fork(new URL(file, import.meta.url), args);
  const [greeting] = await once(child, 'message');
  return { child, greeting };
}

const directory = await mkdtemp(join(where, 'pike-bench-'));
const path = join(directory, 'source');
await makeSource(path);
const receiver = await start('files-receiver.mjs', directory);
const sender = await start('files-sender.mjs');

const total = ({ user, system }) => (user + system) / 1e6;
let senderSeconds = 0;

async function receiverSeconds() {
  const told = once(receiver.child, 'message');
  receiver.child.send('cpu');
  return total((await told)[0]);
}

/** Sends the file once: how many bytes a second until it is stored, and how long both CPUs worked. */
async function measure(way, checked) {
  const before = (await receiverSeconds()) + senderSeconds;
  const stored = once(receiver.child, 'message');
  const sent = once(sender.child, 'message');
  const began = performance.now();
  sender.child.send({ way, path, checked, port: receiver.greeting[checked][way] });
  const [copy] = await stored;
  const rate = (size * 1000) / (performance.now() - began);
  const [{ digest, cpu }] = await sent;
  senderSeconds = total(cpu);
  if ((await stat(copy.path)).size !== size) throw new Error(`${way}: the copy is not whole`);
  // FileConverter has compared the digests itself.
  if (way !== 'files' && copy.digest !== digest) throw new Error(`${way}: the copy differs`);
  await rm(copy.path);
  return { rate, cpuSeconds: (await receiverSeconds()) + senderSeconds - before };
}

const median = (figures) => figures.toSorted((one, other) => one - other)[figures.length >> 1];

function ratio(rates, others) {
  const ratios = rates.map((rate, round) => rate / others[round]);
  const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  return `${median(ratios).toFixed(2)} (${spread})`;
}

console.log(
  `${mebibytes} MiB, Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${ROUNDS} rounds, medians`,
);
for (const checked of [false, true]) {
  const rates = { stream: [], tuned: [], files: [] };
  const cpu = { stream: [], tuned: [], files: [] };
  // A first round, not counted, warms all up.
  for (let round = -1; round < ROUNDS; round++) {
    for (const way of WAYS) {
      const { rate, cpuSeconds } = await measure(way, checked);
      if (round < 0) continue;
      rates[way].push(rate);
      cpu[way].push(cpuSeconds);
    }
  }
  console.log(`\n${checked ? 'SHA-256 on both sides' : 'no SHA-256'}`);
  console.log('                      MiB/s   CPU s   FileConverter against it (lowest to highest)');
  const names = { stream: 'stream.pipeline', tuned: '  with our buffers', files: 'FileConverter' };
  for (const way of WAYS) {
    console.log(
      names[way].padEnd(19) +
        (median(rates[way]) / MIB).toFixed(0).padStart(8) +
        median(cpu[way]).toFixed(2).padStart(8) +
        (way === 'files' ? '' : `   ${ratio(rates.files, rates[way])}`),
    );
  }
}
receiver.child.kill();
sender.child.kill();
await rm(directory, { recursive: true });
