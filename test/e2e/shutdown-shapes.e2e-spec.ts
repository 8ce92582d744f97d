// Prevents: an application of one shape ends well and one of another loses what it was doing, uses what has
// been released, is ended in another way than its signal asks for, or does not end at all.
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { PikeClient } from 'nestjs-pike';
import type { PikeShutdownOptions } from 'nestjs-pike';
import { firstValueFrom } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { muteLogger } from '../support/mute-logger.js';
import { Project } from '../support/project.js';
import type { Program } from '../support/project.js';
import { RawListener } from '../support/raw-peer.js';
import { PacketPeer } from './packet-peer.js';

/** What handlers need, and what says in which order things end. */
const STORE = `
  import { Injectable } from '@nestjs/common';

  @Injectable()
  export class Store {
    open = true;
    onModuleDestroy() {
      console.log('modules destroyed');
    }
    onApplicationShutdown(signal: string) {
      this.open = false;
      console.log('store released by ' + signal);
    }
  }
`;

const ENDING = `
  import type { INestApplicationContext } from '@nestjs/common';

  const signals = () => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT');

  /** Closes the application when told to, and says what it has left behind. */
  export function closeOnDemand(app: INestApplicationContext) {
    process.once('SIGCONT', async () => {
      await app.close();
      // The pipes are what it prints to.
      const resources = process.getActiveResourcesInfo().filter((name) => name !== 'PipeWrap');
      console.log('left ' + JSON.stringify({ resources, signals: signals() }));
    });
  }
`;

const LARGE_REPLIES = 40;

const SERVER = `
  import 'reflect-metadata';
  import { Controller, Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { MessagePattern } from '@nestjs/microservices';
  import { FinishDisconnectEvent, OnFinishDisconnect, PikeModule, PikeServer } from 'nestjs-pike';
  import { Observable } from 'rxjs';
  import { closeOnDemand } from './ending.js';
  import { Store } from './store.js';

  @Controller()
  class WorkController {
    constructor(private readonly store: Store) {}

    @MessagePattern('work')
    async work(ms: number) {
      console.log('working');
      await new Promise((resolve) => setTimeout(resolve, ms));
      return this.store.open ? 'done' : 'the store is gone';
    }
    @MessagePattern('large')
    large(bytes: number) {
      return 'x'.repeat(bytes);
    }
    @MessagePattern('many large')
    manyLarge(bytes: number) {
      return new Observable((subscriber) => {
        for (let given = 0; given < ${LARGE_REPLIES}; given++) subscriber.next('x'.repeat(bytes));
        setImmediate(() => console.log('all given'));
      });
    }
    @OnFinishDisconnect()
    async finished({ queued, incomplete }: FinishDisconnectEvent) {
      const kept = queued.length + (incomplete === undefined ? 0 : 1);
      await new Promise((resolve) => setTimeout(resolve, 20));
      console.log('kept ' + kept + (this.store.open ? '' : ', but the store is gone'));
    }
  }
  @Module({ imports: [PikeModule], controllers: [WorkController], providers: [Store] })
  class AppModule {}

  process.on('unhandledRejection', (reason) => console.log('UNHANDLED', reason));
  const [shape, port, shutdown, drain] = process.argv.slice(2) as [string, string, string, string];
  const strategy = new PikeServer({
    host: '127.0.0.1', port: Number(port), shutdown: JSON.parse(shutdown), lingerTimeout: 100,
  });
  const options = { logger: ['error', 'warn'] as ('error' | 'warn')[] };
  const app = shape === 'hybrid'
    ? await NestFactory.create(AppModule, options)
    : await NestFactory.createMicroservice(AppModule, { ...options, strategy });
  if ('connectMicroservice' in app) {
    app.connectMicroservice({ strategy }, { inheritAppConfig: true });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
  } else {
    await app.listen();
  }
  closeOnDemand(app);
  if (drain === 'drain first') {
    process.once('SIGTERM', async () => {
      await strategy.drain();
      console.log('drained');
      await app.close();
    });
  } else {
    app.enableShutdownHooks();
  }
  console.log('listening');
`;

const CLIENT = `
  import 'reflect-metadata';
  import { Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { getPikeClientToken, PikeClient, PikeModule } from 'nestjs-pike';
  import { closeOnDemand } from './ending.js';
  import { Store } from './store.js';

  const [port, shutdown] = process.argv.slice(2) as [string, string];
  @Module({
    imports: [
      PikeModule.registerClient({ name: 'PEER', port: Number(port), shutdown: JSON.parse(shutdown), lingerTimeout: 100 }),
    ],
    providers: [Store],
  })
  class AppModule {}

  process.on('unhandledRejection', (reason) => console.log('UNHANDLED', reason));
  const app = await NestFactory.createApplicationContext(AppModule, { logger: ['error', 'warn'] });
  closeOnDemand(app);
  app.enableShutdownHooks();
  const client = app.get<PikeClient>(getPikeClientToken('PEER'));
  await client.connect();
  const fates: string[] = [];
  const fate = (of: string) => {
    if (fates.push(of) === 100) console.log('fates ' + [...new Set(fates)].sort());
  };
  for (let i = 0; i < 100; i++) {
    client.emit('note', 'x'.repeat(100_000)).subscribe({
      complete: () => fate('sent'),
      error: (error) => fate(error.delivery),
    });
  }
  client.send('never', {}).subscribe({
    error: ({ code, delivery }) => console.log('request ' + code + ' ' + delivery),
  });
  setImmediate(() => console.log('given'));
`;

let project: Project;
beforeAll(async () => {
  project = await Project.create();
  await project.add('store.ts', STORE);
  await project.add('ending.ts', ENDING);
  await project.add('server.ts', SERVER);
  await project.add('client.ts', CLIENT);
});
afterAll(() => project.remove());
beforeEach(() => muteLogger());
afterEach(() => {
  jest.restoreAllMocks();
});

interface Server {
  program: Program;
  port: number;
  client: PikeClient;
  /** The result of a request, or the code of what it failed with. */
  ask(pattern: string, data: unknown): Promise<unknown>;
  /** How it ended, and what it printed from when it listened. */
  ended(): Promise<{ code: number | null; signal: string | null; lines: string[]; stderr: string }>;
}

async function serve(
  shape: string,
  shutdown: PikeShutdownOptions,
  ...args: string[]
): Promise<Server> {
  const port = await freePort();
  const program = project.start({
    file: 'server.js',
    args: [shape, `${port}`, JSON.stringify(shutdown), ...args],
  });
  await program.prints('listening');
  const client = new PikeClient({ port });
  return {
    program,
    port,
    client,
    ask: (pattern, data) =>
      firstValueFrom(client.send(pattern, data)).catch(
        (error: unknown) => (error as { code: string }).code,
      ),
    async ended() {
      const { code, signal, stdout, stderr } = await program.ended;
      await client.close();
      return { code, signal, lines: stdout.trim().split('\n').slice(1), stderr };
    },
  };
}

const LOST = expect.stringMatching(/PIKE_ERR_(CONNECTION_LOST|REMOTE_ENDED)/);

describe.each(['microservice', 'hybrid'])('a %s', (shape) => {
  it.each(['SIGTERM', 'SIGINT'] as const)(
    'ended by %s answers what it handles, keeps what it was told, and only then releases',
    async (signal) => {
      const server = await serve(shape, { deadline: 60_000 });
      const answer = server.ask('work', 200);
      await server.program.prints('working');
      server.program.kill(signal);
      await expect(answer).resolves.toBe('done');
      await expect(server.ended()).resolves.toEqual({
        code: null,
        signal,
        stderr: '',
        lines: ['working', 'modules destroyed', 'kept 0', `store released by ${signal}`],
      });
    },
    20_000,
  );

  it.each([
    ['SIGINT', { signals: { SIGINT: 'now' } }, LOST],
    ['SIGTERM', { mode: 'now', signals: { SIGTERM: 'finishQueues' } }, 'done'],
    [
      'SIGTERM',
      { deadline: 600_000, signals: { SIGTERM: { deadline: 100 } } },
      'PIKE_ERR_INTERRUPTED',
    ],
  ] as const)(
    'is ended by %s as %j says',
    async (signal, shutdown, result) => {
      const ms = result === 'done' ? 200 : 600_000;
      const server = await serve(shape, shutdown);
      const answer = server.ask('work', ms);
      await server.program.prints('working');
      server.program.kill(signal);
      expect(await answer).toEqual(result);
      await expect(server.ended()).resolves.toMatchObject({
        signal,
        stderr: '',
        lines: ['working', 'modules destroyed', 'kept 0', `store released by ${signal}`],
      });
    },
    20_000,
  );

  it.each([
    ['now', { mode: 'now' }],
    ['the deadline', { deadline: 100 }],
  ] as const)(
    'gives back by %s what was not sent, while the store is there',
    async (_, shutdown) => {
      const server = await serve(shape, shutdown);
      const peer = await PacketPeer.connect(server.port, { reading: false });
      peer.send({ id: 1, pattern: 'many large', data: 1_000_000 });
      await server.program.prints('all given');
      await expect(server.ask('large', 1)).resolves.toBe('x');
      server.program.kill('SIGTERM');
      const { signal, lines, stderr } = await server.ended();
      expect({ signal, stderr }).toEqual({ signal: 'SIGTERM', stderr: '' });
      expect(lines.toSorted()).toEqual([
        'all given',
        'kept 0',
        expect.stringMatching(/^kept [1-9]\d*$/),
        'modules destroyed',
        'store released by SIGTERM',
      ]);
      expect(lines.at(-1)).toBe('store released by SIGTERM');
      await peer.raw.destroy();
    },
    20_000,
  );

  it('that closes leaves no timer, socket or listener behind, and the process ends by itself', async () => {
    const server = await serve(shape, {});
    await expect(server.ask('large', 1)).resolves.toBe('x');
    const answer = server.ask('work', 100);
    await server.program.prints('working');
    server.program.kill('SIGCONT');
    await expect(answer).resolves.toBe('done');
    const { code, lines, stderr } = await server.ended();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const left = lines.pop()!.replace('left ', '');
    expect(JSON.parse(left)).toEqual({ resources: [], signals: 0 });
    // Nest closes the server of a microservice before it calls any hook, and of others after two.
    expect(lines).toEqual(
      shape === 'microservice'
        ? ['working', 'kept 0', 'modules destroyed', 'store released by undefined']
        : ['working', 'modules destroyed', 'kept 0', 'store released by undefined'],
    );
  }, 20_000);

  it('may drain before any hook', async () => {
    const server = await serve(shape, {}, 'drain first');
    const answer = server.ask('work', 100);
    await server.program.prints('working');
    server.program.kill('SIGTERM');
    await expect(answer).resolves.toBe('done');
    await expect(server.ended()).resolves.toMatchObject({
      code: 0,
      lines: ['working', 'kept 0', 'drained', 'modules destroyed', 'store released by undefined'],
    });
  }, 20_000);
});

describe('an application with clients only', () => {
  const NOTES_BYTES = 10_000_000;

  async function call(shutdown: PikeShutdownOptions) {
    const listener = await RawListener.listen({ reading: false });
    const { port } = listener.address as { port: number };
    const program = project.start({
      file: 'client.js',
      args: [`${port}`, JSON.stringify(shutdown)],
    });
    const peer = await listener.accept();
    await program.prints('given');
    return { listener, program, peer };
  }

  it.each([
    ['SIGTERM', { deadline: 60_000 }],
    ['SIGINT', { mode: 'now', signals: { SIGINT: { mode: 'finishQueues' } } }],
  ] as const)(
    'sends what is queued when %s comes with %j',
    async (signal, shutdown) => {
      const { program, peer, listener } = await call(shutdown);
      program.kill(signal);
      await program.prints('modules destroyed');
      peer.resume();
      await peer.ended;
      peer.end();
      expect(peer.bytesReceived).toBeGreaterThan(NOTES_BYTES);
      const { stdout, stderr, ...end } = await program.ended;
      expect({ stderr, ...end }).toEqual({ stderr: '', code: null, signal });
      expect(stdout.trim().split('\n').sort()).toEqual([
        'fates sent',
        'given',
        'modules destroyed',
        'request PIKE_ERR_CLIENT_CLOSED in-doubt',
        `store released by ${signal}`,
      ]);
      await listener.close();
    },
    20_000,
  );

  it.each([
    ['SIGTERM', { deadline: 100 }],
    ['SIGINT', { deadline: 600_000, signals: { SIGINT: 'now' } }],
  ] as const)(
    'says what was not sent when %s comes with %j',
    async (signal, shutdown) => {
      const { program, peer, listener } = await call(shutdown);
      program.kill(signal);
      const { stdout, stderr, ...end } = await program.ended;
      expect({ stderr, ...end }).toEqual({ stderr: '', code: null, signal });
      expect(stdout.trim().split('\n').sort()).toEqual([
        expect.stringMatching(/^fates (sent,)?unsent$/),
        'given',
        'modules destroyed',
        'request PIKE_ERR_CLIENT_CLOSED unsent',
        `store released by ${signal}`,
      ]);
      await peer.destroy();
      await listener.close();
    },
    20_000,
  );

  it('leaves nothing behind when it closes, and the process ends by itself', async () => {
    const { program, peer, listener } = await call({});
    peer.resume();
    await peer.bytes(NOTES_BYTES);
    program.kill('SIGCONT');
    await peer.ended;
    peer.end();
    const { code, stdout, stderr } = await program.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const left = /left (.*)/.exec(stdout)?.[1] ?? '{}';
    expect(JSON.parse(left)).toEqual({ resources: [], signals: 0 });
    await listener.close();
  }, 20_000);
});
