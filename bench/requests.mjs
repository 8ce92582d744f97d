// Requests and replies through Nest: this transport against the built-in ones, the same controller,
// default options. `npm run bench:requests [-- --quick] [--json FILE]`
import { compare } from './harness/compare.mjs';
import { readOptions, report } from './harness/report.mjs';
import { PEERS, RunningTransport } from './requests/running.mjs';

const { quick, json, rounds } = readOptions({ rounds: 5, quickRounds: 2 });
const share = quick ? 0.1 : 1;
const IN_FLIGHT = [
  { inFlight: 1, requests: 4_000 * share },
  { inFlight: 64, requests: 40_000 * share },
  { inFlight: 1000, requests: 80_000 * share },
];

const present = PEERS.filter(({ version }) => version !== undefined);
const running = new Map();
for (const peer of present) running.set(peer, await RunningTransport.start(peer));
const sections = [];
for (const task of IN_FLIGHT) {
  const { inFlight, requests } = task;
  // A first round, not counted, warms them up.
  await compare(present, 1, (peer) => running.get(peer).measure(task));
  const results = await compare(present, rounds, async (peer) => {
    const { ms, p50, p99, cpu, serverCpu } = await running.get(peer).measure(task);
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
report({ name: 'requests', title: 'Requests through Nest', sections, peers: PEERS, rounds, json });
