// Prevents: a stream that goes on when nobody is interested in it any more, as with the built-in
// transports: its timers, its cursors and what it holds are never let go of.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Injectable, Scope, UseInterceptors } from '@nestjs/common';
import type { CallHandler, NestInterceptor } from '@nestjs/common';
import { MessagePattern } from '@nestjs/microservices';
import type { PikeClient } from 'nestjs-pike';
import { firstValueFrom, lastValueFrom, Observable, tap } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { inputHandled, nextTurn } from '../support/turns.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

let begun = 0;
let produced = 0;
let ended = 0;

class PassingInterceptor implements NestInterceptor {
  intercept(_: unknown, next: CallHandler) {
    return next.handle();
  }
}

/** Emits for ever, over time. */
function ticks(): Observable<number> {
  return new Observable((subscriber) => {
    begun++;
    const timer = setInterval(() => subscriber.next(produced++), 1);
    return () => {
      clearInterval(timer);
      ended++;
    };
  });
}

/** Yields for ever, a value in each turn. */
async function* counts(): AsyncGenerator<number> {
  begun++;
  try {
    for (;;) {
      await nextTurn();
      yield produced++;
    }
  } finally {
    ended++;
  }
}

@Controller()
class StreamController {
  @MessagePattern('observable')
  observable() {
    return ticks();
  }

  @MessagePattern('generator')
  async *generator() {
    yield* counts();
  }

  @MessagePattern('promise of an observable')
  async promisedObservable() {
    await nextTurn();
    return ticks();
  }

  @MessagePattern('promise of a generator')
  async promisedGenerator() {
    await nextTurn();
    return counts();
  }

  @UseInterceptors(PassingInterceptor)
  @MessagePattern('intercepted observable')
  interceptedObservable() {
    return ticks();
  }

  @UseInterceptors(PassingInterceptor)
  @MessagePattern('intercepted generator')
  async *interceptedGenerator() {
    yield* counts();
  }

  @UseInterceptors(PassingInterceptor, PassingInterceptor)
  @MessagePattern('intercepted promise of a generator')
  async interceptedPromise() {
    await nextTurn();
    return counts();
  }

  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }
}

@Injectable()
@Controller({ scope: Scope.REQUEST })
class ScopedController {
  @MessagePattern('request-scoped observable')
  observable() {
    return ticks();
  }

  @MessagePattern('request-scoped generator')
  async *generator() {
    yield* counts();
  }

  @UseInterceptors(PassingInterceptor)
  @MessagePattern('request-scoped intercepted generator')
  async *interceptedGenerator() {
    yield* counts();
  }
}

const PATTERNS = [
  'observable',
  'generator',
  'promise of an observable',
  'promise of a generator',
  'intercepted observable',
  'intercepted generator',
  'intercepted promise of a generator',
  'request-scoped observable',
  'request-scoped generator',
  'request-scoped intercepted generator',
];

describe('a stream of replies', () => {
  let running: Running;
  let client: PikeClient;
  beforeEach(async () => {
    begun = produced = ended = 0;
    running = await start([StreamController, ScopedController], { shutdown: { deadline: 1000 } });
    client = running.client();
  });
  afterEach(() => running.close());

  /** Resolves when the producer's own last block has run, and nothing comes after it. */
  const expectTornDown = async (streams = 1): Promise<void> => {
    await eventually(() => ended === streams);
    const before = produced;
    for (let i = 0; i < 5; i++) await inputHandled();
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect({ begun, produced, ended }).toEqual({
      begun: streams,
      produced: before,
      ended: streams,
    });
  };

  describe.each(PATTERNS)('of an endless %s', (pattern) => {
    it('is torn down when the client unsubscribes', async () => {
      let values = 0;
      const subscription = client.send(pattern, {}).subscribe(() => values++);
      await eventually(() => values > 2);
      subscription.unsubscribe();
      await expectTornDown();
      await expect(firstValueFrom(client.send('echo', 'still'))).resolves.toBe('still');
    });

    it('is torn down when the client has its value and wants no more', async () => {
      await firstValueFrom(client.send(pattern, {}));
      await expectTornDown();
    });

    it('is torn down when the client leaves', async () => {
      let values = 0;
      client.send(pattern, {}).subscribe({ next: () => values++, error: () => undefined });
      await eventually(() => values > 2);
      await client.close();
      await expectTornDown();
    });

    it('is torn down when the connection breaks', async () => {
      const peer = await PacketPeer.connect(running.port);
      peer.send({ id: 1, pattern, data: {} });
      await peer.reply(() => true);
      peer.raw.reset();
      await expectTornDown();
    });

    it('is torn down when the server closes', async () => {
      const seen: unknown[] = [];
      const failed = lastValueFrom(client.send(pattern, {}).pipe(tap((value) => seen.push(value))));
      const outcome = failed.catch((error: unknown) => error);
      await eventually(() => seen.length > 2);
      await running.app.close();
      await expectTornDown();
      await expect(outcome).resolves.toMatchObject({ code: 'PIKE_ERR_INTERRUPTED' });
    });

    it('is not begun for a client that has left while the handler was at work', async () => {
      const peer = await PacketPeer.connect(running.port);
      const gone = new Promise((resolve) => running.server.on('remoteDisconnect', resolve));
      const read = new Promise((resolve) => running.server.on('messageReceived', resolve));
      peer.send({ id: 1, pattern, data: {} }, { id: 1, cancel: true });
      await read;
      await peer.raw.destroy();
      await gone;
      for (let i = 0; i < 5; i++) await inputHandled();
      expect({ produced, left: begun - ended }).toEqual({ produced: 0, left: 0 });
    });
  });

  it('is one of many of a connection, and all are torn down with it', async () => {
    let values = 0;
    const observer = { next: () => values++, error: () => undefined };
    for (let i = 0; i < 10; i++) {
      for (const pattern of PATTERNS) client.send(pattern, {}).subscribe(observer);
    }
    await eventually(() => begun === 100 && values > 1000);
    await client.close();
    await expectTornDown(100);
  });
});
