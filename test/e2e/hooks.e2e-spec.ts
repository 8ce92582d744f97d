// Prevents: tracing that loses spans or ends them twice: a processing hook that is not called, or not
// once, for one of the ways in which a message can end; metadata that does not arrive.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, UseInterceptors } from '@nestjs/common';
import type { CallHandler, NestInterceptor } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, RpcException, Server } from '@nestjs/microservices';
import type { PikeClient } from 'nestjs-pike';
import { PikeContext, PIKE_TRANSPORT } from 'nestjs-pike';
import { concat, EMPTY, firstValueFrom, lastValueFrom, NEVER, of, throwError } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { muteLogger } from '../support/mute-logger.js';
import { inputHandled, nextTurn } from '../support/turns.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

let begun = 0;
let release: () => void = () => undefined;

class PassingInterceptor implements NestInterceptor {
  intercept(_: unknown, next: CallHandler) {
    return next.handle();
  }
}

async function* endless() {
  for (;;) {
    await nextTurn();
    yield 1;
  }
}

@Controller()
class HookedController {
  @MessagePattern('value')
  value() {
    return 1;
  }

  @UseInterceptors(PassingInterceptor)
  @MessagePattern('intercepted value')
  interceptedValue() {
    return 1;
  }

  @MessagePattern('nothing')
  nothing() {
    return EMPTY;
  }

  @MessagePattern('error')
  error() {
    throw new RpcException('an error');
  }

  @MessagePattern('stream')
  stream() {
    return of(1, 2, 3);
  }

  @MessagePattern('failing stream')
  failingStream() {
    return concat(
      of(1),
      throwError(() => new RpcException('an error')),
    );
  }

  @MessagePattern('generator')
  async *generator() {
    yield 1;
    yield 2;
  }

  @MessagePattern('failing generator')
  async *failingGenerator() {
    yield 1;
    throw new RpcException('an error');
  }

  @MessagePattern('endless observable')
  endlessObservable() {
    begun++;
    return NEVER;
  }

  @MessagePattern('endless generator')
  endlessGenerator() {
    begun++;
    return endless();
  }

  @MessagePattern('endless handler')
  async endlessHandler() {
    begun++;
    await new Promise<void>((resolve) => (release = resolve));
  }

  @MessagePattern('metadata')
  metadata(_: unknown, @Ctx() context: PikeContext) {
    return context.getMetadata() ?? 'none';
  }

  @EventPattern<string>('event')
  event(_: unknown, @Ctx() context: PikeContext) {
    eventMetadata.push(context.getMetadata());
  }

  @EventPattern<string>('failing event')
  failingEvent() {
    throw new Error('an error');
  }

  @EventPattern<string>('event stream')
  eventStream() {
    return of(1, 2, 3);
  }

  @EventPattern<string>('endless event')
  endlessEvent() {
    begun++;
    return endless();
  }

  @EventPattern<string>('shared event')
  one() {
    return of(1);
  }

  @EventPattern<string>('shared event')
  async two() {
    await nextTurn();
  }
}

const eventMetadata: unknown[] = [];

describe('processing hooks', () => {
  let running: Running;
  let client: PikeClient;
  const spans: string[] = [];
  beforeEach(async () => {
    spans.length = begun = eventMetadata.length = 0;
    muteLogger();
    running = await start([HookedController], { shutdown: { deadline: 300 }, maxInFlight: 2 });
    running.server.setOnProcessingStartHook((transportId, context, done) => {
      expect(transportId).toBe(PIKE_TRANSPORT);
      spans.push(`start ${(context as PikeContext).getPattern()}`);
      return done();
    });
    running.server.setOnProcessingEndHook((transportId, context) => {
      expect(transportId).toBe(PIKE_TRANSPORT);
      spans.push(`end ${(context as PikeContext).getPattern()}`);
    });
    client = running.client();
  });
  afterEach(async () => {
    release();
    await running.close();
    jest.restoreAllMocks();
  });

  /** Resolves when the span of a pattern has ended, and shows that it has not ended twice. */
  const expectOnce = async (pattern: string): Promise<void> => {
    await eventually(() => spans.includes(`end ${pattern}`));
    for (let i = 0; i < 5; i++) await inputHandled();
    expect(spans.filter((span) => span.endsWith(` ${pattern}`))).toEqual([
      `start ${pattern}`,
      `end ${pattern}`,
    ]);
  };

  it.each([
    'value',
    'intercepted value',
    'nothing',
    'error',
    'stream',
    'failing stream',
    'generator',
    'failing generator',
  ])('are called once each for a request that ends by itself: %s', async (pattern) => {
    await lastValueFrom(client.send(pattern, {}), { defaultValue: undefined }).catch(
      () => undefined,
    );
    await expectOnce(pattern);
  });

  describe.each(['endless observable', 'endless generator', 'endless handler'])(
    'are called once each for a request that does not: %s',
    (pattern) => {
      it('when it is cancelled', async () => {
        const subscription = client.send(pattern, {}).subscribe();
        await eventually(() => begun === 1);
        subscription.unsubscribe();
        await expectOnce(pattern);
      });

      it('when its client leaves', async () => {
        client.send(pattern, {}).subscribe({ error: () => undefined });
        await eventually(() => begun === 1);
        await client.close();
        await expectOnce(pattern);
      });

      it('when the connection breaks', async () => {
        const peer = await PacketPeer.connect(running.port);
        peer.send({ id: 1, pattern, data: {} });
        await eventually(() => begun === 1);
        peer.raw.reset();
        await expectOnce(pattern);
      });

      it('when the server closes', async () => {
        client.send(pattern, {}).subscribe({ error: () => undefined });
        await eventually(() => begun === 1);
        await running.app.close();
        await expectOnce(pattern);
      });
    },
  );

  it.each(['event', 'failing event', 'event stream', 'shared event'])(
    'are called once each for an event: %s',
    async (pattern) => {
      client.emit(pattern, {});
      await expectOnce(pattern);
    },
  );

  it.each<[string, (peer: PacketPeer) => unknown]>([
    ['its peer leaves', (peer) => peer.raw.destroy()],
    ['its connection breaks', (peer) => peer.raw.reset()],
    ['the server closes', () => running.app.close()],
  ])('are called once each for an event whose stream does not end, when %s', async (_, end) => {
    const peer = await PacketPeer.connect(running.port);
    peer.send({ pattern: 'endless event', data: {} });
    await eventually(() => begun === 1);
    await end(peer);
    await expectOnce('endless event');
  });

  it('are not called for what nobody handles, as in the built-in transports', async () => {
    client.emit('unknown event', {});
    await expect(firstValueFrom(client.send('unknown', {}))).rejects.toContain('no matching');
    expect(spans).toEqual([]);
  });

  it('are not called for what has not begun: cancelled while it waited, or refused', async () => {
    const peer = await PacketPeer.connect(running.port);
    const ids = [1, 2, 3, 4, 5];
    peer.send(...ids.map((id) => ({ id, pattern: 'endless observable', data: {} })));
    await peer.lastReply(5);
    peer.send({ id: 3, cancel: true }, { id: 4, cancel: true });
    peer.send({ id: 1, cancel: true }, { id: 2, cancel: true });
    await eventually(() => spans.length === 4);
    await peer.raw.destroy();
    for (let i = 0; i < 5; i++) await inputHandled();
    expect(spans.toSorted()).toEqual([
      'end endless observable',
      'end endless observable',
      'start endless observable',
      'start endless observable',
    ]);
  });

  it('that begin late: a request cancelled meanwhile is not handled, and ends once', async () => {
    let beginLate: () => void = () => undefined;
    running.server.setOnProcessingStartHook((_, context, done) => {
      spans.push(`start ${(context as PikeContext).getPattern()}`);
      beginLate = () => void done();
    });
    const peer = await PacketPeer.connect(running.port);
    peer.send({ id: 1, pattern: 'endless observable', data: {} });
    await eventually(() => spans.length === 1);
    peer.send({ id: 1, cancel: true }, { pattern: 'unknown', data: {} });
    for (let i = 0; i < 5; i++) await inputHandled();

    beginLate();

    await expectOnce('endless observable');
    expect(begun).toBe(0);
    await peer.raw.destroy();
  });

  it('that fail once the stream goes on: its client is told, and the stream torn down', async () => {
    running.server.setOnProcessingStartHook(async (_, context, done) => {
      spans.push(`start ${(context as PikeContext).getPattern()}`);
      await done();
      throw new Error('in the hook');
    });
    await expect(lastValueFrom(client.send('endless observable', {}))).rejects.toEqual({
      status: 'error',
      message: 'Internal server error',
    });
    await expectOnce('endless observable');
  });

  it('that drop events do not use up what may be in flight', async () => {
    running.server.setOnProcessingStartHook((_, context, done) => {
      const pattern = (context as PikeContext).getPattern();
      spans.push(`start ${pattern}`);
      if (pattern !== 'event') void done();
    });
    for (let i = 0; i < 20; i++) client.emit('event', {});
    await expect(firstValueFrom(client.send('value', {}))).resolves.toBe(1);
    expect(spans.filter((span) => span === 'start event')).toHaveLength(20);
  });

  it('do without those of Nest, which 11.0 has not', async () => {
    const set = jest.spyOn(Server.prototype, 'setOnProcessingEndHook').mockImplementation(() => {
      throw new TypeError('super.setOnProcessingEndHook is not a function');
    });
    const patterns: string[] = [];
    running.server.setOnProcessingEndHook((_, context) => {
      patterns.push((context as PikeContext).getPattern());
    });
    await firstValueFrom(client.send('value', {}));
    expect({ patterns, calls: set.mock.calls }).toEqual({ patterns: ['value'], calls: [] });
  });

  it('reject without taking the process down', async () => {
    running.server.setOnProcessingEndHook(async () => {
      await nextTurn();
      throw new Error('no end');
    });
    await expect(firstValueFrom(client.send('value', {}))).resolves.toBe(1);
    for (let i = 0; i < 5; i++) await inputHandled();
    await expect(firstValueFrom(client.send('value', {}))).resolves.toBe(1);
  });

  describe('metadata', () => {
    /** What Nest 12 has, and Nest 11 has not. */
    const onDispatch = (hook: (packet: { metadata?: Record<string, string> }) => void): void => {
      const hooked = client as PikeClient & { setOnDispatchHook?: (given: typeof hook) => void };
      hooked.setOnDispatchHook?.(hook);
    };

    it('that a dispatch hook adds to a request arrives in its context', async () => {
      onDispatch((packet) => (packet.metadata = { ...packet.metadata, traceparent: '00-1' }));
      await expect(firstValueFrom(client.send('metadata', {}))).resolves.toEqual({
        traceparent: '00-1',
      });
    });

    it('that a dispatch hook adds to an event arrives in its context', async () => {
      onDispatch((packet) => (packet.metadata = { tenant: 'a' }));
      await lastValueFrom(client.emit('event', {}), { defaultValue: undefined });
      await eventually(() => eventMetadata.length === 1);
      expect(eventMetadata).toEqual([{ tenant: 'a' }]);
    });

    it('is there before the handler: in the processing hooks', async () => {
      const seen: unknown[] = [];
      running.server.setOnProcessingStartHook((_, context, done) => {
        seen.push((context as PikeContext).getMetadata());
        return done();
      });
      onDispatch((packet) => (packet.metadata = { traceparent: '00-2' }));
      await firstValueFrom(client.send('value', {}));
      expect(seen).toEqual([{ traceparent: '00-2' }]);
    });

    it('is none where none was added', async () => {
      await expect(firstValueFrom(client.send('metadata', {}))).resolves.toBe('none');
    });
  });
});
