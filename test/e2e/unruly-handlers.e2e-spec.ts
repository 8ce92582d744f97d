// Prevents: a handler that fails in an unusual way leaves its caller waiting, tells it what is none
// of its business, brings the process down, or produces without bound for a peer that does not read.
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, UseFilters, UseInterceptors } from '@nestjs/common';
import type { CallHandler, ExceptionFilter, NestInterceptor } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, RpcException } from '@nestjs/microservices';
import { PikeContext } from 'nestjs-pike';
import type { PikeServerOptions } from 'nestjs-pike';
import {
  concat,
  firstValueFrom,
  lastValueFrom,
  NEVER,
  Observable,
  of,
  range,
  throwError,
  timeout,
  toArray,
} from 'rxjs';
import { PacketPeer } from './packet-peer.js';
import { eventually, settled } from '../support/eventually.js';
import { muteLogger } from '../support/mute-logger.js';
import type { Running } from './support.js';
import { start } from './support.js';

class PassingInterceptor implements NestInterceptor {
  intercept(_: unknown, next: CallHandler) {
    return next.handle();
  }
}

class ThrowingFilter implements ExceptionFilter {
  catch(): never {
    throw Object.assign(new Error('a secret'), { query: 'SELECT secret' });
  }
}

class NothingFilter implements ExceptionFilter {
  catch() {
    return throwError(() => undefined);
  }
}

let produced = 0;
let returned = 0;
let noted = 0;

async function* endless() {
  try {
    for (;;) {
      produced++;
      yield 'z'.repeat(1000);
    }
  } finally {
    returned++;
  }
}

@Controller()
class UnrulyController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern('range')
  range(count: number) {
    return range(0, count);
  }

  @MessagePattern('values, then error')
  valuesThenError() {
    return concat(
      of(1, 2),
      throwError(() => new RpcException('enough')),
    );
  }

  @MessagePattern('undefined and null')
  undefinedAndNull() {
    return of(undefined, null, 1);
  }

  @MessagePattern('throws in teardown')
  throwsInTeardown() {
    return new Observable((subscriber) => {
      subscriber.next('first');
      return () => {
        throw new Error('thrown in teardown');
      };
    });
  }

  @MessagePattern('error with a function')
  errorWithFunction() {
    throw new RpcException({ message: 'cannot be encoded', why: () => 1 });
  }

  @UseFilters(ThrowingFilter)
  @MessagePattern('throwing filter')
  throwingFilter() {
    throw new Error('whatever');
  }

  @UseFilters(NothingFilter)
  @MessagePattern('filter that gives undefined')
  nothingFilter() {
    throw new Error('whatever');
  }

  @MessagePattern('generator that throws')
  async *generatorThrows() {
    yield 1;
    throw Object.assign(new Error('a secret'), { query: 'SELECT secret' });
  }

  @MessagePattern('generator that throws RpcException')
  async *generatorThrowsRpc() {
    yield 1;
    throw new RpcException('enough');
  }

  @UseInterceptors(PassingInterceptor)
  @MessagePattern('intercepted generator that throws RpcException')
  async *interceptedThrowsRpc() {
    yield 1;
    throw new RpcException('enough');
  }

  @MessagePattern('iterable that cannot begin')
  cannotBegin() {
    return {
      [Symbol.asyncIterator]() {
        throw new Error('a secret');
      },
    };
  }

  @UseInterceptors(PassingInterceptor)
  @MessagePattern('intercepted iterable that cannot begin')
  interceptedCannotBegin() {
    return this.cannotBegin();
  }

  @MessagePattern('iterable whose return throws')
  returnThrows() {
    return {
      [Symbol.asyncIterator]: () => ({
        next: () =>
          new Promise((resolve) => setTimeout(resolve, 5, { value: 'first', done: false })),
        return: () => {
          throw new Error('thrown in return');
        },
      }),
    };
  }

  @MessagePattern('endless')
  endless() {
    return endless();
  }

  @UseInterceptors(PassingInterceptor)
  @MessagePattern('intercepted endless')
  interceptedEndless() {
    return endless();
  }

  @MessagePattern('never')
  never() {
    return NEVER;
  }

  @MessagePattern('disconnects')
  disconnects(_: unknown, @Ctx() context: PikeContext) {
    context.getConnector().disconnect(context.getConnection(), { now: true });
    return 'too late';
  }

  @EventPattern<string>('fails')
  eventFails() {
    throw new RpcException('an event fails');
  }

  @EventPattern<string>('noted')
  noted() {
    noted++;
  }

  @EventPattern<string>('noted')
  async notedToo() {
    noted++;
  }
}

const INTERNAL = { status: 'error', message: 'Internal server error' };

describe('a handler', () => {
  let running: Running;
  const logged: unknown[] = [];
  const begin = async (options: Partial<PikeServerOptions> = {}) => {
    logged.length = 0;
    produced = returned = noted = 0;
    muteLogger((entry) => logged.push(entry));
    running = await start([UnrulyController], { shutdown: { deadline: 500 }, ...options });
    return running.client();
  };
  afterEach(async () => {
    jest.restoreAllMocks();
    await running.close();
  });

  const outcome = (pattern: string, data: unknown = {}) =>
    lastValueFrom(running.client().send(pattern, data).pipe(timeout(3000), toArray())).catch(
      (error: unknown) => ({ error }),
    );

  it.each<[string, unknown]>([
    ['values, then error', { status: 'error', message: 'enough' }],
    ['error with a function', INTERNAL],
    ['throwing filter', INTERNAL],
    ['filter that gives undefined', INTERNAL],
    ['generator that throws', INTERNAL],
    ['generator that throws RpcException', { status: 'error', message: 'enough' }],
    ['intercepted generator that throws RpcException', { status: 'error', message: 'enough' }],
    ['iterable that cannot begin', INTERNAL],
    ['intercepted iterable that cannot begin', INTERNAL],
  ])('%s: its caller is told %j', async (pattern, error) => {
    await begin();
    await expect(outcome(pattern)).resolves.toEqual({ error });
    await expect(outcome('echo', 'next')).resolves.toEqual(['next']);
  });

  it('whose failure the caller is not told about is logged', async () => {
    await begin();
    await outcome('generator that throws');
    await outcome('throwing filter');
    await outcome('error with a function');
    expect(logged.map(String).join()).toMatch(/a secret.*a secret.*function/s);
  });

  it('may emit undefined and null', async () => {
    await begin();
    await expect(outcome('undefined and null')).resolves.toEqual([undefined, null, 1]);
  });

  it('may emit a hundred thousand values at once', async () => {
    await begin();
    const values = await outcome('range', 100_000);
    expect(values).toHaveLength(100_000);
  });

  it('that emits more than the queue holds costs its caller the connection, not its patience', async () => {
    await begin({ maxQueuedMessages: 100, highWaterMark: 50 });
    await expect(outcome('range', 1_000)).resolves.toMatchObject({
      error: { name: 'PikeError', delivery: 'in-doubt' },
    });
    await expect(outcome('echo', 'next')).resolves.toEqual(['next']);
    expect(logged.length).toBeLessThan(5);
  });

  it.each(['throws in teardown', 'iterable whose return throws'])(
    '%s: unsubscribing and closing work all the same',
    async (pattern) => {
      const client = await begin();
      await expect(firstValueFrom(client.send(pattern, {}))).resolves.toBe('first');
      await expect(firstValueFrom(client.send('echo', 1))).resolves.toBe(1);
      const other = running.client();
      const endings = [client, other, other].map((each) =>
        lastValueFrom(each.send(pattern, {})).catch((error: unknown) => error),
      );
      await firstValueFrom(other.send(pattern, {}));
      await running.app.close();
      for (const ending of endings) {
        await expect(ending).resolves.toMatchObject({ code: 'PIKE_ERR_INTERRUPTED' });
      }
    },
  );

  it('that throws in teardown does so alone: others of the lost connection are torn down too', async () => {
    const client = await begin();
    await firstValueFrom(client.send('echo', 1));
    client.send('throws in teardown', {}).subscribe({ error: () => undefined });
    await firstValueFrom(client.send('throws in teardown', {}));
    client.send('endless', {}).subscribe({ error: () => undefined });
    await eventually(() => produced > 0);
    await client.close();
    await eventually(() => returned > 0);
    await expect(outcome('echo', 2)).resolves.toEqual([2]);
  });

  it.each(['endless', 'intercepted endless'])(
    '%s: produces only what the peer takes, and is ended with it',
    async (pattern) => {
      await begin({ highWaterMark: 100 });
      const peer = await PacketPeer.connect(running.port, { reading: false });
      peer.send({ id: 1, pattern, data: {} });
      // What the kernel holds for both sides, and the queue.
      expect(await settled(() => produced)).toBeLessThan(20_000);
      await expect(outcome('echo', 1)).resolves.toEqual([1]);
      peer.raw.reset();
      await eventually(() => returned > 0);
    },
  );

  it('endless, behind a serializer that takes its time, produces only what the peer takes', async () => {
    await begin({
      highWaterMark: 100,
      serializer: {
        serialize: async (packet) => {
          await new Promise((resolve) => setTimeout(resolve, 100));
          return packet;
        },
      },
    });
    const peer = await PacketPeer.connect(running.port, { reading: false });
    peer.send({ id: 1, pattern: 'endless', data: {} });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(produced).toBeGreaterThan(0);
    expect(produced).toBeLessThan(1000);
    peer.raw.reset();
    await eventually(() => returned > 0);
  });

  it('may disconnect its own caller', async () => {
    await begin();
    await expect(outcome('disconnects')).resolves.toMatchObject({
      error: { name: 'PikeError', delivery: 'in-doubt' },
    });
    await expect(outcome('echo', 'next')).resolves.toEqual(['next']);
  });

  it('of an event may fail, or be one of several', async () => {
    const client = await begin();
    client.emit('fails', {});
    client.emit('noted', {});
    await firstValueFrom(client.send('echo', 1));
    expect(noted).toBe(2);
    expect(logged).toHaveLength(1);
  });
});
