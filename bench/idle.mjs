// What an idle connection costs the process that accepted it, beside a plain net.Socket with a listener,
// the least that any server has. `npm run bench:idle [-- --quick] [--json FILE]`
import { fileURLToPath } from 'node:url';
import { compare } from './harness/compare.mjs';
import { ownVersion } from './harness/machine.mjs';
import { readOptions } from './harness/options.mjs';
import { PeerProcess, withOpenFiles } from './harness/peer-process.mjs';
import { report } from './harness/report.mjs';

const { quick, json, rounds } = readOptions({ rounds: 5 });
const connections = quick ? 1_000 : 10_000;
/** The first connections load code, which is no cost of a connection. */
const WARM_UP = 100;
const UNITS = { heap: 'heap bytes', rss: 'resident bytes' };
const PEERS = [
  { transport: 'net', name: 'net.Socket with a listener', version: process.version },
  { transport: 'pike', name: 'nestjs-pike, NetConnector', version: ownVersion },
];

function start(file, options, ...args) {
  const path = fileURLToPath(new URL(`idle/${file}`, import.meta.url));
  const command = [process.execPath, ...options, path, ...args];
  return new PeerProcess(withOpenFiles(command, WARM_UP + connections + 100));
}

/** What the server keeps once it has noticed so many connections. */
async function keptFor(server, count) {
  for (;;) {
    const kept = await server.ask('memory');
    if (kept.open === count) return kept;
  }
}

/** What each connection takes of the memory of a fresh server, in bytes. */
async function measure({ transport }) {
  const server = start('server.mjs', ['--expose-gc'], transport);
  const peers = start('peers.mjs', [], `${await server.next()}`);
  await peers.ask(WARM_UP);
  const before = await keptFor(server, WARM_UP);
  await peers.ask(connections);
  const after = await keptFor(server, WARM_UP + connections);
  await Promise.all([peers.stop(), server.stop()]);
  return Object.fromEntries(
    Object.entries(UNITS).map(([kind, unit]) => [unit, (after[kind] - before[kind]) / connections]),
  );
}

const results = await compare(PEERS, rounds, measure);
const sections = Object.values(UNITS).map((unit) => ({
  title: `each of ${connections} connections`,
  unit,
  lessIsBetter: true,
  results: new Map([...results].map(([peer, figures]) => [peer, { [unit]: figures[unit] }])),
}));
const title = 'Memory of idle connections';
report({ name: 'idle', title, sections, peers: PEERS, rounds, quick, json });
