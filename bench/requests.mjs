// Requests and replies through Nest: this transport against the built-in ones, the same controller,
// default options. `npm run bench:requests [-- --quick] [--json FILE]`
import { compare } from './harness/compare.mjs';
import { readOptions } from './harness/options.mjs';
import { report } from './harness/report.mjs';
import { PEERS, RunningTransport } from './requests/running.mjs';

const { quick, json, rounds } = readOptions({ rounds: 5 });
/** How long each peer is asked in a round. */
const ROUND_MS = quick ? 150 : 1_000;
/** How long before, once, to warm it up. */
const WARM_UP_MS = quick ? 150 : 2_000;

const present = PEERS.filter(({ version }) => version !== undefined);
const running = await RunningTransport.startAll(present);
const sections = [];
for (const inFlight of [1, 64, 1000]) {
  await compare(present, 1, (peer) => running.get(peer).measure({ inFlight, ms: WARM_UP_MS }));
  const results = await compare(present, rounds, async (peer) => {
    const task = { inFlight, ms: ROUND_MS };
    const { ms, requests, p50, p99, cpu, serverCpu } = await running.get(peer).measure(task);
    return {
      'requests/s': (requests * 1000) / ms,
      'p50 ms': p50,
      'p99 ms': p99,
      'client µs': (cpu * 1000) / requests,
      'server µs': (serverCpu * 1000) / requests,
    };
  });
  sections.push({ title: `${inFlight} in flight`, unit: 'requests/s', results });
}
for (const each of running.values()) await each.stop();
const title = 'Requests through Nest';
report({ name: 'requests', title, sections, peers: PEERS, rounds, quick, json });
