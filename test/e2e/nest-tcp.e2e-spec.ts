// Prevents: a service that moves to Pike can no longer be called by, or call, those that still use the
// TCP transport that Nest brings.
import { EventEmitter, on, once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Logger, Module } from '@nestjs/common';
import type { INestMicroservice } from '@nestjs/common';
import {
  ClientTCP,
  EventPattern,
  MessagePattern,
  RpcException,
  Transport,
} from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import { NestFactory } from '@nestjs/core';
import { nestTcp, PikeClient, PikeServer } from 'nestjs-pike';
import {
  firstValueFrom,
  lastValueFrom,
  map,
  Observable,
  take,
  tap,
  throwError,
  timer,
  toArray,
} from 'rxjs';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { collectGarbage } from '../support/garbage.js';
import { RawPeer } from '../support/raw-peer.js';

const LARGE_CHARACTERS = 3_000_000;
const MAX_MESSAGE_BYTES = 16_777_216;
const AWKWARD = [
  'Größe',
  '\u20ac\u{1F600}',
  '12#{"id":"1"}',
  'a lone \ud800 surrogate',
  { 'schlüssel\u{1F600}': [null, true, -0.5, ''] },
];

const heard = new EventEmitter();

@Controller()
class AnyController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern({ service: 'users', cmd: { get: 1 } })
  byObject(id: number) {
    return { id };
  }

  @MessagePattern('countdown')
  countdown(from: number) {
    return timer(0, 1).pipe(
      map((step) => from - step),
      take(from),
    );
  }

  @MessagePattern('nothing')
  nothing() {
    return undefined;
  }

  @MessagePattern('endless')
  endless() {
    return new Observable<number>((observer) => {
      let count = 0;
      const interval = setInterval(() => observer.next(count++), 1);
      const stop = () => observer.complete();
      heard.once('stop', stop);
      return () => {
        clearInterval(interval);
        heard.off('stop', stop);
        heard.emit('torn down');
      };
    });
  }

  @MessagePattern('text error')
  textError() {
    throw new RpcException('no such user');
  }

  @MessagePattern('object error')
  objectError() {
    return throwError(() => new RpcException({ status: 404, why: 'no such user' }));
  }

  @MessagePattern('crash')
  crash() {
    throw new Error('a secret of the server');
  }

  @EventPattern({ event: 'noted' })
  noted(data: unknown) {
    heard.emit('noted', data);
  }
}

@Module({ controllers: [AnyController] })
class AppModule {}

let app: INestMicroservice;
let client: ClientTCP | PikeClient<object>;
let port: number;

async function serve(options: MicroserviceOptions): Promise<void> {
  app = await NestFactory.createMicroservice<MicroserviceOptions>(AppModule, {
    ...options,
    logger: false,
  });
  await app.listen();
}

const SIDES: [string, () => Promise<void>][] = [
  [
    'a ClientTCP at a PikeServer',
    async () => {
      const strategy = new PikeServer({
        host: '127.0.0.1',
        port: 0,
        maxMessageBytes: MAX_MESSAGE_BYTES,
        ...nestTcp(),
      });
      await serve({ strategy });
      ({ port } = strategy.address as { port: number });
      client = new ClientTCP({ host: '127.0.0.1', port });
    },
  ],
  [
    'a PikeClient at a ServerTCP',
    async () => {
      port = await freePort();
      await serve({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
      client = new PikeClient({ port, maxMessageBytes: MAX_MESSAGE_BYTES, ...nestTcp() });
    },
  ],
  [
    'a ClientTCP at a ServerTCP, for comparison',
    async () => {
      port = await freePort();
      await serve({ transport: Transport.TCP, options: { host: '127.0.0.1', port } });
      client = new ClientTCP({ host: '127.0.0.1', port });
    },
  ],
];

describe.each(SIDES)('%s', (_, begin) => {
  beforeEach(begin);
  afterEach(async () => {
    await client.close();
    await app.close();
  });

  it.each(AWKWARD)('sends and gets back %j', async (data) => {
    await expect(firstValueFrom(client.send('echo', data))).resolves.toEqual(data);
  });

  it('sends and gets back messages of megabytes, many at a time', async () => {
    const texts = ['x', '\u20ac', '\u{1F600}'].map((text) => text.repeat(LARGE_CHARACTERS / 3));
    const replies = texts.map((text) => firstValueFrom(client.send('echo', text)));
    expect((await Promise.all(replies)).map((reply, i) => reply === texts[i])).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('finds the handler of an object, whatever the order of its keys', async () => {
    const pattern = { cmd: { get: 1 }, service: 'users' };
    await expect(firstValueFrom(client.send(pattern, 7))).resolves.toEqual({ id: 7 });
  });

  it('matches a thousand replies to their requests', async () => {
    const numbers = Array.from({ length: 1000 }, (__, i) => i);
    const replies = numbers.map((number) => firstValueFrom(client.send('echo', number)));
    await expect(Promise.all(replies)).resolves.toEqual(numbers);
  });

  it('streams, and completes where there is no value', async () => {
    await expect(lastValueFrom(client.send('countdown', 4).pipe(toArray()))).resolves.toEqual([
      4, 3, 2, 1,
    ]);
    await expect(lastValueFrom(client.send('nothing', {}).pipe(toArray()))).resolves.toEqual([]);
  });

  it('sends events', async () => {
    const noted = on(heard, 'noted');
    client.emit({ event: 'noted' }, 'first');
    client.emit({ event: 'noted' }, { second: '\u{1F600}' });
    expect((await noted.next()).value).toEqual(['first']);
    expect((await noted.next()).value).toEqual([{ second: '\u{1F600}' }]);
    await noted.return?.();
  });

  it.each([
    ['text error', { status: 'error', message: 'no such user' }],
    ['object error', { status: 404, why: 'no such user' }],
    ['crash', { status: 'error', message: 'Internal server error' }],
    ['unknown', 'There is no matching message handler defined in the remote service.'],
  ])('%s: the caller gets %j, and others go on', async (pattern, error) => {
    await expect(firstValueFrom(client.send(pattern, {}))).rejects.toEqual(error);
    await expect(firstValueFrom(client.send('echo', 1))).resolves.toBe(1);
  });
});

describe('a stream that nobody wants any more, for which the protocol has no word', () => {
  const [[, servePike], [, callNest]] = SIDES as [(typeof SIDES)[0], (typeof SIDES)[0]];
  const values = () => client.send<number>('endless', {});

  it('is torn down by a PikeServer when the client is gone', async () => {
    await servePike();
    await firstValueFrom(values());
    const tornDown = once(heard, 'torn down');
    await client.close();
    await expect(tornDown).resolves.toEqual([]);
    await app.close();
  });

  it('is torn down by a PikeServer that closes', async () => {
    await servePike();
    await firstValueFrom(values());
    const tornDown = once(heard, 'torn down');
    await app.close();
    await expect(tornDown).resolves.toEqual([]);
    await client.close();
  });

  it('leaves nothing behind in a PikeClient, though the server goes on, unasked for more', async () => {
    await callNest();
    const errors = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    let received = 0;
    (client as PikeClient<object>).on('messageReceived', () => received++);
    const subscribe = async (): Promise<WeakRef<object>> => {
      const seen: number[] = [];
      await lastValueFrom(
        values().pipe(
          take(2),
          tap((value) => seen.push(value)),
        ),
      );
      return new WeakRef(seen);
    };
    const held = await subscribe();
    const before = received;
    await eventually(() => received > before + 10);
    collectGarbage();
    expect(held.deref()).toBeUndefined();
    await expect(firstValueFrom(client.send('echo', 1))).resolves.toBe(1);
    expect(errors).not.toHaveBeenCalled();
    errors.mockRestore();
    heard.emit('stop');
    await client.close();
    await app.close();
  });
});

describe('what is no packet of the protocol', () => {
  it.each(['2#[]', '4#null', '3#"a"', '16#{"pattern":"a"}}', 'GET / HTTP/1.1\r\n'])(
    'costs %j its connection, and nobody else',
    async (bytes) => {
      await SIDES[0]![1]();
      const peer = await RawPeer.connect({ host: '127.0.0.1', port });
      peer.write(bytes);
      await peer.ended;
      await peer.destroy();
      await expect(firstValueFrom(client.send('echo', 1))).resolves.toBe(1);
      await client.close();
      await app.close();
    },
  );

  it('is refused as an option', () => {
    expect(() => nestTcp({ maxDepth: 0 })).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_INVALID_OPTION' }),
    );
  });
});
