// One way: how many messages a second go from one process to another over one TCP connection, for this
// package and for those that Pike's README sends people to. `npm run bench:one-way [-- --quick] [--json FILE]`
import { compare } from './harness/compare.mjs';
import { PeerProcess, freePort } from './harness/peer-process.mjs';
import { readOptions, report } from './harness/report.mjs';
import { expectedChecksum } from './one-way/load.mjs';
import { PEERS } from './one-way/peers.mjs';

/** `ms`: about how long a round shall take; from it, and a first short round, comes the number of messages. */
const SIZES = [16, 100, 1024, 65_536];
const { quick, json, rounds } = readOptions({ rounds: 5, quickRounds: 1 });
const ROUND_MS = quick ? 150 : 800;

/** Sends `count` messages after `warmUp` others; resolves with how long the receiver took, in ms. */
async function run({ command, more }, size, warmUp, count) {
  const port = await freePort();
  const args = [`${port}`, `${size}`, `${warmUp}`, `${count}`, ...more];
  const receiver = new PeerProcess([...command, 'receiver', ...args]);
  await receiver.next();
  const sender = new PeerProcess([...command, 'sender', ...args]);
  const { ms, checksum } = await receiver.next();
  await Promise.all([sender.stop(), receiver.stop()]);
  const expected = expectedChecksum(warmUp + count);
  if (checksum !== expected) throw new Error(`${command.join(' ')}: ${checksum}, not ${expected}`);
  return ms;
}

/** How many messages a peer sends in about ROUND_MS. */
async function calibrate(peer, size) {
  const count = size > 4096 ? 500 : 10_000;
  const ms = await run(peer, size, count, count);
  return Math.max(count, Math.round((count / ms) * ROUND_MS));
}

const present = PEERS.filter(({ version }) => version !== undefined);
const sections = [];
for (const size of SIZES) {
  const counts = new Map();
  for (const peer of present) counts.set(peer, await calibrate(peer, size));
  const results = await compare(present, rounds, async (peer) => {
    const count = counts.get(peer);
    return { 'messages/s': (count * 1000) / (await run(peer, size, count >> 1, count)) };
  });
  sections.push({ title: `${size} bytes`, unit: 'messages/s', results });
}
report({ name: 'one-way', title: 'One way, one connection', sections, peers: PEERS, rounds, json });

const ceiling = sections[1].results.get(present[0])['messages/s'];
if (Math.max(...ceiling) < 5e6) {
  console.error('The ceiling at 100 bytes is below 5 M messages/s: the run is void.');
  process.exitCode = 1;
}
