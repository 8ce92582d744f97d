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
const EACH = `each of ${connections} connections`;
const UNITS = { heap: 'heap bytes', rss: 'resident bytes' };
const FIGURES = [
  { title: EACH, kind: 'heap', flags: [] },
  { title: EACH, kind: 'rss', flags: [] },
  // Once for the process V8 makes room for what is young, by megabytes: at some of these connections, or before.
  {
    title: `${EACH}, V8's young generation held small`,
    kind: 'rss',
    flags: ['--max-semi-space-size=1'],
  },
];
const nameOf = ({ title, kind }) => `${title}: ${UNITS[kind]}`;
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

/** What each connection takes of the memory of fresh servers, in bytes. */
async function measure({ transport }) {
  const kept = {};
  for (const { flags } of FIGURES) kept[flags] ??= await measureServer(transport, flags);
  return Object.fromEntries(
    FIGURES.map((figure) => [nameOf(figure), kept[figure.flags][figure.kind]]),
  );
}

async function measureServer(transport, flags) {
  const server = start('server.mjs', ['--expose-gc', ...flags], transport);
  const peers = start('peers.mjs', [], `${await server.next()}`);
  await peers.ask(WARM_UP);
  const before = await keptFor(server, WARM_UP);
  await peers.ask(connections);
  const after = await keptFor(server, WARM_UP + connections);
  await Promise.all([peers.stop(), server.stop()]);
  const each = (kind) => (after[kind] - before[kind]) / connections;
  return { heap: each('heap'), rss: each('rss') };
}

const results = await compare(PEERS, rounds, measure);
const sections = FIGURES.map((figure) => {
  const unit = UNITS[figure.kind];
  const rows = [...results].map(([peer, figures]) => [peer, { [unit]: figures[nameOf(figure)] }]);
  return { title: figure.title, unit, lessIsBetter: true, results: new Map(rows) };
});
const title = 'Memory of idle connections';
report({ name: 'idle', title, sections, peers: PEERS, rounds, quick, json });
