// Prevents: what Nest puts around a handler (scopes, guards, pipes, interceptors, filters, processing
// hooks) works differently here than with its own transports, or a hook that fails fails the peer.
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import {
  Catch,
  Controller,
  Inject,
  Injectable,
  Logger,
  ParseIntPipe,
  Scope,
  UseFilters,
  UseGuards,
  UseInterceptors,
} from '@nestjs/common';
import type { CallHandler, CanActivate, ExceptionFilter, NestInterceptor } from '@nestjs/common';
import { CONTEXT, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { OnRemoteConnect, PikeContext, RemoteConnectEvent } from 'nestjs-pike';
import type { PikeServer } from 'nestjs-pike';
import { EMPTY, firstValueFrom, lastValueFrom, map, of, range, timeout, toArray } from 'rxjs';
import type { Running } from './support.js';
import { start } from './support.js';

const seen: string[] = [];
let instances = 0;

@Injectable()
class OddGuard implements CanActivate {
  canActivate(context: { switchToRpc: () => { getData: () => unknown } }) {
    return Number(context.switchToRpc().getData()) % 2 === 1;
  }
}

class DoublingInterceptor implements NestInterceptor {
  intercept(_: unknown, next: CallHandler<number>) {
    return next.handle().pipe(map((value) => value * 2));
  }
}

class SeeingInterceptor implements NestInterceptor {
  intercept(_: unknown, next: CallHandler) {
    seen.push('intercepted');
    return next.handle();
  }
}

@Catch()
class TellingFilter implements ExceptionFilter {
  catch(exception: Error) {
    return of(`caught ${exception.message}`);
  }
}

@Controller({ scope: Scope.REQUEST })
class ScopedController {
  readonly #instance = ++instances;

  constructor(@Inject(CONTEXT) private readonly request: { context: PikeContext }) {}

  @MessagePattern('instance')
  instance() {
    return [this.#instance, this.request.context instanceof PikeContext];
  }

  @EventPattern('noted')
  noted(@Payload() data: string) {
    seen.push(data);
  }

  @UseInterceptors(SeeingInterceptor)
  @OnRemoteConnect()
  connecting(event: RemoteConnectEvent) {
    seen.push(event.type);
    event.finishAccept();
  }
}

@Controller()
class PlainController {
  @UseGuards(OddGuard)
  @UseInterceptors(DoublingInterceptor)
  @MessagePattern('guarded')
  guarded(@Payload(ParseIntPipe) value: number) {
    return value;
  }

  @UseFilters(TellingFilter)
  @MessagePattern('filtered')
  filtered() {
    throw new Error('it');
  }

  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern('range')
  range() {
    return range(0, 3);
  }

  @MessagePattern('empty')
  empty() {
    return EMPTY;
  }

  @MessagePattern('fails')
  fails() {
    throw new Error('fails');
  }

  @EventPattern('event')
  event(data: unknown) {
    seen.push(`event ${String(data)}`);
  }

  @EventPattern('event fails')
  async eventFails(data: unknown) {
    await Promise.reject(new Error(data === undefined ? 'no data' : 'fails'));
  }
}

describe('around a handler', () => {
  let running: Running;
  const logged: unknown[] = [];
  const begin = async () => {
    seen.length = logged.length = 0;
    jest.spyOn(Logger.prototype, 'error').mockImplementation((entry: unknown) => {
      logged.push(entry);
    });
    running = await start([ScopedController, PlainController], { shutdown: { deadline: 500 } });
    return running.client();
  };
  afterEach(async () => {
    await running.close();
    jest.restoreAllMocks();
  });

  const outcome = (pattern: string, data: unknown = {}) =>
    lastValueFrom(running.client().send(pattern, data).pipe(timeout(3000), toArray())).catch(
      (error: unknown) => ({ error }),
    );

  it('request scope gives every message an instance of its own, with its context', async () => {
    const client = await begin();
    const replies = [];
    for (let i = 0; i < 3; i++) {
      replies.push(await firstValueFrom(client.send<[number, boolean]>('instance', {})));
    }
    expect(new Set(replies.map(([instance]) => instance)).size).toBe(3);
    expect(replies.every(([, isContext]) => isContext)).toBe(true);
    client.emit('noted', 'an event');
    await firstValueFrom(client.send('instance', {}));
    expect(seen).toEqual(['intercepted', 'remoteConnect', 'an event']);
  });

  it('guards, pipes, interceptors and filters apply', async () => {
    await begin();
    await expect(outcome('guarded', '21')).resolves.toEqual([42]);
    await expect(outcome('guarded', 2)).resolves.toEqual({
      error: { status: 'error', message: 'Forbidden resource' },
    });
    await expect(outcome('guarded', '1x')).resolves.toMatchObject({ error: { status: 'error' } });
    await expect(outcome('filtered')).resolves.toEqual(['caught it']);
  });

  describe('processing hooks', () => {
    /** What the hooks were told, and of how many spans. */
    const hook = (server: PikeServer) => {
      const spans: string[] = [];
      server.setOnProcessingStartHook((_, context, done) => {
        spans.push(`start ${(context as PikeContext).getPattern()}`);
        return void done();
      });
      server.setOnProcessingEndHook((_, context) => {
        spans.push(`end ${(context as PikeContext).getPattern()}`);
      });
      return spans;
    };

    it.each(['echo', 'range', 'empty', 'fails'])(
      'are called once each for the request %s',
      async (pattern) => {
        await begin();
        const spans = hook(running.server);
        await outcome(pattern);
        expect(spans).toEqual([`start ${pattern}`, `end ${pattern}`]);
      },
    );

    it.each(['event', 'event fails'])('are called once each for %s', async (pattern) => {
      const client = await begin();
      const spans = hook(running.server);
      client.emit(pattern, 1);
      await firstValueFrom(client.send('echo', 1));
      expect(spans.filter((span) => span.endsWith(pattern))).toEqual([
        `start ${pattern}`,
        `end ${pattern}`,
      ]);
    });

    it('may begin later, and twice: the handler runs once', async () => {
      const client = await begin();
      running.server.setOnProcessingStartHook((_, __, done) => {
        setTimeout(() => {
          void done();
          void done();
        }, 10);
      });
      await lastValueFrom(client.emit('event', 'late'));
      await expect(outcome('echo', 'late')).resolves.toEqual(['late']);
      expect(seen.filter((entry) => entry === 'event late')).toHaveLength(1);
    });

    it('can await what they begin', async () => {
      await begin();
      const ended: string[] = [];
      running.server.setOnProcessingStartHook((async (
        _: unknown,
        context: PikeContext,
        done: () => Promise<unknown>,
      ) => {
        await done();
        ended.push(context.getPattern());
      }) as never);
      await outcome('echo', 1);
      expect(ended).toEqual(['echo']);
    });

    it.each<[string, () => void | Promise<void>]>([
      [
        'throws',
        () => {
          throw new Error('no span');
        },
      ],
      ['rejects', () => Promise.reject(new Error('no span'))],
    ])('that start, where one %s: requests fail, connections live', async (_, fail) => {
      const client = await begin();
      await client.connect();
      running.server.setOnProcessingStartHook(((
        __: unknown,
        context: PikeContext,
        done: () => void,
      ) => (context.getPattern() === 'echo' ? done() : fail())) as never);
      client.emit('event', 1);
      await expect(firstValueFrom(client.send('range', {}))).rejects.toEqual({
        status: 'error',
        message: 'Internal server error',
      });
      await expect(firstValueFrom(client.send('echo', 2))).resolves.toBe(2);
      expect(logged.map(String)).toEqual(['Error: no span', 'Error: no span']);
      expect([...running.server.unwrap().connections]).toHaveLength(1);
    });

    it('that end, where one throws: nothing else happens', async () => {
      const client = await begin();
      running.server.setOnProcessingEndHook(() => {
        throw new Error('no end');
      });
      client.emit('event', 1);
      await expect(outcome('range')).resolves.toEqual([0, 1, 2]);
      await expect(outcome('echo', 2)).resolves.toEqual([2]);
      expect(logged.map(String)).toEqual(Array.from({ length: 3 }, () => 'Error: no end'));
    });
  });
});
