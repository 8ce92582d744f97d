// A reply of 100,000 values, an Observable, through Nest. `npm run bench:streams [-- --quick] [--json FILE]`
import { compare } from './harness/compare.mjs';
import { readOptions, report } from './harness/report.mjs';
import { PEERS, RunningTransport } from './requests/running.mjs';

const { json, rounds } = readOptions({ rounds: 5, quickRounds: 1 });
const VALUES = 100_000;

const present = PEERS.filter(({ version }) => version !== undefined);
const running = new Map();
for (const peer of present) running.set(peer, await RunningTransport.start(peer));
const measure = async (peer) => {
  const { ms, cpu, serverCpu } = await running.get(peer).measure({ values: VALUES });
  return {
    'values/s': (VALUES * 1000) / ms,
    'client µs': (cpu * 1000) / VALUES,
    'server µs': (serverCpu * 1000) / VALUES,
  };
};
await compare(present, 1, measure);
const results = await compare(present, rounds, measure);
for (const each of running.values()) await each.stop();
const sections = [{ title: `${VALUES} values`, unit: 'values/s', results }];
report({ name: 'streams', title: 'A stream through Nest', sections, peers: PEERS, rounds, json });
