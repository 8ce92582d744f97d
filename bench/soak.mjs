// Memory over time: requests, streams, events both ways, and peers that come and go, politely and not. It samples
// what the server and the clients keep after collections, fits lines, and fails if they climb.
// `npm run bench:soak [-- --minutes 10] [--json FILE]`
import { writeFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { describeMachine } from './harness/machine.mjs';
import { PeerProcess, freePort } from './harness/peer-process.mjs';
import { linearFit, sureGrowth } from './harness/statistics.mjs';
import { asText } from './harness/table.mjs';

/** The share of the time that counts as warming up. */
const WARM_UP = 1 / 3;
/** What may be added while it is watched, as a share of the mean; pages of the allocator are never still. */
const TOLERATED = { heap: 0.05, rss: 0.1 };

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, json: { type: 'string' } },
});
const seconds = Number(values.minutes) * 60;
if (!(seconds >= 12)) throw new TypeError(`--minutes must be 0.2 or more; got ${values.minutes}.`);
/** No more than one a second: collecting takes its time. */
const SAMPLES = Math.min(120, Math.floor(seconds));

function start(file, port) {
  const path = fileURLToPath(new URL(`soak/${file}`, import.meta.url));
  return new PeerProcess([process.execPath, '--expose-gc', path, `${port}`]);
}

/** Samples of both processes, evenly over the time. */
async function watch(processes) {
  const samples = [];
  const began = performance.now();
  for (let i = 1; i <= SAMPLES; i++) {
    await wait(Math.max(0, (i / SAMPLES) * seconds * 1000 - (performance.now() - began)));
    const [server, client] = await Promise.all(processes.map((each) => each.ask('sample')));
    samples.push({ at: (performance.now() - began) / 1000, server, client });
  }
  return samples;
}

/** The line through what one process keeps of one kind, and whether it climbs. */
function judge(samples, side, kind) {
  const points = samples.map((sample) => [sample.at, sample[side][kind]]);
  const span = points.at(-1)[0] - points[0][0];
  const fit = linearFit(points);
  const growth = sureGrowth(fit, span);
  return { side, kind, span, ...fit, growth, grows: growth > TOLERATED[kind] * fit.mean };
}

const port = await freePort();
const server = start('server.mjs', port);
await server.next();
const client = start('client.mjs', port);
await client.next();
const samples = await watch([server, client]);
const asked = await client.ask('stop');
const { notes } = await server.ask('sample');
await client.stop();
await server.stop();
if (notes !== asked.notes) throw new Error(`${asked.notes} events were sent, and ${notes} came`);

const settled = samples.filter(({ at }) => at > seconds * WARM_UP);
const verdicts = ['server', 'client'].flatMap((side) =>
  ['heap', 'rss'].map((kind) => judge(settled, side, kind)),
);
const mib = (bytes) => (bytes / 2 ** 20).toFixed(2);
const rows = verdicts.map(({ side, kind, mean, slope, slopeError, growth, grows }) => [
  `${side}, ${kind}`,
  mib(mean),
  `${mib(slope * 60)} ± ${mib(slopeError * 120)}`,
  mib(Math.max(0, growth)),
  grows ? 'GROWS' : 'level',
]);
const { date, node, cpu } = describeMachine();
console.log(
  `Memory over ${values.minutes} minutes, after collections; ${date}, Node ${node}, ${cpu}`,
);
console.log(
  Object.entries(asked)
    .map(([name, count]) => `${count} ${name}`)
    .join(', '),
);
const head = ['', 'mean MiB', 'MiB/minute', 'surely added MiB', ''];
console.log(`\n${asText([head, ...rows]).join('\n')}`);
if (values.json !== undefined) {
  const document = { name: 'soak', machine: describeMachine(), seconds, counts: asked };
  writeFileSync(values.json, `${JSON.stringify({ ...document, verdicts, samples }, null, 2)}\n`);
}
if (verdicts.some(({ grows }) => grows)) {
  console.error('\n*** Memory grows. ***');
  process.exitCode = 1;
}
