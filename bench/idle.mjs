// What an idle connection costs the process that accepted it, beside a plain net.Socket with a listener,
// the least that any server has: each server in a process of its own, the peers in this one, in turns.
// Compare the ratio: absolute figures are the machine's. `npm run bench:idle`
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { createInterface } from 'node:readline';

const CONNECTIONS = 5_000;
const ROUNDS = 3;
const TRANSPORTS = ['net', 'pike'];

/** What each connection takes, in bytes: of the heap, and of the memory of the process. */
async function measure(transport) {
  const server = spawn(
    process.execPath,
    ['--expose-gc', new URL('idle-server.mjs', import.meta.url).pathname, transport],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => (await lines.next()).value;
  const report = async (connections) => {
    for (;;) {
      server.stdin.write('\n');
      const figures = JSON.parse(await nextLine());
      if (figures.open === connections) return figures;
    }
  };
  const port = Number(await nextLine());
  const sockets = [];
  const connect = async (count) => {
    for (let left = count; left > 0; left -= 100) {
      const some = Array.from({ length: Math.min(left, 100) }, () =>
        createConnection({ host: '127.0.0.1', port }),
      );
      await Promise.all(some.map((socket) => once(socket, 'connect')));
      sockets.push(...some);
    }
  };
  // The first connections load code, which is no cost of a connection.
  await connect(100);
  const before = await report(100);
  await connect(CONNECTIONS);
  const after = await report(100 + CONNECTIONS);
  for (const socket of sockets) socket.destroy();
  server.stdin.end();
  await once(server, 'exit');
  const each = (name) => (after[name] - before[name]) / CONNECTIONS;
  return { heap: each('heap'), rss: each('rss') };
}

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

const figures = { net: [], pike: [] };
for (let round = 0; round < ROUNDS; round++) {
  for (const transport of TRANSPORTS) figures[transport].push(await measure(transport));
}
console.log(
  `${process.version}, ${CONNECTIONS} idle connections, bytes for each, medians of ${ROUNDS} rounds`,
);
for (const what of ['heap', 'rss']) {
  const [plain, ours] = TRANSPORTS.map((transport) =>
    median(figures[transport].map((figure) => figure[what])),
  );
  console.log(
    `${what.padEnd(4)}  net.Socket ${plain.toFixed(0)}  NetConnector ${ours.toFixed(0)}  ratio ${(ours / plain).toFixed(2)}`,
  );
}
