// Requests through Nest: this transport against the built-in TCP transport, the same controller, server
// and client in processes of their own, alternating. Compare the ratios: absolute figures are the
// machine's. `npm run bench`
import 'reflect-metadata';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { cpus } from 'node:os';
import { ClientTCP } from '@nestjs/microservices';
import { PikeClient } from 'nestjs-pike';

const ROUNDS = 5;
const IN_FLIGHT = [
  { inFlight: 1, requests: 4_000 },
  { inFlight: 64, requests: 30_000 },
  { inFlight: 1000, requests: 60_000 },
];

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

async function start(transport) {
  const port = await freePort();
  const server = spawn(
    process.execPath,
    [new URL('requests-server.mjs', import.meta.url).pathname, transport, `${port}`],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await once(server.stdout, 'data');
  const where = { host: '127.0.0.1', port };
  const client = transport === 'pike' ? new PikeClient(where) : new ClientTCP(where);
  await client.connect();
  return { transport, server, client };
}

/** Requests per second with so many in flight; every reply is checked. */
function measure(client, inFlight, requests) {
  return new Promise((resolve, reject) => {
    const began = performance.now();
    let [sent, done] = [0, 0];
    const next = () => {
      if (sent === requests) return;
      const number = sent++;
      client.send('sum', [number, 1, 2]).subscribe({
        next: (total) => total === number + 3 || reject(new Error(`${number} + 3 is not ${total}`)),
        error: reject,
        complete: () => {
          if (++done === requests) {
            resolve((requests * 1000) / (performance.now() - began));
          } else next();
        },
      });
    };
    for (let i = 0; i < inFlight; i++) next();
  });
}

const median = (figures) => figures.toSorted((one, other) => one - other)[figures.length >> 1];
const thousands = (figure) => `${(figure / 1000).toFixed(1)} k`;

const peers = [await start('tcp'), await start('pike')];
console.log(
  `Node ${process.version}, ${cpus()[0]?.model ?? 'unknown CPU'}, ${ROUNDS} rounds, medians`,
);
console.log('in flight   built-in TCP   nestjs-pike   ratio (lowest to highest of the rounds)');
for (const { inFlight, requests } of IN_FLIGHT) {
  const figures = { tcp: [], pike: [] };
  // A first round, not counted, warms both up.
  for (let round = -1; round < ROUNDS; round++) {
    for (const { transport, client } of peers) {
      const rate = await measure(client, inFlight, requests);
      if (round >= 0) figures[transport].push(rate);
    }
  }
  const ratios = figures.pike.map((rate, round) => rate / figures.tcp[round]);
  const spread = `${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)}`;
  console.log(
    `${`${inFlight}`.padStart(9)}${thousands(median(figures.tcp)).padStart(15)}` +
      `${thousands(median(figures.pike)).padStart(14)}${median(ratios).toFixed(2).padStart(8)} (${spread})`,
  );
}
for (const { client, server } of peers) {
  await client.close();
  server.kill();
}
