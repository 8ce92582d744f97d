// The clients of the soak: `node --expose-gc client.mjs <port>`. The line `"sample"` is answered with what they
// keep in memory and what they have counted; `"stop"` with the counts, when all is done.
import 'reflect-metadata';
import { Logger } from '@nestjs/common';
import { createConnection } from 'node:net';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { PikeClient } from 'nestjs-pike';
import { firstValueFrom, lastValueFrom, take, toArray } from 'rxjs';
import { answerAll, memoryKept, tell } from '../harness/questions.mjs';

Logger.overrideLogger(false); // it would write between the lines
const endpoint = { host: '127.0.0.1', port: Number(process.argv[2]) };
const IN_FLIGHT = 64;
/** A port is not free for a minute after its connection has ended, and there are 28,000: no more than 280 a second. */
const BETWEEN_PEERS_MS = 10;
const counts = { requests: 0, notes: 0, streams: 0, ticks: 0, visitors: 0, rude: 0 };
const stopping = new AbortController();

async function requireSum(client, number) {
  const total = await firstValueFrom(client.send('sum', [number, 1]));
  if (total !== number + 1) throw new Error(`${number} + 1 is not ${total}`);
}

/** Asks, and tells what needs no reply. */
async function ask(client) {
  while (!stopping.signal.aborted) {
    const number = counts.requests++;
    await requireSum(client, number);
    if (number % 8 !== 0) continue;
    counts.notes++;
    await lastValueFrom(client.emit('noted', { number: counts.notes }), { defaultValue: null });
  }
}

/** Streams that end, and streams that are cancelled before. */
async function stream(client) {
  while (!stopping.signal.aborted) {
    const wanted = counts.streams++ % 2 === 0 ? 100 : 10;
    const values = await lastValueFrom(client.send('values', 100).pipe(take(wanted), toArray()));
    if (values.length !== wanted) throw new Error(`${values.length} values of ${wanted}`);
    await wait(1);
  }
}

/** Clients that come, ask once, and leave. */
async function visit() {
  while (!stopping.signal.aborted) {
    const visitor = new PikeClient(endpoint);
    await requireSum(visitor, counts.visitors++);
    await visitor.close();
    await wait(BETWEEN_PEERS_MS);
  }
}

/** Peers that leave in the middle of a message, by turns with and without a reset. */
async function beRude() {
  while (!stopping.signal.aborted) {
    const socket = createConnection(endpoint);
    await once(socket, 'connect');
    const closed = once(socket, 'close');
    socket.write(Buffer.from([0, 0, 1, 0, 0x93, 0x01]), () => {
      if (counts.rude++ % 2 === 0) socket.destroy();
      else socket.resetAndDestroy();
    });
    await closed;
    await wait(BETWEEN_PEERS_MS);
  }
}

const client = new PikeClient(endpoint);
await client.connect();
client.events('tick').subscribe(() => counts.ticks++);
const loops = [visit(), beRude(), stream(client)];
for (let i = 0; i < IN_FLIGHT; i++) loops.push(ask(client));
const all = Promise.all(loops);
tell('ready');
await Promise.race([
  all, // fails as soon as one does
  answerAll(async (order) => {
    if (order !== 'stop') return { ...memoryKept(), ...counts };
    stopping.abort();
    await all;
    return counts;
  }),
]);
await new Promise(() => {});
