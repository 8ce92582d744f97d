// What a message costs as connections grow: from 1 to 10,000 (1,000 with `--quick`), each sending 64
// messages a turn of the event loop, or one; and what a queue costs, of a million messages (100,000) to a peer
// that does not read. `npm run bench:growth [-- --quick] [--json FILE]`
import { fileURLToPath } from 'node:url';
import { compare } from './harness/compare.mjs';
import { outputOf, ownVersion } from './harness/machine.mjs';
import { readOptions } from './harness/options.mjs';
import { PeerProcess } from './harness/peer-process.mjs';
import { report } from './harness/report.mjs';
import { SIZE } from './growth/load.mjs';
import { ManyConnections, openFilesFor } from './growth/running.mjs';

const { quick, json, rounds } = readOptions({ rounds: 5 });
const CONNECTIONS = quick ? [1, 100, 1_000] : [1, 100, 1_000, 10_000];
/** How many messages a round takes, at least, by how many there are in a turn; and how many turns. */
const MESSAGES = quick ? { 64: 100_000, 1: 20_000 } : { 64: 2_000_000, 1: 200_000 };
const LEAST_TURNS = 3;
const QUEUED = quick ? 100_000 : 1_000_000;
const UNIT = 'CPU ns/message';
const TRANSPORTS = [
  { transport: 'pike', name: 'nestjs-pike, FramedConverter', version: ownVersion },
  { transport: 'net', name: 'node:net, a write a turn', version: process.version },
];
/** With `node:net`, what waits is a write for each message. */
const QUEUES = [TRANSPORTS[0], { ...TRANSPORTS[1], name: 'node:net, a write a message' }];

const limit = outputOf('sh', '-c', 'ulimit -Hn');
const mayHave = (connections) =>
  limit === 'unlimited' || Number(limit) >= openFilesFor(connections);
const PEERS = TRANSPORTS.flatMap(({ transport, name, version }) =>
  CONNECTIONS.map((connections) => ({
    transport,
    connections,
    name: `${name}, ${connections}`,
    version: mayHave(connections) ? version : undefined,
    remedy: `needs ${openFilesFor(connections)} open files, and the system allows ${limit}`,
  })),
);

/** The cost of a message on so many connections, at so many a turn; both sides of it count. */
async function measureTurns(many, perTurn) {
  const perRound = perTurn * many.connections;
  const turns = Math.max(LEAST_TURNS, Math.ceil(MESSAGES[perTurn] / perRound));
  const { messages, ms, senderCpu, receiverCpu } = await many.measure({ perTurn, turns });
  return {
    [UNIT]: ((senderCpu + receiverCpu) * 1e6) / messages,
    'sender ns': (senderCpu * 1e6) / messages,
    'receiver ns': (receiverCpu * 1e6) / messages,
    'messages/s': (messages * 1000) / ms,
  };
}

/** The results of one transport, against its single connection. */
function sectionOf({ transport, name }, results, perTurn) {
  const rows = [...results].filter(([peer]) => peer.transport === transport);
  const named = ({ connections }) => ({
    name: connections === 1 ? '1 connection' : `${connections} connections`,
  });
  return {
    title: `${name}: ${perTurn === 1 ? 'one message' : `${perTurn} messages`} a turn`,
    unit: UNIT,
    lessIsBetter: true,
    against: '1 connection',
    results: new Map(rows.map(([peer, figures]) => [named(peer), figures])),
  };
}

async function growth() {
  const present = PEERS.filter(({ version }) => version !== undefined);
  const running = new Map();
  for (const peer of present) running.set(peer, await ManyConnections.start(peer));
  const sections = [];
  for (const perTurn of [64, 1]) {
    const measure = (peer) => measureTurns(running.get(peer), perTurn);
    // A first round, not counted, warms them up.
    await compare(present, 1, measure);
    const results = await compare(present, rounds, measure);
    sections.push(...TRANSPORTS.map((each) => sectionOf(each, results, perTurn)));
  }
  for (const each of running.values()) await each.stop();
  return sections;
}

/** The cost of a message that waits; and every one of them must come back, or have reached the peer. */
async function measureQueue({ transport }) {
  const program = (file) => fileURLToPath(new URL(`growth/${file}`, import.meta.url));
  const deaf = new PeerProcess([process.execPath, program('deaf.mjs')]);
  const [port, count] = [`${await deaf.next()}`, `${QUEUED}`];
  const args = ['--expose-gc', program('queue.mjs'), transport, port, count];
  const queue = new PeerProcess([process.execPath, ...args]);
  const { heap, rss, givingMs, shutdownMs, returned, inOrder } = await queue.next();
  const bytesRead = await deaf.ask('read');
  const sent = Math.floor(bytesRead / (4 + SIZE));
  if (transport === 'pike' && (!inOrder || sent + returned !== QUEUED)) {
    throw new Error(`of ${QUEUED} messages the peer has ${sent}, and ${returned} came back`);
  }
  await Promise.all([queue.exited, deaf.stop()]);
  return {
    'heap bytes/message': heap / QUEUED,
    'resident bytes/message': rss / QUEUED,
    'CPU ns to give': (givingMs * 1e6) / QUEUED,
    'shutdown ms': shutdownMs,
  };
}

const queues = await compare(QUEUES, rounds, measureQueue);
const sections = [
  ...(await growth()),
  {
    title: `a queue of ${QUEUED} messages`,
    unit: 'heap bytes/message',
    lessIsBetter: true,
    results: queues,
  },
];
const title = 'Growth';
report({ name: 'growth', title, sections, peers: PEERS, rounds, quick, json });
