// Prevents: a race between a peer, its handlers and the server's own end lets somebody in whom nobody
// has accepted, keeps somebody who has left, or takes the process down.
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Logger } from '@nestjs/common';
import type { Type } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import {
  OnFinishDisconnect,
  OnRemoteConnect,
  OnRemoteDisconnect,
  PIKE_TRANSPORT,
  PikeLifecycle,
  PikeServer,
  RemoteConnectEvent,
} from 'nestjs-pike';
import type { FinishDisconnectEvent, PikeServerOptions } from 'nestjs-pike';
import { firstValueFrom, NEVER, of, throwError } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { RawPeer } from '../support/raw-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const log: string[] = [];
let decide: (event: RemoteConnectEvent) => unknown = () => undefined;

@Controller()
class DecidingController {
  @OnRemoteConnect()
  connecting(event: RemoteConnectEvent): unknown {
    log.push('asked');
    return decide(event);
  }

  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @OnFinishDisconnect()
  async finished({ error }: FinishDisconnectEvent) {
    await pause(20);
    log.push(`finished ${(error as { code?: string } | undefined)?.code ?? ''}`.trim());
  }

  @OnRemoteDisconnect()
  left() {
    log.push('left');
  }
}

@Controller()
class AlsoDecidingController {
  @OnRemoteConnect()
  connecting(event: RemoteConnectEvent) {
    event.finishAccept();
  }
}

@Controller()
class NamedController {
  @OnRemoteConnect({ server: 'a' })
  a(event: RemoteConnectEvent) {
    log.push('for a');
    event.finishAccept();
  }

  @OnRemoteConnect({ server: 'b' })
  b(event: RemoteConnectEvent) {
    log.push('for b');
    event.finishAccept();
  }

  @OnRemoteConnect()
  every() {
    log.push('for every');
  }

  @EventPattern(PikeLifecycle.RemoteDisconnect, PIKE_TRANSPORT, { server: 'b' })
  leftB() {
    log.push('left b');
  }
}

describe('accepting a peer', () => {
  let running: Running;
  const logged: unknown[] = [];
  const begin = async (
    decision: (event: RemoteConnectEvent) => unknown,
    options: Partial<PikeServerOptions> = {},
    more: Type<unknown>[] = [],
  ) => {
    decide = decision;
    log.length = logged.length = 0;
    for (const level of ['error', 'warn', 'debug'] as const) {
      jest.spyOn(Logger.prototype, level).mockImplementation((entry: unknown) => {
        logged.push(entry);
      });
    }
    running = await start([DecidingController, ...more], options);
    return running.client();
  };
  afterEach(async () => {
    await running.close();
    jest.restoreAllMocks();
    log.length = 0;
  });
  const connect = () => RawPeer.connect({ host: '127.0.0.1', port: running.port });

  it('works from a handler that takes its time, and from one that returns an Observable', async () => {
    const client = await begin(async (event) => {
      await pause(20);
      event.finishAccept();
    });
    await expect(firstValueFrom(client.send('echo', 1))).resolves.toBe(1);
    await client.close();
    decide = (event) => {
      event.finishAccept();
      return of(1, 2);
    };
    await expect(firstValueFrom(client.send('echo', 2))).resolves.toBe(2);
  });

  it.each<[string, (event: RemoteConnectEvent) => unknown]>([
    [
      'the Observable of a handler fails, though it has accepted',
      (event) => {
        event.finishAccept();
        return throwError(() => new Error('no'));
      },
    ],
    [
      'a handler accepts twice',
      (event) => {
        event.finishAccept();
        event.finishAccept();
      },
    ],
  ])('does not happen when %s', async (_, decision) => {
    await begin(decision);
    const peer = await connect();
    await peer.ended;
    expect(peer.bytesReceived).toBe(0);
    await peer.destroy();
  });

  it('does not happen when two handlers accept; the log says why', async () => {
    await begin((event) => event.finishAccept(), {}, [AlsoDecidingController]);
    const peer = await connect();
    await peer.ended;
    await peer.destroy();
    expect(logged.map(String).join()).toContain('finishAccept() can be called once');
  });

  it('comes too late once the handler has returned: the peer is refused, and the process lives', async () => {
    let late: unknown;
    await begin((event) => {
      setTimeout(() => {
        late = event.finishAccept();
      }, 20);
    });
    const peer = await connect();
    await peer.ended;
    await pause(40);
    await peer.destroy();
    expect(late).toBe(false);
    expect(logged.map(String).join()).toContain('finishAccept()');
  });

  it('takes acceptTimeout at most, and then does not happen', async () => {
    await begin(
      async (event) => {
        await pause(100);
        event.finishAccept();
      },
      { acceptTimeout: 30 },
    );
    const peer = await connect();
    await peer.ended;
    await pause(120);
    expect(log).toEqual(['asked', 'finished PIKE_ERR_ACCEPT_TIMEOUT']);
    // A handler that waits for what never comes is a mistake that must not be silent.
    expect(logged.map(String).join()).toContain('finishAccept() has not taken effect');
    await peer.destroy();
  });

  it('of a peer that leaves meanwhile comes to its end', async () => {
    await begin(async (event) => {
      await pause(50);
      event.finishAccept();
    });
    const [ended, reset] = [await connect(), await connect()];
    await ended.destroy();
    reset.reset();
    await pause(120);
    expect(log.filter((entry) => entry === 'asked')).toHaveLength(2);
    expect([...running.server.unwrap().connections]).toHaveLength(0);
    expect(log.filter((entry) => entry === 'left')).toHaveLength(2);
  });

  it('is over when the server closes meanwhile; the last event is waited for', async () => {
    let accepted: unknown;
    await begin(async (event) => {
      await pause(50);
      accepted = event.finishAccept();
    });
    const peer = await connect();
    while (log.length === 0) await pause(5);
    const closed = running.app.close();
    await peer.ended;
    await peer.destroy();
    await closed;
    expect(accepted).toBe(true);
    expect(log).toEqual(['asked', 'finished']);
  });

  it('is over when the server closes while a handler never decides, within the deadline', async () => {
    await begin(() => NEVER, { shutdown: { deadline: 100 } });
    const peer = await connect();
    while (log.length === 0) await pause(5);
    await expect(running.app.close()).resolves.toBeUndefined();
    await peer.ended;
    await peer.destroy();
    // The deadline had passed, so nobody has waited for the handler of the connection's end.
    await eventually(() => log.some((entry) => entry.startsWith('finished')));
  });

  it('asks only the handlers of its server, by name', async () => {
    log.length = 0;
    decide = () => undefined;
    running = await start([NamedController], { name: 'b' });
    const peer = await connect();
    while (!log.includes('for b')) await pause(5);
    await peer.destroy();
    while (!log.includes('left b')) await pause(5);
    expect(log.toSorted()).toEqual(['for b', 'for every', 'left b']);
  });

  it('is refused by a server when the handlers that accept are for other servers', async () => {
    running = await start([NamedController], { name: 'c' });
    log.length = 0;
    const peer = await connect();
    await peer.ended;
    await peer.destroy();
    expect(log.filter((entry) => entry.startsWith('for'))).toEqual(['for every']);
  });

  it('survives handlers that were added by hand and throw at once', async () => {
    running = await start([]);
    const server = new PikeServer({ host: '127.0.0.1', port: 0 });
    const error = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    for (const pattern of [PikeLifecycle.RemoteConnect, PikeLifecycle.FinishDisconnect]) {
      server.addHandler(
        pattern,
        () => {
          throw new Error('at once');
        },
        true,
      );
    }
    await new Promise<void>((resolve) => server.listen(() => resolve()));
    const peer = await RawPeer.connect(server.address!);
    await peer.ended;
    await peer.destroy();
    await server.close();
    expect(error).toHaveBeenCalledTimes(1);
  });
});
