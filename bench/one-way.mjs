// One way: how many messages a second go from one process to another over one TCP connection, for this
// package and for those that Pike's README sends people to. `npm run bench:one-way [-- --quick] [--json FILE]`
import { compare } from './harness/compare.mjs';
import { readOptions } from './harness/options.mjs';
import { report } from './harness/report.mjs';
import { median } from './harness/statistics.mjs';
import { CEILING, PEERS } from './one-way/peers.mjs';
import { sendOneWay } from './one-way/running.mjs';

const { quick, json, rounds } = readOptions({ rounds: 5 });
const SIZES = quick ? [100, 65_536] : [16, 100, 1024, 65_536];
/** About how long a round shall take; from it, and a first short round, comes the number of messages. */
const ROUND_MS = quick ? 150 : 800;
/** Whose ceiling is lower has a weak ceiling, or a busy machine: then no ratio to it means anything. */
const LEAST_CEILING = 5e6;

/** How many messages a peer sends in about ROUND_MS: looked for twice, since what is cold is slow. */
async function calibrate(peer, size) {
  let count = size > 4096 ? 500 : 20_000;
  for (let i = 0; i < 2; i++) {
    const ms = await sendOneWay(peer, { size, warmUp: count, count });
    count = Math.max(count, Math.round((count / ms) * ROUND_MS));
  }
  return count;
}

const present = PEERS.filter(({ version }) => version !== undefined);
const sections = [];
let ceiling = 0;
for (const size of SIZES) {
  const counts = new Map();
  for (const peer of present) counts.set(peer, await calibrate(peer, size));
  const results = await compare(present, rounds, async (peer) => {
    const count = counts.get(peer);
    const ms = await sendOneWay(peer, { size, warmUp: count >> 1, count });
    return { 'messages/s': (count * 1000) / ms };
  });
  sections.push({ title: `${size} bytes`, unit: 'messages/s', results });
  if (size === 100) ceiling = median(results.get(CEILING)['messages/s']);
}
const flaw =
  ceiling < LEAST_CEILING
    ? `The ceiling at 100 bytes is ${(ceiling / 1e6).toFixed(2)} M messages/s, below 5 M.`
    : undefined;
const title = 'One way, one connection';
report({ name: 'one-way', title, sections, peers: PEERS, rounds, quick, json, flaw });
