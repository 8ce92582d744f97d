// Prevents: what one request keeps in an AsyncLocalStorage (who asks, a transaction, a span) turning up
// in another request: one that has waited behind it, or has shared its connection.
import { AsyncLocalStorage } from 'node:async_hooks';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Controller, Injectable, UseGuards } from '@nestjs/common';
import type { CanActivate } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { firstValueFrom, lastValueFrom, mergeMap, Observable, toArray } from 'rxjs';
import { nextTurn } from '../support/turns.js';
import type { Running } from './support.js';
import { start } from './support.js';

const store = new AsyncLocalStorage<string>();
let release: () => void;
let released: Promise<void>;
const seen: (string | undefined)[] = [];

/** Enters a context and never leaves it, as some libraries do in a guard. */
@Injectable()
class EnteringGuard implements CanActivate {
  canActivate(): boolean {
    store.enterWith('entered');
    return true;
  }
}

@Controller()
class ContextController {
  @MessagePattern('waits')
  waits() {
    return new Observable<string>((subscriber) =>
      store.run('of the first', () => {
        void released.then(() => {
          subscriber.next('done');
          subscriber.complete();
        });
      }),
    );
  }

  @MessagePattern('enters')
  @UseGuards(EnteringGuard)
  enters() {
    return store.getStore() ?? 'nothing';
  }

  @MessagePattern('looks')
  async looks() {
    await nextTurn();
    return store.getStore() ?? 'nothing';
  }

  @EventPattern<string>('event')
  event() {
    seen.push(store.getStore());
  }
}

describe('contexts', () => {
  let running: Running;
  beforeEach(async () => {
    seen.length = 0;
    released = new Promise((resolve) => (release = resolve));
    running = await start([ContextController], { maxInFlight: 1 });
  });
  afterEach(() => running.close());

  it('of one request do not reach those that have waited behind it', async () => {
    const client = running.client();
    const first = lastValueFrom(client.send('waits', 1));
    const second = lastValueFrom(client.send('looks', 1));
    await firstValueFrom(client.emit('event', 1), { defaultValue: undefined });
    release();
    await expect(first).resolves.toBe('done');
    await expect(second).resolves.toBe('nothing');
    await expect(lastValueFrom(client.send('looks', 1))).resolves.toBe('nothing');
    expect(seen).toEqual([undefined]);
  });

  it('that a guard enters, and does not leave, end with its request', async () => {
    const client = running.client();
    await expect(
      Promise.all([
        lastValueFrom(client.send('enters', 1)),
        lastValueFrom(client.send('looks', 1)),
      ]),
    ).resolves.toEqual(['entered', 'nothing']);
    await expect(lastValueFrom(client.send('looks', 1))).resolves.toBe('nothing');
  });

  it('of the first user of a client do not reach the callbacks of others', async () => {
    const client = running.client();
    await store.run('the first', () => lastValueFrom(client.send('looks', 1)));
    const within = client.send('looks', 1).pipe(
      mergeMap(
        () =>
          new Observable<string>((subscriber) => {
            subscriber.next(store.getStore() ?? 'nothing');
            subscriber.complete();
          }),
      ),
      toArray(),
    );
    await expect(lastValueFrom(within)).resolves.toEqual(['nothing']);
  });

  it('of the first user of a client do not reach the handlers of the events that its server sends', async () => {
    const client = running.client();
    const heard = new Promise((resolve) =>
      client.events('news').subscribe(() => resolve(store.getStore())),
    );
    await store.run('the first', () => lastValueFrom(client.send('looks', 1)));
    await lastValueFrom(running.server.broadcast('news', 1));
    await expect(heard).resolves.toBeUndefined();
  });
});
