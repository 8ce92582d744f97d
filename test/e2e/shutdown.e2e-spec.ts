// Prevents: a deployment cuts off requests that are being handled, hangs on a stream that never
// ends, or leaves something open that keeps the process alive.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from '@jest/globals';
import { Controller, UseInterceptors } from '@nestjs/common';
import type { CallHandler, NestInterceptor } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import { OnFinishDisconnect, PikeServer } from 'nestjs-pike';
import type { FinishDisconnectEvent } from 'nestjs-pike';
import { concat, firstValueFrom, lastValueFrom, NEVER, of, toArray } from 'rxjs';
import { RawPeer } from '../support/raw-peer.js';
import { start } from './support.js';

let release: () => void = () => undefined;
let begun: () => void = () => undefined;
const ended: FinishDisconnectEvent[] = [];

class PassingInterceptor implements NestInterceptor {
  intercept(_: unknown, next: CallHandler) {
    return next.handle();
  }
}

@Controller()
class WorkController {
  @MessagePattern('work')
  async work(result: unknown) {
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    begun();
    await released;
    return result;
  }

  @MessagePattern('forever')
  forever() {
    begun();
    return concat(of('first'), NEVER);
  }

  @MessagePattern('quiet')
  quiet() {
    begun();
    return NEVER;
  }

  @UseInterceptors(PassingInterceptor)
  @MessagePattern('intercepted work')
  interceptedWork(result: unknown) {
    return this.work(result);
  }

  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @OnFinishDisconnect()
  async finished(event: FinishDisconnectEvent) {
    await new Promise((resolve) => setImmediate(resolve));
    ended.push(event);
  }
}

const begins = () =>
  new Promise<void>((resolve) => {
    begun = resolve;
  });

describe('closing the application', () => {
  it.each([
    ['answers the requests that are being handled, refuses new ones, and then ends', 'work'],
    [
      'answers those too whose handlers are behind an interceptor, which makes streams of them',
      'intercepted work',
    ],
  ])('%s', async (_, pattern) => {
    const running = await start([WorkController]);
    const client = running.client();
    const began = begins();
    const reply = firstValueFrom(client.send(pattern, 'done'));
    await began;
    const closed = running.app.close();
    await expect(firstValueFrom(client.send('echo', 1))).rejects.toMatchObject({
      code: 'PIKE_ERR_SHUTTING_DOWN',
    });
    release();
    await expect(reply).resolves.toBe('done');
    await closed;
    await client.close();
  });

  it('accepts nobody any more', async () => {
    const running = await start([WorkController]);
    const client = running.client();
    const began = begins();
    const reply = firstValueFrom(client.send('work', 'done'));
    await began;
    const closed = running.app.close();
    await expect(RawPeer.connect({ host: '127.0.0.1', port: running.port })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
    });
    release();
    await reply;
    await closed;
    await client.close();
  });

  it('ends streams that would go on for ever, and tells their callers', async () => {
    const running = await start([WorkController]);
    const client = running.client();
    const began = begins();
    const values = lastValueFrom(client.send('forever', {}).pipe(toArray()));
    const failed = values.catch((error: unknown) => error);
    await began;
    await running.app.close();
    await expect(failed).resolves.toMatchObject({ code: 'PIKE_ERR_INTERRUPTED' });
    await client.close();
  });

  it('holds the deadline against a stream that never gives a value', async () => {
    const running = await start([WorkController], { shutdown: { deadline: 50 } });
    const client = running.client();
    const began = begins();
    const failed = firstValueFrom(client.send('quiet', {})).catch((error: unknown) => error);
    await began;
    await running.app.close();
    await expect(failed).resolves.toMatchObject({ code: 'PIKE_ERR_INTERRUPTED' });
    await client.close();
  });

  it('waits for nothing with mode now', async () => {
    const running = await start([WorkController], { shutdown: { mode: 'now' } });
    const client = running.client();
    const began = begins();
    const failed = firstValueFrom(client.send('work', 'done')).catch((error: unknown) => error);
    await began;
    await running.app.close();
    await expect(failed).resolves.toMatchObject({ name: 'PikeError', delivery: 'in-doubt' });
    release();
    await client.close();
  });

  it('holds the deadline against a handler that never returns', async () => {
    const running = await start([WorkController], { shutdown: { deadline: 50 } });
    const client = running.client();
    const began = begins();
    const failed = firstValueFrom(client.send('work', 'done')).catch((error: unknown) => error);
    await began;
    await running.app.close();
    await expect(failed).resolves.toMatchObject({ code: 'PIKE_ERR_INTERRUPTED' });
    await client.close();
  });

  it('hands what was not sent to its handler, and waits for it', async () => {
    ended.length = 0;
    const running = await start([WorkController], { shutdown: { deadline: 200 } });
    const peer = await RawPeer.connect(
      { host: '127.0.0.1', port: running.port },
      { reading: false },
    );
    const client = running.client();
    await client.connect();
    const [connection] = [...running.server.unwrap().connections];
    for (let i = 0; i < 400; i++) {
      running.server.unwrap().send(connection!, { id: i, response: 'x'.repeat(50_000) });
    }
    await running.app.close();
    const withLeftovers = ended.filter(({ queued }) => queued.length > 0);
    expect(withLeftovers).toHaveLength(1);
    expect(withLeftovers[0]?.incomplete ?? withLeftovers[0]?.queued[0]).toBeDefined();
    await peer.destroy();
    await client.close();
  });

  it('may be asked for twice, and a closed server listens again', async () => {
    const server = new PikeServer({ host: '127.0.0.1', port: 0 });
    const listen = () =>
      new Promise<void>((resolve, reject) => {
        server.listen((error) => (error instanceof Error ? reject(error) : resolve()));
      });
    const statuses: string[] = [];
    server.status.subscribe((status) => statuses.push(status));
    await listen();
    await Promise.all([server.close(), server.close()]);
    await listen();
    await server.close();
    await server.close();
    expect(statuses).toEqual(['connected', 'disconnected', 'connected', 'disconnected']);
  });
});

describe('listening', () => {
  it('rejects app.listen() when the port is in use', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    await expect(start([WorkController], { port })).rejects.toMatchObject({
      code: 'PIKE_ERR_LISTEN_FAILED',
      cause: { code: 'EADDRINUSE' },
    });
    other.close();
    await once(other, 'close');
  });

  it.each([
    [{}, 'port'],
    [{ port: -1 }, 'port'],
    [{ port: 65_536 }, 'port'],
    [{ port: 0, prot: 1 }, 'prot'],
    [{ port: 0, converter: {} }, 'converter'],
    [{ port: 0, shutdown: { now: true } }, 'now'],
    [{ port: 0, shutdown: { deadline: -1 } }, 'shutdown.deadline'],
    [{ connector: {} }, 'connector'],
  ])('refuses the options %j, naming the wrong one', (options, name) => {
    expect(() => new PikeServer(options as never)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(`"${name}"`),
      }),
    );
  });
});
