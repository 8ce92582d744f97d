// Prevents: an event that is lost because its peer has left, a handler of it that keeps others of the
// same event from theirs, or a stream that it has returned going on for ever for nobody.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Scope, UseInterceptors } from '@nestjs/common';
import type { CallHandler, NestInterceptor } from '@nestjs/common';
import { EventPattern, MessagePattern, RpcException } from '@nestjs/microservices';
import type { MessageHandler } from '@nestjs/microservices';
import { defer, EMPTY, firstValueFrom, from, Observable, of, throwError } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { muteLogger } from '../support/mute-logger.js';
import { inputHandled, nextTurn } from '../support/turns.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const seen: string[] = [];
let produced = 0;
let ended = 0;
let busy = false;

class SlowInterceptor implements NestInterceptor {
  async intercept(_: unknown, next: CallHandler) {
    await nextTurn();
    await nextTurn();
    return next.handle();
  }
}

function ticks(): Observable<number> {
  return new Observable((subscriber) => {
    const timer = setInterval(() => subscriber.next(produced++), 1);
    return () => {
      clearInterval(timer);
      ended++;
    };
  });
}

/** Never awaits anything, and never ends. */
async function* greedy(): AsyncGenerator<number> {
  try {
    for (;;) yield produced++;
  } finally {
    ended++;
  }
}

@Controller()
class EventController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @EventPattern<string>('ticks')
  ticks() {
    return ticks();
  }

  @EventPattern<string>('greedy')
  greedy() {
    return greedy();
  }

  @UseInterceptors(SlowInterceptor)
  @EventPattern<string>('intercepted ticks')
  interceptedTicks() {
    return ticks();
  }

  @UseInterceptors(SlowInterceptor)
  @EventPattern<string>('intercepted greedy')
  async interceptedGreedy() {
    return greedy();
  }

  @UseInterceptors(SlowInterceptor)
  @EventPattern<string>('intercepted')
  async intercepted(data: string) {
    await nextTurn();
    seen.push(`intercepted ${data}`);
  }

  @EventPattern<string>('cold')
  cold(data: string) {
    return defer(() => {
      seen.push(`cold ${data}`);
      return from(nextTurn().then(() => seen.push(`cold ${data} done`)));
    });
  }

  @EventPattern<string>('generator')
  async *generator(data: string) {
    await nextTurn();
    seen.push(`generator ${data}`);
    yield 1;
  }

  @EventPattern<string>('three')
  async *first() {
    for (let i = 0; i < 3; i++) {
      await nextTurn();
      yield i;
    }
    seen.push('first: whole');
  }

  @EventPattern<string>('three')
  second() {
    seen.push('second');
    return throwError(() => new RpcException('the second fails'));
  }

  @EventPattern<string>('three')
  third() {
    seen.push('third');
    return EMPTY;
  }

  @EventPattern<string>('three')
  fourth() {
    return new Observable((subscriber) => {
      setImmediate(() => {
        seen.push('fourth: whole');
        subscriber.complete();
      });
    });
  }

  @EventPattern<string>('never')
  async never() {
    busy = true;
    await new Promise(() => undefined);
  }

  @EventPattern<string>('both')
  bothEvent() {
    seen.push('both: one');
    return of('one');
  }

  @EventPattern<string>('both')
  async bothEventToo() {
    seen.push('both: two');
    return 'two';
  }
}

@Controller({ scope: Scope.REQUEST })
class ScopedController {
  @EventPattern<string>('three')
  fifth() {
    seen.push('fifth');
  }

  @EventPattern<string>('scoped ticks')
  ticks() {
    return ticks();
  }
}

describe('an event handler', () => {
  let running: Running;
  const logged: unknown[] = [];
  beforeEach(async () => {
    seen.length = logged.length = produced = ended = 0;
    busy = false;
    muteLogger((entry) => logged.push(entry));
    running = await start([EventController, ScopedController], { shutdown: { deadline: 500 } });
  });
  afterEach(async () => {
    await expect(firstValueFrom(running.client().send('echo', 'still'))).resolves.toBe('still');
    await running.close();
    jest.restoreAllMocks();
  });

  /** Resolves when the stream's own last block has run, and nothing comes after it. */
  const expectTornDown = async (): Promise<void> => {
    await eventually(() => ended === 1);
    const before = produced;
    for (let i = 0; i < 5; i++) await inputHandled();
    expect({ produced, ended }).toEqual({ produced: before, ended: 1 });
  };

  describe.each(['ticks', 'greedy', 'intercepted ticks', 'intercepted greedy', 'scoped ticks'])(
    'that returns an endless stream: %s',
    (pattern) => {
      it('leaves others their turn', async () => {
        const client = running.client();
        client.emit(pattern, {});
        await eventually(() => produced > 10);
        await expect(firstValueFrom(client.send('echo', 1))).resolves.toBe(1);
        await client.close();
        await expectTornDown();
      });

      it('has it ended when the peer leaves', async () => {
        const peer = await PacketPeer.connect(running.port);
        peer.send({ pattern, data: {} });
        await eventually(() => produced > 2);
        await peer.raw.destroy();
        await expectTornDown();
      });

      it('has it ended when the connection breaks', async () => {
        const peer = await PacketPeer.connect(running.port);
        peer.send({ pattern, data: {} });
        await eventually(() => produced > 2);
        peer.raw.reset();
        await expectTornDown();
      });

      it('has it ended when the peer is not to be trusted', async () => {
        const peer = await PacketPeer.connect(running.port);
        peer.send({ pattern, data: {} });
        await eventually(() => produced > 2);
        peer.send('nonsense');
        await expectTornDown();
        await peer.raw.destroy();
      });

      it('has it ended when the peer leaves at once, by its first value', async () => {
        const peer = await PacketPeer.connect(running.port);
        peer.send({ pattern, data: {} });
        peer.raw.end();
        await expectTornDown();
        expect(produced).toBeLessThan(4);
        await peer.raw.destroy();
      });

      it('has it ended when the server closes', async () => {
        const peer = await PacketPeer.connect(running.port);
        peer.send({ pattern, data: {} });
        await eventually(() => produced > 2);
        await running.app.close();
        await expectTornDown();
        await peer.raw.destroy();
        running = await start([EventController]);
      });
    },
  );

  it.each([
    ['intercepted', ['intercepted sent']],
    ['cold', ['cold sent', 'cold sent done']],
    ['generator', ['generator sent']],
  ])('is run to its end though its peer leaves at once: %s', async (pattern, expected) => {
    const client = running.client();
    await client.connect();
    client.emit(pattern, 'sent');
    await client.close();
    await eventually(() => seen.length === expected.length);
    expect(seen).toEqual(expected);
  });

  it('is one of several, each run for itself, though one fails and another is empty', async () => {
    const client = running.client();
    client.emit('three', {});
    await eventually(() => seen.length === 5);
    expect(seen.slice(0, 2)).toEqual(['second', 'third']);
    expect(seen.toSorted()).toEqual(['fifth', 'first: whole', 'fourth: whole', 'second', 'third']);
    expect(logged).toEqual([{ status: 'error', message: 'the second fails' }]);
  });

  it('is found where Nest keeps it, the others behind it', () => {
    const handlers = [];
    let next: MessageHandler | undefined = running.server.getHandlers().get('three');
    for (; next !== undefined; next = next.next) handlers.push(next.isEventHandler);
    expect(handlers).toEqual(Array(5).fill(true));
  });

  it('answers a request, since Nest lets it, with what all return', async () => {
    const client = running.client();
    await expect(firstValueFrom(client.send('both', {}))).resolves.toEqual({
      current: 'one',
      next: 'two',
    });
    expect(seen).toEqual(['both: one', 'both: two']);
  });

  it('that never returns is let go of with the server, and not waited for beyond the deadline', async () => {
    const client = running.client();
    client.emit('never', {});
    await eventually(() => busy);
    await client.close();
    await expect(running.app.close()).resolves.toBeUndefined();
    running = await start([EventController]);
  });
});
