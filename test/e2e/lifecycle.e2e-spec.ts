// Prevents: a peer that nobody accepted is served, or a packet from the wire reaches a handler that
// decides about connections.
import { EventEmitter, once } from 'node:events';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { CanActivate, ExceptionFilter, Type } from '@nestjs/common';
import {
  Catch,
  Controller,
  Injectable,
  Module,
  UseFilters,
  UseGuards,
  ValidationPipe,
} from '@nestjs/common';
import { APP_PIPE, NestFactory } from '@nestjs/core';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import {
  OnFinishDisconnect,
  OnRemoteConnect,
  OnRemoteDisconnect,
  PIKE_TRANSPORT,
  PikeClient,
  PikeContext,
  PikeLifecycle,
  PikeServer,
  RemoteConnectEvent,
  RemoteDisconnectEvent,
} from 'nestjs-pike';
import type { FinishDisconnectEvent } from 'nestjs-pike';
import { firstValueFrom, of, throwError } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { RawPeer } from '../support/raw-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const log: string[] = [];
const notes = new EventEmitter();

function note(entry: string): void {
  log.push(entry);
  notes.emit(entry);
}

/** Resolves once an entry is in the log. */
async function logged(entry: string): Promise<void> {
  if (!log.includes(entry)) await once(notes, entry);
}

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }
}

@Controller()
class AcceptingController {
  @EventPattern(PikeLifecycle.RemoteConnect, PIKE_TRANSPORT)
  connected(@Payload() event: RemoteConnectEvent, @Ctx() context: PikeContext) {
    note(`${event.type} ${context.getConnection() === event.connection}`);
    event.finishAccept();
  }

  @OnRemoteDisconnect()
  disconnected(event: RemoteDisconnectEvent) {
    note(event.type);
  }

  @OnFinishDisconnect()
  finished(event: FinishDisconnectEvent) {
    note(`${event.type} ${event.queued.length}`);
  }
}

@Controller()
class WatchingController {
  @OnRemoteConnect()
  watch() {
    note('watched');
  }
}

@Controller()
class FailingController {
  @OnRemoteConnect()
  async fail() {
    await new Promise((resolve) => setImmediate(resolve));
    throw new Error('the list of known peers is not to be had');
  }
}

@Controller()
class OtherServersController {
  @OnRemoteConnect({ server: 'another' })
  never() {
    note('called for another server');
  }
}

@Injectable()
class NobodyGuard implements CanActivate {
  canActivate() {
    note('guarded');
    return false;
  }
}

@Controller()
class GuardedController {
  @UseGuards(NobodyGuard)
  @OnRemoteConnect()
  accept(event: RemoteConnectEvent) {
    note('let in');
    event.finishAccept();
  }
}

describe('lifecycle events', () => {
  let running: Running;
  afterEach(async () => {
    await running.close();
    log.length = 0;
  });

  it('reach their handlers: connecting, disconnecting', async () => {
    running = await start([EchoController, AcceptingController]);
    const client = running.client();
    await expect(firstValueFrom(client.send('echo', 'hello'))).resolves.toBe('hello');
    await client.close();
    await logged('remoteDisconnect');
    expect(log).toEqual(['remoteConnect true', 'remoteDisconnect']);
  });

  it('tell of the end of connections when the application closes', async () => {
    running = await start([EchoController, AcceptingController]);
    const peer = await RawPeer.connect({ host: '127.0.0.1', port: running.port });
    await logged('remoteConnect true');
    const closed = running.app.close();
    await peer.ended;
    peer.end();
    await closed;
    expect(log).toEqual(['remoteConnect true', 'finishDisconnect 0']);
  });

  it('accept a peer by themselves when nobody handles RemoteConnect', async () => {
    running = await start([EchoController]);
    await expect(firstValueFrom(running.client().send('echo', 1))).resolves.toBe(1);
  });

  it.each([
    ['no handler accepts it', [WatchingController]],
    ['a guard denies it', [GuardedController]],
    ['one handler accepts it and another fails', [AcceptingController, FailingController]],
    [
      'one handler accepts it and a guard denies it to another',
      [AcceptingController, GuardedController],
    ],
  ])('refuse a peer when %s', async (_, controllers) => {
    running = await start([EchoController, ...controllers], {}, [NobodyGuard]);
    const peer = await RawPeer.connect({ host: '127.0.0.1', port: running.port });
    await peer.ended;
    expect(peer.bytesReceived).toBe(0);
    await peer.destroy();
    expect(log).not.toContain('let in');
  });

  it.each([
    ['lets it pass on', false, throwError(() => new Error('no'))],
    ['returns nothing', false, undefined],
    ['has handled it: docs/lifecycle.md warns of such filters', true, of('nothing to see here')],
  ])('take a guard that denies for what a filter makes of it, which %s', async (_, lets, made) => {
    @Catch()
    class OwnFilter implements ExceptionFilter {
      catch(): unknown {
        return made;
      }
    }
    @Controller()
    class FilteredController {
      @UseFilters(OwnFilter)
      @UseGuards(NobodyGuard)
      @OnRemoteConnect()
      accept(event: RemoteConnectEvent) {
        event.finishAccept();
      }
    }
    running = await start([EchoController, AcceptingController, FilteredController], {}, [
      NobodyGuard,
      OwnFilter,
    ]);
    const answered = await firstValueFrom(running.client().send('echo', 1)).then(
      () => true,
      () => false,
    );
    expect(answered).toBe(lets);
  });

  it('accept once all handlers have agreed, those of other servers aside', async () => {
    running = await start([
      EchoController,
      WatchingController,
      AcceptingController,
      OtherServersController,
    ]);
    await expect(firstValueFrom(running.client().send('echo', 1))).resolves.toBe(1);
    expect(log.toSorted()).toEqual(['remoteConnect true', 'watched']);
  });

  it('reach a handler of several, each of them', async () => {
    @Controller()
    class EndsController {
      @OnRemoteDisconnect()
      @OnFinishDisconnect()
      ended(@Payload() event: RemoteDisconnectEvent | FinishDisconnectEvent) {
        note(`both ends: ${event.type}`);
      }
    }
    running = await start([EchoController, EndsController]);
    const client = running.client();
    await firstValueFrom(client.send('echo', 1));
    await client.close();
    await logged('both ends: remoteDisconnect');
    const other = await RawPeer.connect({ host: '127.0.0.1', port: running.port });
    await eventually(() => Array.from(running.server.unwrap().connections).length === 1);
    const closed = running.app.close();
    await other.ended;
    other.end();
    await closed;
    expect(log).toEqual(['both ends: remoteDisconnect', 'both ends: finishDisconnect']);
  });

  it('of different servers cannot share a handler: that is refused where it is written', () => {
    const decorate = () => {
      class MixedController {
        @OnRemoteDisconnect({ server: 'one' })
        @OnFinishDisconnect()
        ended() {}
      }
      return MixedController;
    };
    expect(decorate).toThrow(
      'MixedController.ended: option "server" must be the same in all lifecycle decorators',
    );
  });

  it('cannot be reached by any packet, whatever pattern it names', async () => {
    running = await start([EchoController, AcceptingController]);
    const client = running.client();
    await firstValueFrom(client.send('echo', 1));
    const { RemoteConnect, RemoteDisconnect, FinishDisconnect } = PikeLifecycle;
    const before = [...log];
    const patterns = [
      RemoteConnect,
      RemoteDisconnect,
      FinishDisconnect,
      { pike: 'remoteConnect' },
      JSON.stringify(RemoteConnect),
      '{"pike":"remoteConnect"}',
      '{"pike":"remoteC\\u006fnnect"}',
      'remoteConnect',
      '"remoteConnect"',
      'remoteDisconnect',
      '[object Object]',
      '',
    ];
    for (const pattern of patterns) {
      await expect(firstValueFrom(client.send(pattern, {}))).rejects.toContain(
        'no matching message handler',
      );
      client.emit(pattern, {});
    }
    await firstValueFrom(client.send('echo', 1));
    expect(log).toEqual(before);
  });
});

describe('a global ValidationPipe', () => {
  @Controller()
  class TypedController {
    @OnRemoteConnect()
    connecting(@Payload() event: RemoteConnectEvent) {
      event.finishAccept();
    }

    @OnRemoteDisconnect()
    left(event: RemoteDisconnectEvent) {
      note(`left, with ${event.queued.length}`);
    }
  }

  /** What it needs of class-validator and class-transformer. */
  const packages = {
    validatorPackage: { validate: () => Promise.resolve([]) },
    transformerPackage: {
      plainToInstance: <T>(type: Type<T>, value: unknown) =>
        Object.assign(new type() as object, value) as T,
      classToPlain: (value: unknown) => ({ ...(value as object) }),
    },
  };

  it.each([{}, { transform: true }, { whitelist: true }])(
    'with %j leaves events as they are',
    async (options) => {
      log.length = 0;
      @Module({
        controllers: [EchoController, TypedController],
        providers: [
          { provide: APP_PIPE, useValue: new ValidationPipe({ ...options, ...packages }) },
        ],
      })
      class ValidatingModule {}
      const server = new PikeServer({ host: '127.0.0.1', port: 0 });
      const app = await NestFactory.createMicroservice(ValidatingModule, {
        strategy: server,
        logger: false,
      });
      await app.listen();
      const client = new PikeClient(server.address as { port: number });
      try {
        await expect(firstValueFrom(client.send('echo', 'taken'))).resolves.toBe('taken');
        await client.close();
        await logged('left, with 0');
      } finally {
        await client.close();
        await app.close();
      }
    },
  );
});

describe('a client that is refused', () => {
  it('learns that its request was not answered', async () => {
    const running = await start([EchoController, WatchingController]);
    const client: PikeClient = running.client();
    await expect(firstValueFrom(client.send('echo', 1))).rejects.toMatchObject({
      name: 'PikeError',
      delivery: expect.stringMatching(/unsent|in-doubt/),
    });
    await running.close();
    log.length = 0;
  });
});
