// Prevents: peers that do nothing, never finish what they send, never read what they are sent, or come
// and go for ever, take the memory of the process.
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Project } from '../support/project.js';
import type { Program } from '../support/project.js';

const IDLE_PEERS = 10_000;
const HOSTILE_PEERS = 64;
/** One for each peer, and some for the process itself: more than the usual limit, 1024. */
const OPEN_FILES = IDLE_PEERS + 256;
const MAX_MESSAGE_BYTES = 1_048_576;
const MIB = 1_048_576;
/** What all hostile peers together may cost, however many. */
const ALLOWANCE = 64 * MIB;
/** What an idle peer may cost; any hostile one may cost a message and 64 KiB. */
const IDLE_BYTES = 8192;
const HOSTILE_BYTES = MAX_MESSAGE_BYTES + 65_536;

type Counter = 'accepted' | 'full' | 'ended' | 'messages';

/**
 * A server with the default limits. It sends as much to each peer as it has room for, if told to, and
 * prints `reached` once it has counted so many of what it is asked to count.
 */
const SERVER = (counter: Counter, count: number): string => `
  import { NetConnector } from 'nestjs-pike/core';
  import { LengthPrefixedConverter } from 'nestjs-pike/converters';
  const connector = new NetConnector({
    converter: new LengthPrefixedConverter(), host: '127.0.0.1', port: 0, backlog: 4096,
  });
  const counts = { accepted: 0, full: 0, ended: 0, messages: 0 };
  const reached = (counter) => {
    if (++counts[counter] === ${count} && counter === '${counter}') console.log('reached');
  };
  const parcel = Buffer.alloc(65_536, 'x');
  connector.subscribe((event) => {
    if (event.type === 'remoteConnect') {
      event.finishAccept();
      reached('accepted');
      if (${counter === 'full'}) {
        while (connector.send(event.connection, parcel));
        reached('full');
      }
    }
    if (event.type === 'messageReceived') reached('messages');
    if (event.type.endsWith('Disconnect')) reached('ended');
  });
  await connector.run();
  let reports = 0;
  process.on('SIGUSR2', () => {
    globalThis.gc(); globalThis.gc();
    const read = [...connector.connections].reduce((sum, { bytesRead }) => sum + bytesRead, 0);
    console.log('report ' + ++reports + ': ' + process.memoryUsage.rss() + ', ' + read + ' read');
  });
  console.log('listening on ' + connector.address.port);
`;

/** So many peers, at most 100 of them at a time getting to where each then stays. */
const PEERS = (port: number, count: number, behave: string): string => `
  import { createConnection } from 'node:net';
  import { once } from 'node:events';
  const gone = (socket) => new Promise((resolve) => socket.once('close', resolve));
  const write = (socket, bytes) => new Promise((resolve) => socket.write(bytes, resolve));
  async function behave(socket, index) { ${behave} }
  for (let index = 0; index < ${count}; ) {
    const some = Array.from({ length: Math.min(${count} - index, 100) }, async (_, offset) => {
      const socket = createConnection({ host: '127.0.0.1', port: ${port}, noDelay: true });
      socket.on('error', () => {});
      await once(socket, 'connect');
      await behave(socket, index + offset);
    });
    await Promise.all(some);
    index += some.length;
  }
  console.log('done');
`;

interface Kind {
  peers: number;
  behave: string;
  /** What shows the server has met them all, and how often. */
  counter: Counter;
  count: number;
  /** What it has read of each then, if that is what takes the memory; a peer's end does not know. */
  bytesRead?: number;
  /** How many are there at a time, and what each may cost. */
  atATime?: number;
  bytesEach: number;
}

const KINDS: Record<string, Kind> = {
  'sit idle': {
    peers: IDLE_PEERS,
    behave: '',
    counter: 'accepted',
    count: IDLE_PEERS,
    bytesEach: IDLE_BYTES,
  },
  'never read': {
    peers: HOSTILE_PEERS,
    behave: 'socket.pause();',
    counter: 'full',
    count: HOSTILE_PEERS,
    bytesEach: HOSTILE_BYTES,
  },
  'never finish a message': {
    peers: HOSTILE_PEERS,
    behave: `
      const part = Buffer.alloc(${MAX_MESSAGE_BYTES - 1});
      part.writeUInt32BE(${MAX_MESSAGE_BYTES} - 4);
      await write(socket, part);
    `,
    counter: 'accepted',
    count: HOSTILE_PEERS,
    bytesRead: MAX_MESSAGE_BYTES - 1,
    bytesEach: HOSTILE_BYTES,
  },
  'declare 4 GiB, and send as fast as they can': {
    peers: 20 * HOSTILE_PEERS,
    behave: `
      const closed = gone(socket);
      socket.resume();
      socket.write(Buffer.alloc(${MIB}, 0xff));
      await closed;
    `,
    counter: 'ended',
    count: 20 * HOSTILE_PEERS,
    atATime: 100,
    bytesEach: HOSTILE_BYTES,
  },
  'open and close in a loop': {
    peers: 8000,
    behave: `
      const closed = gone(socket);
      if (index % 2 === 0) await write(socket, Buffer.from([0, 1, 0, 0, index & 0xff]));
      // A reset now and then, as a crash would be; most just go.
      if (index % 4 < 2) socket.resetAndDestroy();
      else socket.destroy();
      await closed;
    `,
    counter: 'ended',
    count: 8000,
    atATime: 100,
    bytesEach: HOSTILE_BYTES,
  },
  'send a byte at a time': {
    peers: HOSTILE_PEERS,
    behave: `
      const message = Buffer.alloc(4 + 1000, 'x');
      message.writeUInt32BE(1000);
      for (const byte of message) await write(socket, Buffer.of(byte));
      // And one that is not whole.
      for (const byte of message.subarray(0, 500)) await write(socket, Buffer.of(byte));
    `,
    counter: 'messages',
    count: HOSTILE_PEERS,
    bytesEach: HOSTILE_BYTES,
  },
};

describe('resident memory after a collection', () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create();
  });
  afterAll(() => project.remove());

  const programs: Program[] = [];
  function start(code: string, nodeArgs?: string[]): Program {
    const program = project.start({ code, nodeArgs, ulimit: `-n ${OPEN_FILES}` });
    programs.push(program);
    return program;
  }
  afterEach(() =>
    Promise.all(
      programs.splice(0).map((program) => {
        program.kill('SIGKILL');
        return program.ended;
      }),
    ),
  );

  it.each(Object.entries(KINDS))(
    'stays within bounds when peers %s',
    async (what, { peers, behave, counter, count, bytesRead = 0, atATime = peers, bytesEach }) => {
      const server = start(SERVER(counter, count), ['--expose-gc']);
      const [, port] = await server.matches(/listening on (\d+)\n/);
      let reports = 0;
      const report = async (): Promise<{ resident: number; read: number }> => {
        server.kill('SIGUSR2');
        const line = new RegExp(`report ${++reports}: (\\d+), (\\d+) read\n`);
        const [, resident, read] = await server.matches(line);
        return { resident: Number(resident), read: Number(read) };
      };
      const before = (await report()).resident;

      const hostile = start(PEERS(Number(port), peers, behave));
      await hostile.prints('done');
      await server.prints('reached');
      let now = await report();
      while (now.read < peers * bytesRead) now = await report();
      const grown = now.resident - before;

      const allowed = ALLOWANCE + atATime * bytesEach;
      const figure = (bytes: number): string => (bytes / MIB).toFixed(1);
      console.info(
        `${peers} peers that ${what}: resident memory ${figure(before)} MiB at first, grown by ` +
          `${figure(grown)} MiB, ${figure((grown * 1024) / peers)} KiB for each; allowed: ${figure(allowed)} MiB`,
      );
      expect(grown).toBeLessThanOrEqual(allowed);
    },
    60_000,
  );
});
