import { once } from 'node:events';
import { createConnection } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { Endpoint } from 'nestjs-pike/core';
import type { Listening } from './raw-peer.js';

// The thread listens, then stands still, so that it never accepts. Once the system holds as many
// connections as the backlog allows, it leaves every further attempt over TCP unanswered, and
// refuses those over unix-domain sockets.
const THREAD = `
  const { parentPort, workerData } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ ...workerData, backlog: 1 }, () => {
    const address = server.address();
    parentPort.postMessage(
      typeof address === 'string' ? { path: address } : { host: address.address, port: address.port },
    );
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

/** How many connections Linux completes for a backlog of 1. */
const HELD = 2;

/** Listens, and never answers an attempt to connect. */
export async function startSilentHost(
  at: Endpoint = { host: '127.0.0.1', port: 0 },
): Promise<Listening> {
  const thread = new Worker(THREAD, { eval: true, workerData: at });
  const [address] = (await once(thread, 'message')) as [Endpoint];
  const fillers = Array.from({ length: HELD }, () => createConnection(address));
  for (const filler of fillers) filler.on('error', () => {});
  await Promise.all(fillers.map((filler) => once(filler, 'connect')));
  return {
    address,
    async close() {
      for (const filler of fillers) filler.destroy();
      await thread.terminate();
    },
  };
}
