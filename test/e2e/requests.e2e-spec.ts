// Prevents: a Nest developer swaps the built-in transport for this one and a handler, a stream or an
// error behaves differently.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern, Payload, RpcException, Ctx } from '@nestjs/microservices';
import { PikeContext } from 'nestjs-pike';
import {
  EMPTY,
  firstValueFrom,
  from,
  interval,
  lastValueFrom,
  take,
  throwError,
  toArray,
} from 'rxjs';
import type { Running } from './support.js';
import { start } from './support.js';

const seen: unknown[] = [];
let onEvent: (value: unknown) => void = () => undefined;

@Controller()
class MathController {
  @MessagePattern('sum')
  sum(@Payload() numbers: number[]) {
    return numbers.reduce((total, number) => total + number, 0);
  }

  @MessagePattern({ cmd: 'sum' })
  async sumLater(numbers: number[]) {
    await new Promise((resolve) => setImmediate(resolve));
    return this.sum(numbers);
  }

  @MessagePattern('count')
  count(to: number) {
    return from(Array.from({ length: to }, (_, index) => index));
  }

  @MessagePattern('tick')
  tick(times: number) {
    return interval(1).pipe(take(times));
  }

  @MessagePattern('generate')
  async *generate(to: number) {
    for (let i = 0; i < to; i++) yield i;
  }

  @MessagePattern('nothing')
  nothing() {
    return EMPTY;
  }

  @MessagePattern('rpc-error')
  rpcError() {
    throw new RpcException('no such thing');
  }

  @MessagePattern('stream-error')
  streamError() {
    return throwError(() => new RpcException({ status: 'error', message: 'broken', code: 7 }));
  }

  @MessagePattern('bug')
  bug() {
    throw new TypeError('a secret');
  }

  @MessagePattern('unsendable')
  unsendable() {
    return { value: () => 'a function' };
  }

  @MessagePattern('who')
  who(_: unknown, @Ctx() context: PikeContext) {
    return { pattern: context.getPattern(), inbound: context.getConnection().inbound };
  }

  @EventPattern('noted')
  noted(value: unknown) {
    seen.push(value);
    onEvent(value);
  }
}

describe('requests, events and streams', () => {
  let running: Running;
  beforeEach(async () => {
    seen.length = 0;
    running = await start([MathController]);
  });
  afterEach(() => running.close());

  it('answers a request', async () => {
    await expect(firstValueFrom(running.client().send('sum', [1, 2, 3]))).resolves.toBe(6);
  });

  it('answers a request with an object pattern, whatever the order of its keys', async () => {
    await expect(firstValueFrom(running.client().send({ cmd: 'sum' }, [4, 5]))).resolves.toBe(9);
  });

  it('gives the handler its context', async () => {
    await expect(firstValueFrom(running.client().send('who', {}))).resolves.toEqual({
      pattern: 'who',
      inbound: true,
    });
  });

  it('streams what an Observable emits at once', async () => {
    const values = await lastValueFrom(running.client().send('count', 1000).pipe(toArray()));
    expect(values).toEqual(Array.from({ length: 1000 }, (_, index) => index));
  });

  it('streams what an Observable emits over time', async () => {
    await expect(lastValueFrom(running.client().send('tick', 5).pipe(toArray()))).resolves.toEqual([
      0, 1, 2, 3, 4,
    ]);
  });

  it('streams what an async generator yields', async () => {
    await expect(
      lastValueFrom(running.client().send('generate', 3).pipe(toArray())),
    ).resolves.toEqual([0, 1, 2]);
  });

  it('completes without a value when the Observable is empty', async () => {
    await expect(
      lastValueFrom(running.client().send('nothing', {}).pipe(toArray())),
    ).resolves.toEqual([]);
  });

  it('delivers an event, and completes when it is sent', async () => {
    const received = new Promise((resolve) => {
      onEvent = resolve;
    });
    await lastValueFrom(running.client().emit('noted', { a: 1 }), { defaultValue: undefined });
    await expect(received).resolves.toEqual({ a: 1 });
  });

  it('keeps the order of events and requests', async () => {
    const client = running.client();
    await client.connect();
    client.emit('noted', 1);
    client.emit('noted', 2);
    await firstValueFrom(client.send('sum', [1]));
    expect(seen).toEqual([1, 2]);
  });

  it.each([
    ['rpc-error', { status: 'error', message: 'no such thing' }],
    ['stream-error', { status: 'error', message: 'broken', code: 7 }],
    ['bug', { status: 'error', message: 'Internal server error' }],
    ['unsendable', { status: 'error', message: 'Internal server error' }],
    ['unknown', 'There is no matching message handler defined in the remote service.'],
  ])(
    'answers %s with the error that the TCP transport would give, and lives',
    async (pattern, error) => {
      const client = running.client();
      await expect(firstValueFrom(client.send(pattern, {}))).rejects.toEqual(error);
      await expect(firstValueFrom(client.send('sum', [1, 1]))).resolves.toBe(2);
    },
  );

  it('rejects what ClientProxy rejects: no pattern, no data', async () => {
    const client = running.client();
    await expect(firstValueFrom(client.send(undefined, 1))).rejects.toThrow(
      'invalid data or message pattern',
    );
    await expect(firstValueFrom(client.send('sum', null))).rejects.toThrow(
      'invalid data or message pattern',
    );
    await expect(lastValueFrom(client.emit('noted', undefined))).rejects.toThrow(
      'invalid data or message pattern',
    );
  });

  it('gives each of 1000 concurrent callers its own reply, over one connection', async () => {
    const client = running.client();
    const replies = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        firstValueFrom(client.send(index % 2 === 0 ? 'sum' : { cmd: 'sum' }, [index, 1])),
      ),
    );
    expect(replies).toEqual(replies.map((_, index) => index + 1));
    expect([...running.server.unwrap().connections]).toHaveLength(1);
  });

  it('sends again for each subscriber, and nothing without one', async () => {
    const client = running.client();
    const request = client.send<number>('sum', [2, 3]);
    const values = await Promise.all([firstValueFrom(request), firstValueFrom(request)]);
    expect(values).toEqual([5, 5]);
  });
});
