// Who gives messages to a peer that does not read, and then shuts down:
// `node --expose-gc queue.mjs <pike|net> <port> <count>`.
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LengthPrefixedConverter, rawPayload } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import { cpuMs, memoryKept, tell } from '../harness/questions.mjs';
import { createMessages, RING } from '../one-way/load.mjs';
import { SIZE } from './load.mjs';

const PER_TURN = 1_000;
const [transport, port, given] = process.argv.slice(2);
const [endpoint, count] = [{ host: '127.0.0.1', port: Number(port) }, Number(given)];
const messages = createMessages(SIZE);

/** A message is queued, and comes back: `returned` are those that did, oldest first. */
async function openPike() {
  const connector = new NetConnector({
    converter: new LengthPrefixedConverter({ bytes: 4, payload: rawPayload }),
    maxQueuedMessages: count,
  });
  await connector.run();
  const { connection, error } = await connector.connectWaiting(endpoint);
  if (error) throw error;
  const shutdown = async () => {
    const returned = [];
    connector.subscribe((event) => {
      if (event.type !== 'finishDisconnect') throw event.error ?? new Error(event.type);
      if (event.incomplete !== undefined) returned.push(event.incomplete);
      for (const message of event.queued) returned.push(message);
      if (event.uncertain.length > 0) throw new Error('the system was in doubt');
    });
    await connector.shutdown({ now: true });
    return returned;
  };
  return { give: (message) => connector.send(connection, message), shutdown };
}

/** A write for each message; what becomes of it nobody says. */
async function openNet() {
  const socket = createConnection(endpoint);
  await once(socket, 'connect');
  const shutdown = async () => {
    socket.destroy();
    await once(socket, 'close');
  };
  return { give: (message) => socket.write(message), shutdown };
}

const { give, shutdown } = await (transport === 'pike' ? openPike() : openNet());
const before = memoryKept();
const cpu = process.cpuUsage();
for (let i = 0; i < count; i++) {
  if (i % PER_TURN === 0) await nextTurn();
  give(messages[i % RING]);
}
const givingMs = cpuMs(cpu);
const after = memoryKept();
const began = performance.now();
const returned = await shutdown();
const shutdownMs = performance.now() - began;
const inOrder = returned?.every(
  (message, i) => message === messages[(count - returned.length + i) % RING],
);
tell({
  heap: after.heap - before.heap,
  rss: after.rss - before.rss,
  givingMs,
  shutdownMs,
  returned: returned?.length,
  inOrder,
});
