import { once } from 'node:events';
import { createConnection } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { Endpoint } from 'nestjs-pike/core';

// The thread listens, then stands still, so that it never accepts. Once the system holds as many
// connections as the backlog allows, it leaves every further attempt unanswered.
const THREAD = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ host: '127.0.0.1', port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    setImmediate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0));
  });
`;

/** How many connections Linux completes for a backlog of 1. */
const HELD = 2;

/** A host that never answers an attempt to connect. */
export async function startSilentHost(): Promise<{
  endpoint: Endpoint;
  close: () => Promise<void>;
}> {
  const thread = new Worker(THREAD, { eval: true });
  const [port] = (await once(thread, 'message')) as [number];
  const endpoint = { host: '127.0.0.1', port };
  const fillers = Array.from({ length: HELD }, () => createConnection(endpoint));
  for (const filler of fillers) filler.on('error', () => {});
  await Promise.all(fillers.map((filler) => once(filler, 'connect')));
  return {
    endpoint,
    async close() {
      for (const filler of fillers) filler.destroy();
      await thread.terminate();
    },
  };
}
