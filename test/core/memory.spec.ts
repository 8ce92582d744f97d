// Prevents: peers that do nothing, or never finish what they send, take the memory of the process.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import type { Program } from '../support/project.js';

const IDLE_PEERS = 10_000;
const HOSTILE_PEERS = 64;
const MAX_MESSAGE_BYTES = 1_048_576;
const MIB = 1_048_576;
const IDLE_BYTES = 12_288;

const SERVER = (port: number): string => `
  import { NetConnector } from 'nestjs-pike/core';
  import { LengthPrefixedConverter } from 'nestjs-pike/converters';
  const connector = new NetConnector({
    converter: new LengthPrefixedConverter(), host: '127.0.0.1', port: ${port}, backlog: 4096,
  });
  let open = 0;
  let reports = 0;
  connector.subscribe((event) => {
    if (event.type === 'remoteConnect') {
      event.finishAccept();
      if (++open >= ${IDLE_PEERS}) console.log('open ' + open);
    }
    if (event.type === 'messageReceived') connector.send(event.connection, event.message);
  });
  await connector.run();
  process.on('SIGUSR2', () => {
    globalThis.gc(); globalThis.gc();
    console.log('report ' + ++reports + ': ' + process.memoryUsage.rss());
  });
  console.log('listening');
`;

/** Opens connections, then sends each a part of a message that never ends. */
const PEERS = (port: number, count: number, bytes: number): string => `
  import { createConnection } from 'node:net';
  import { once } from 'node:events';
  const part = Buffer.alloc(${bytes});
  if (part.length >= 4) part.writeUInt32BE(${MAX_MESSAGE_BYTES} - 4);
  for (let left = ${count}; left > 0; left -= 100) {
    await Promise.all(Array.from({ length: Math.min(left, 100) }, async () => {
      const socket = createConnection({ host: '127.0.0.1', port: ${port} });
      await once(socket, 'connect');
      if (part.length > 0) await new Promise((resolve) => socket.write(part, resolve));
    }));
  }
  console.log('done');
`;

describe('resident memory', () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create();
  });
  afterAll(() => project.remove());

  let reports = 0;

  /** How much memory the server holds once so many peers are open, after a collection. */
  async function measure(server: Program, open: number): Promise<number> {
    if (open > 0) await server.prints(`open ${open}\n`);
    server.kill('SIGUSR2');
    const [, bytes] = await server.matches(new RegExp(`report ${++reports}: (\\d+)\n`));
    return Number(bytes);
  }

  it(`stays within 64 MiB, ${IDLE_BYTES} bytes for each of ${IDLE_PEERS} idle peers, and the messages of ${HOSTILE_PEERS} hostile ones`, async () => {
    const port = await freePort();
    const server = project.start({ code: SERVER(port), nodeArgs: ['--expose-gc'] });
    await server.prints('listening');
    const before = await measure(server, 0);

    const idle = project.start({ code: PEERS(port, IDLE_PEERS, 0) });
    await idle.prints('done');
    const withIdle = await measure(server, IDLE_PEERS);

    const hostile = project.start({ code: PEERS(port, HOSTILE_PEERS, MAX_MESSAGE_BYTES - 1) });
    await hostile.prints('done');
    const withHostile = await measure(server, IDLE_PEERS + HOSTILE_PEERS);

    // Idle peers are hostile ones too, and might each hold a message: they are held to much less.
    const allowed =
      64 * MIB + HOSTILE_PEERS * (MAX_MESSAGE_BYTES + 65_536) + IDLE_PEERS * IDLE_BYTES;
    const figure = (bytes: number): string => (bytes / MIB).toFixed(1);
    console.info(
      `resident: ${figure(before)} MiB at first, +${figure(withIdle - before)} with ${IDLE_PEERS} idle peers, ` +
        `+${figure(withHostile - before)} with ${HOSTILE_PEERS} hostile ones too; allowed: +${figure(allowed)}`,
    );
    expect(withHostile - before).toBeLessThanOrEqual(allowed);
  }, 60_000);
});
