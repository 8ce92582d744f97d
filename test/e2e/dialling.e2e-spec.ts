// Prevents: a device that starts before its network, or whose gateway restarts, stays away for ever,
// hammers the gateway, or cannot be stopped while it waits.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Logger } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import {
  FinishConnectEvent,
  OnFinishConnect,
  OnFinishDisconnect,
  OnRemoteConnect,
  OnRemoteDisconnect,
  PikeContext,
  PikeServer,
} from 'nestjs-pike';
import type { Endpoint, PikeServerOptions } from 'nestjs-pike';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import { RawListener } from '../support/raw-peer.js';
import { startSilentHost } from '../support/silent-host.js';
import { useSockets } from '../support/use-sockets.js';
import { Notes } from './notes.js';
import type { Launched } from './support.js';
import { launch, start } from './support.js';

const sockets = useSockets();
const notes = new Notes();
const attempts: FinishConnectEvent[] = [];

@Controller()
class DeviceController {
  @OnFinishConnect()
  connected(@Payload() event: FinishConnectEvent, @Ctx() context: PikeContext) {
    attempts.push(event);
    notes.add(event.success ? 'connected' : 'not connected');
    if (event.success) context.emit('iam', 'device 7');
  }

  @OnRemoteDisconnect()
  left() {
    notes.add('gateway left');
  }

  @OnFinishDisconnect()
  ended() {
    notes.add('we ended');
  }

  @MessagePattern('read')
  read() {
    return 21.5;
  }

  @MessagePattern('slow')
  slow() {
    notes.add('slow begins');
    return new Promise((resolve) => {
      finishSlow = () => resolve('done');
    });
  }
}

let finishSlow: () => void = () => undefined;

@Controller()
class GatewayController {
  @EventPattern<string>('iam')
  iam(@Payload() name: string, @Ctx() context: PikeContext) {
    context.join('devices');
    notes.add(name);
  }
}

/** Gateways refuse everybody who comes. */
@Controller()
class RefusingController {
  @OnRemoteConnect()
  refuse() {
    notes.add('refused');
  }
}

const SOON = { minDelay: 5, maxDelay: 20 };

describe('a server that connects', () => {
  const launched: Launched[] = [];
  const logged: string[] = [];
  beforeEach(() => {
    notes.clear();
    logged.length = 0;
    attempts.length = 0;
    jest
      .spyOn(Logger.prototype, 'warn')
      .mockImplementation((message: unknown) => void logged.push(String(message)));
  });
  afterEach(async () => {
    for (const { app } of launched.splice(0).reverse()) await app.close();
    jest.restoreAllMocks();
  });
  const device = async (
    connect: Endpoint[],
    options: Partial<PikeServerOptions> = {},
  ): Promise<PikeServer> => {
    const machine = await launch([DeviceController], { connect, reconnect: SOON, ...options });
    launched.push(machine);
    return machine.server;
  };
  const gateway = async (options: Partial<PikeServerOptions> = {}) => {
    const running = await start([GatewayController], options);
    launched.push(running);
    return running;
  };
  const at = (port: number): Endpoint => ({ host: '127.0.0.1', port });

  it('starts although nobody listens, tells of each attempt, and connects once somebody does', async () => {
    const port = await freePort();
    const server = await device([at(port)]);
    const statuses: string[] = [];
    server.status.subscribe((status) => {
      statuses.push(status);
      notes.add(`status ${status}`);
    });
    await notes.seen('not connected', 3);
    expect(attempts[0]).toMatchObject({
      success: false,
      queued: [],
      error: { code: 'PIKE_ERR_CONNECT_FAILED' },
    });
    expect(statuses).toEqual(['disconnected']);
    expect(logged[0]).toMatch(/ECONNREFUSED .*127\.0\.0\.1:\d+ is tried again/);

    const { server: other } = await gateway({ port });
    await notes.seen('device 7');
    await notes.seen('status connected');
    const [connection] = other.group('devices').connections;
    await expect(firstValueFrom(other.sendTo(connection!, 'read', {}))).resolves.toBe(21.5);
    expect(statuses).toEqual(['disconnected', 'connected']);
  });

  it('connects again when the gateway is gone and back, and logs in again', async () => {
    const first = await start([GatewayController]);
    const server = await device([at(first.port)]);
    await notes.seen('device 7');
    await first.app.close();
    await notes.seen('gateway left');
    await notes.seen('not connected');

    const second = await gateway({ port: first.port });
    await notes.seen('device 7', 2);
    const [connection] = second.server.group('devices').connections;
    await expect(firstValueFrom(second.server.sendTo(connection!, 'read', {}))).resolves.toBe(21.5);
    expect(first.server.group('devices').connections).toEqual([]);
    expect([...server.unwrap().connections]).toHaveLength(1);
    expect(new Set(attempts.map((attempt) => attempt.connection)).size).toBe(attempts.length);
  });

  it('connects again when it has itself ended the connection', async () => {
    const { port } = await gateway();
    const server = await device([at(port)]);
    await notes.seen('device 7');
    const connector = server.unwrap();
    for (const connection of connector.connections) {
      connector.disconnect(connection, { finishQueues: true });
    }
    await notes.seen('we ended');
    await notes.seen('device 7', 2);
    expect([...connector.connections]).toHaveLength(1);
  });

  it('keeps one connection to each of several endpoints', async () => {
    const [one, other] = [await gateway(), await gateway()];
    const server = await device([at(one.port), at(other.port)]);
    await notes.seen('device 7', 2);
    expect(one.server.group('devices').connections).toHaveLength(1);
    expect(other.server.group('devices').connections).toHaveLength(1);

    await one.app.close();
    await notes.seen('gateway left');
    expect([...server.unwrap().connections]).toHaveLength(1);
    const [connection] = other.server.group('devices').connections;
    await expect(firstValueFrom(other.server.sendTo(connection!, 'read', {}))).resolves.toBe(21.5);
    await expect(firstValueFrom(server.status)).resolves.toBe('connected');
  });

  it('may listen too, and serves both alike', async () => {
    const { port, server: upstream } = await gateway();
    const server = await device([at(port)], { host: '127.0.0.1', port: 0 });
    await notes.seen('device 7');
    const { port: own } = server.address as { port: number };
    const neighbour = await device([at(own)]);
    await notes.seen('connected', 2);
    const [connection] = neighbour.unwrap().connections;
    await expect(firstValueFrom(neighbour.sendTo(connection!, 'read', {}))).resolves.toBe(21.5);
    const [device7] = upstream.group('devices').connections;
    await expect(firstValueFrom(upstream.sendTo(device7!, 'read', {}))).resolves.toBe(21.5);
    const inbound = Array.from(server.unwrap().connections, (each) => each.inbound);
    expect(new Set(inbound)).toEqual(new Set([false, true]));
  });

  it('goes on trying with a gateway that accepts and then refuses it', async () => {
    const { app, server: refusing, port } = await start([RefusingController]);
    launched.push({ app, server: refusing });
    await device([at(port)]);
    await notes.seen('refused', 5);
    expect(notes.count('not connected')).toBe(0);
  });

  it('listens over a unix-domain socket, and connects to one', async () => {
    const path = await sockets.socketPath();
    const machine = await launch([GatewayController], { path });
    launched.push(machine);
    const server = await device([{ path }]);
    await notes.seen('device 7');
    expect([...server.unwrap().connections]).toMatchObject([{ inbound: false, remote: { path } }]);
  });
});

describe('closing a server that connects', () => {
  const options = (endpoint: Endpoint): PikeServerOptions => ({
    connect: [endpoint],
    // So long that a test which waited for it would fail.
    reconnect: { minDelay: 1_000_000, maxDelay: 1_000_000 },
    shutdown: { deadline: 500_000 },
  });
  beforeEach(() => {
    notes.clear();
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });

  it('ends at once while it waits to connect again', async () => {
    const machine = await launch(
      [DeviceController],
      options({ host: '127.0.0.1', port: await freePort() }),
    );
    await notes.seen('not connected');
    await machine.app.close();
    expect(notes.all).toEqual(['not connected']);
  });

  it('ends at once while it is connecting, which counts as a failed attempt', async () => {
    const host = await startSilentHost();
    const machine = await launch([DeviceController], options(host.address));
    await machine.app.close();
    expect(notes.all).toEqual(['not connected']);
    await host.close();
  });

  it('ends at once in the turn in which it began', async () => {
    const listener = await RawListener.listen();
    const server = new PikeServer(options(listener.address));
    const listening = new Promise<unknown>((resolve) => server.listen(resolve));
    await server.close();
    await listening;
    await listener.close();
    expect(server.group('any').connections).toEqual([]);
  });

  it('drains: the request that runs is answered, a new one refused, and it does not come back', async () => {
    const running = await start([GatewayController]);
    const machine = await launch(
      [DeviceController],
      options({ host: '127.0.0.1', port: running.port }),
    );
    await notes.seen('device 7');
    const [connection] = running.server.group('devices').connections;
    const call = (pattern: string) =>
      firstValueFrom(running.server.sendTo(connection!, pattern, {}));
    const slow = call('slow');
    await notes.seen('slow begins');
    const closed = machine.app.close();
    await expect(call('read')).rejects.toMatchObject({ code: 'PIKE_ERR_SHUTTING_DOWN' });
    finishSlow();
    await expect(slow).resolves.toBe('done');
    await closed;
    expect(notes.count('connected')).toBe(1);
    await running.close();
  });

  it('is followed by listening again, and then it connects again', async () => {
    const running = await start([GatewayController]);
    const server = new PikeServer(options({ host: '127.0.0.1', port: running.port }));
    for (let round = 1; round <= 3; round++) {
      const ended = new Promise<void>((resolve) => server.on('finishDisconnect', () => resolve()));
      const connected = new Promise<void>((resolve) => server.on('finishConnect', () => resolve()));
      await new Promise((resolve) => server.listen(resolve));
      await connected;
      await server.close();
      await ended;
      expect(server.group('any').connections).toEqual([]);
    }
    await running.close();
  });
});

describe('the process of a server that connects', () => {
  it('lives while it waits to connect again, and ends by itself once it is closed', async () => {
    const project = await Project.create();
    try {
      const outcome = await project.run({
        code: `
          import { PikeServer } from 'nestjs-pike';
          const server = new PikeServer({
            connect: [{ host: '127.0.0.1', port: ${await freePort()} }],
            reconnect: { minDelay: 10, maxDelay: 10 },
            heartbeatInterval: 10,
          });
          let failures = 0;
          server.on('finishConnect', ({ success }) => {
            // Nothing but its own timer keeps this process.
            if (++failures === 3) server.close().then(() => console.log('closed', success));
          });
          server.listen(() => console.log('listens'));
        `,
      });
      expect(outcome.stdout).toMatch(/^listens\n[^]*tried again[^]*closed false\n$/);
      expect(outcome).toMatchObject({ code: 0, stderr: '' });
    } finally {
      await project.remove();
    }
  }, 30_000);
});

describe('a server that gives up', () => {
  beforeEach(() => {
    notes.clear();
    logged.length = 0;
    jest
      .spyOn(Logger.prototype, 'warn')
      .mockImplementation((message: unknown) => void logged.push(String(message)));
  });
  afterEach(() => {
    jest.restoreAllMocks();
  });
  const logged: string[] = [];
  const given = async (options: Partial<PikeServerOptions>): Promise<Launched> =>
    launch([DeviceController], {
      connect: [{ host: '127.0.0.1', port: await freePort() }],
      ...options,
    });

  it.each<[PikeServerOptions['reconnect'], number]>([
    [false, 1],
    [{ ...SOON, attempts: 1 }, 2],
    [{ ...SOON, attempts: 3 }, 4],
  ])('with reconnect: %j, does so after so many attempts, and says so', async (reconnect, all) => {
    const { app } = await given({ reconnect });
    await notes.seen('not connected', all);
    await eventually(() => logged.length === all);
    expect(logged.at(-1)).toContain('is not tried again');
    await app.close();
    expect(notes.count('not connected')).toBe(all);
  });

  it('tells of options with which nothing can be connected to as of any failed attempt', async () => {
    // Of use for connecting only, so that it listens.
    const tls = { minDHSize: 'large' as never };
    const { app, server } = await given({ host: '127.0.0.1', port: 0, tls, reconnect: false });
    await notes.seen('not connected');
    await eventually(() => logged.length === 1);
    expect(logged[0]).toContain('minDHSize');
    expect(server.address).toBeDefined();
    await app.close();
  });
});

describe('options to connect', () => {
  it.each<[object, string]>([
    [{}, '"port"'],
    [{ connect: [] }, '"port"'],
    [{ connect: { host: 'a', port: 1 } }, '"connect"'],
    [{ connect: null }, '"connect"'],
    [{ connect: [{ host: 'a', port: 1 }, { host: 'a' }] }, '"connect[1]"'],
    [{ connect: [{ host: 'a', port: 0 }] }, '"connect[0]"'],
    [{ connect: [{ path: '/a' }], reconnect: { delay: 1 } }, '"delay"'],
    [{ connect: [{ path: '/a' }], reconnect: 5 }, '"reconnect"'],
    [{ port: 0, heartbeatInterval: -1 }, '"heartbeatInterval"'],
    [
      { port: 0, heartbeatInterval: 1, deserializer: { deserialize: () => ({}) } },
      '"heartbeatInterval"',
    ],
  ])('%j are refused, naming the option', (options, name) => {
    expect(() => new PikeServer(options as never)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(name),
      }),
    );
  });
});
