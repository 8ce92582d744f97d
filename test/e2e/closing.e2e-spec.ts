// Prevents: a server that is closed at an awkward moment, or by its own handler, hangs, crashes or
// leaves something open; and a signal that ends it loses what was being answered.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { PikeClient, PikeServer } from 'nestjs-pike';
import type { PikeShutdownOptions } from 'nestjs-pike';
import { NetConnector } from 'nestjs-pike/core';
import { MessagePackConverter } from 'nestjs-pike/converters';
import { firstValueFrom, interval, lastValueFrom, toArray } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import type { Running } from './support.js';
import { start } from './support.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

let closeServer: () => Promise<void> = () => Promise.resolve();
let release: () => void = () => undefined;
let eventsDone = 0;

@Controller()
class ClosingController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern('close and answer')
  close() {
    void closeServer();
    return 'closing';
  }

  @MessagePattern('await close')
  async awaitClose() {
    await closeServer();
    return 'closed';
  }

  @MessagePattern('work')
  async work() {
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    return 'done';
  }

  @MessagePattern('ticks')
  ticks() {
    return interval(1);
  }

  @EventPattern<string>('slow event')
  async slowEvent() {
    await pause(50);
    eventsDone++;
  }

  @EventPattern<string>('endless event')
  endlessEvent() {
    return interval(1);
  }
}

const listen = (server: PikeServer) =>
  new Promise<void>((resolve, reject) => {
    server.listen((error) => (error instanceof Error ? reject(error) : resolve()));
  });

describe('closing', () => {
  let running: Running;
  const begin = async (shutdown: PikeShutdownOptions = { deadline: 300 }) => {
    running = await start([ClosingController], { shutdown });
    closeServer = () => running.server.close();
    const client = running.client();
    await client.connect();
    return client;
  };

  it('may be begun by a handler, which is answered', async () => {
    const client = await begin();
    await expect(firstValueFrom(client.send('close and answer', {}))).resolves.toBe('closing');
    await running.close();
  });

  it('that a handler awaits, which waits for that handler, ends with the deadline', async () => {
    const client = await begin();
    await expect(firstValueFrom(client.send('await close', {}))).rejects.toMatchObject({
      code: 'PIKE_ERR_INTERRUPTED',
    });
    await running.close();
  });

  it('waits for the handlers of events', async () => {
    eventsDone = 0;
    const client = await begin();
    await lastValueFrom(client.emit('slow event', {}));
    await firstValueFrom(client.send('echo', 1));
    await running.app.close();
    expect(eventsDone).toBe(1);
    await running.close();
  });

  it('does not wait for the stream that an event handler has begun', async () => {
    const client = await begin({ deadline: 600_000 });
    client.emit('endless event', {});
    await firstValueFrom(client.send('echo', 1));
    // It would take the whole deadline.
    await expect(running.close()).resolves.toBeUndefined();
  });

  it.each([
    ['finishQueues', 'done', 'PIKE_ERR_INTERRUPTED'],
    ['finishMessages', 'done', 'PIKE_ERR_INTERRUPTED'],
    ['now', 'PIKE_ERR_REMOTE_ENDED', 'PIKE_ERR_REMOTE_ENDED'],
  ] as const)('by %s tells every caller: %s, %s', async (mode, work, ticks) => {
    const client = await begin({ mode, deadline: 1000 });
    const result = (pattern: string) =>
      lastValueFrom(client.send(pattern, {}).pipe(toArray())).then(
        ([value]) => value,
        (error: unknown) => (error as { code: string }).code,
      );
    const results = [result('work'), result('ticks')];
    await firstValueFrom(client.send('echo', 1));
    const closed = running.app.close();
    await pause(20);
    release();
    await closed;
    await expect(Promise.all(results)).resolves.toEqual([work, ticks]);
    await running.close();
  });

  it('while it begins to listen: ends both, and it listens again', async () => {
    const server = new PikeServer({ host: '127.0.0.1', port: 0 });
    const listening = listen(server).catch((error: unknown) => error);
    await server.close();
    await listening;
    expect(server.address).toBeUndefined();
    await listen(server);
    expect(server.address).toBeDefined();
    await server.close();
  });

  it('is nothing to a server that never listened, or could not, which may then try again', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const server = new PikeServer({ host: '127.0.0.1', port });
    await server.close();
    for (let attempt = 0; attempt < 2; attempt++) {
      await expect(listen(server)).rejects.toMatchObject({ code: 'PIKE_ERR_LISTEN_FAILED' });
      await server.close();
    }
    other.close();
    await once(other, 'close');
    await listen(server);
    await expect(listen(server)).rejects.toMatchObject({ code: 'PIKE_ERR_ALREADY_RUNNING' });
    await server.close();
  });

  it('ends a connector that was made elsewhere, which is not used again', async () => {
    const connector = new NetConnector<unknown>({
      converter: new MessagePackConverter(),
      host: '127.0.0.1',
      port: 0,
    });
    const server = new PikeServer({ connector });
    await listen(server);
    expect(server.unwrap()).toBe(connector);
    await server.close();
    await expect(listen(server)).rejects.toMatchObject({ code: 'PIKE_ERR_ALREADY_RUNNING' });
  });

  it('leaves a client that closes with requests in flight nothing to wait for', async () => {
    const client = await begin();
    const failed = firstValueFrom(client.send('work', {})).catch((error: unknown) => error);
    await firstValueFrom(client.send('echo', 1));
    await client.close();
    await expect(failed).resolves.toMatchObject({
      code: 'PIKE_ERR_CLIENT_CLOSED',
      delivery: 'in-doubt',
    });
    release();
    await running.close();
  });
});

const PROGRAM = `
  import 'reflect-metadata';
  import { Controller, Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { MessagePattern } from '@nestjs/microservices';
  import { OnFinishDisconnect, PikeServer } from 'nestjs-pike';

  @Controller()
  class AppController {
    @MessagePattern('work')
    async work(ms: number) {
      console.log('working');
      await new Promise((resolve) => setTimeout(resolve, ms));
      return 'done';
    }
    @OnFinishDisconnect()
    finished() {
      console.log('finished');
    }
    onModuleDestroy() {
      console.log('destroyed');
    }
    onApplicationShutdown(signal: string) {
      console.log('shut down by ' + signal);
    }
  }
  @Module({ controllers: [AppController] })
  class AppModule {}

  process.on('unhandledRejection', (reason) => console.log('UNHANDLED', reason));
  const [port, mode] = process.argv.slice(2);
  const app = await NestFactory.createMicroservice(AppModule, {
    logger: ['error', 'warn'],
    strategy: new PikeServer({
      host: '127.0.0.1',
      port: Number(port),
      shutdown: { mode: mode as 'now', deadline: 1000 },
    }),
  });
  app.enableShutdownHooks();
  await app.listen();
  console.log('listening');
`;

describe('a signal', () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create();
    await project.add('main.ts', PROGRAM);
  });
  afterAll(() => project.remove());

  it.each([
    ['SIGTERM', 'finishQueues', 200, 'done'],
    ['SIGINT', 'finishMessages', 200, 'done'],
    ['SIGTERM', 'now', 200, 'PIKE_ERR_CONNECTION_LOST|PIKE_ERR_REMOTE_ENDED'],
    ['SIGTERM', 'finishQueues', 60_000, 'PIKE_ERR_INTERRUPTED'],
  ] as const)(
    '%s, by %s, with a handler at work for %d ms: its caller gets %s',
    async (signal, mode, ms, expected) => {
      const port = await freePort();
      const program = project.start({ file: 'main.js', args: [`${port}`, mode] });
      await program.prints('listening');
      const client = new PikeClient({ port });
      const result = firstValueFrom(client.send('work', ms)).catch(
        (error: unknown) => (error as { code: string }).code,
      );
      await program.prints('working');
      program.kill(signal);
      expect(await result).toMatch(new RegExp(expected));
      const outcome = await program.ended;
      expect(outcome).toMatchObject({ signal, stderr: '' });
      expect(outcome.stdout.trim().split('\n').slice(2)).toEqual([
        'destroyed',
        'finished',
        `shut down by ${signal}`,
      ]);
      await client.close();
    },
    20_000,
  );

  it('is not needed where nothing is left open: client and server exit by themselves', async () => {
    await project.add(
      'exits.ts',
      `
      import 'reflect-metadata';
      import { PikeClient, PikeServer } from 'nestjs-pike';
      import { lastValueFrom } from 'rxjs';

      process.on('unhandledRejection', (reason) => console.log('UNHANDLED', reason));
      const server = new PikeServer({ host: '127.0.0.1', port: 0 });
      server.addHandler('echo', async (data: unknown) => data);
      server.addHandler('fails', async () => { throw new Error('expected'); });
      server.addHandler('throws', () => { throw new Error('expected'); });
      await new Promise<void>((resolve) => server.listen(() => resolve()));
      const client = new PikeClient({ port: (server.address as { port: number }).port });
      for (const pattern of ['echo', 'fails', 'throws', 'unknown']) {
        console.log(await lastValueFrom(client.send(pattern, 1)).catch((error) => JSON.stringify(error)));
      }
      client.emit('nobody', () => 1);
      client.emit('nobody', 1);
      client.send('echo', 1).subscribe().unsubscribe();
      await client.close();
      await server.close();
      client.emit('nobody', 1);
      console.log('end');
      `,
    );
    const { code, stdout } = await project.run({ file: 'exits.js' });
    const lines = stdout.split('\n').filter((line) => /^(1|[{"]|end|UNHANDLED)/.test(line));
    expect({ code, lines }).toEqual({
      code: 0,
      lines: [
        '1',
        '{"status":"error","message":"Internal server error"}',
        '{"status":"error","message":"Internal server error"}',
        '"There is no matching message handler defined in the remote service."',
        'end',
      ],
    });
  }, 20_000);
});
