// A reply of 100,000 values, an Observable, through Nest; with `--quick`, of 10,000.
// `npm run bench:streams [-- --quick] [--json FILE]`
import { compare } from './harness/compare.mjs';
import { readOptions } from './harness/options.mjs';
import { report } from './harness/report.mjs';
import { PEERS, RunningTransport } from './requests/running.mjs';

const { quick, json, rounds } = readOptions({ rounds: 5 });
const values = quick ? 10_000 : 100_000;

const present = PEERS.filter(({ version }) => version !== undefined);
const running = await RunningTransport.startAll(present);
const measure = async (peer) => {
  const { ms, cpu, serverCpu } = await running.get(peer).measure({ values });
  return {
    'values/s': (values * 1000) / ms,
    'client µs': (cpu * 1000) / values,
    'server µs': (serverCpu * 1000) / values,
  };
};
// A first round, not counted, warms them up.
await compare(present, 1, measure);
const results = await compare(present, rounds, measure);
for (const each of running.values()) await each.stop();
const sections = [{ title: `${values} values`, unit: 'values/s', results }];
const title = 'A stream through Nest';
report({ name: 'streams', title, sections, peers: PEERS, rounds, quick, json });
