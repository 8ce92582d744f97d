// Prevents: an operator who cannot see why peers do not get through TLS, or whose log they fill; certificates that
// take a restart to exchange, or that an exchange, a close or a mistake leaves as they were, or worse.
import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Injectable, Logger, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { Ctx, MessagePattern } from '@nestjs/microservices';
import {
  InjectPikeServer,
  OnFinishDisconnect,
  OnRemoteConnect,
  PikeClient,
  PikeContext,
  PikeModule,
  PikeServer,
  RemoteConnectEvent,
} from 'nestjs-pike';
import type { PikeClientOptions } from 'nestjs-pike';
import type { Connector, NetTlsOptions } from 'nestjs-pike/core';
import { LineConverter } from 'nestjs-pike/converters';
import { MemoryConnector } from 'nestjs-pike/testing';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { muteLogger } from '../support/mute-logger.js';
import { pem } from '../support/transports/tls.js';
import { start } from './support.js';

const CA = pem('ca.pem');
const SERVER = { key: pem('server.key'), cert: pem('server.pem') };
const DEVICE = { key: pem('client.key'), cert: pem('client.pem') };
const STRANGER = { key: pem('stranger.key'), cert: pem('stranger.pem') };
const MUTUAL = { ...SERVER, ca: CA, requestCert: true };
const REFUSED = expect.objectContaining({ code: 'PIKE_ERR_INVALID_OPTION' });

const told: string[] = [];

@Controller()
class DevicesController {
  @OnRemoteConnect()
  connecting(event: RemoteConnectEvent) {
    told.push('remoteConnect');
    event.finishAccept();
  }

  @OnFinishDisconnect()
  ended() {
    told.push('finishDisconnect');
  }

  @MessagePattern('whoami')
  whoami(@Ctx() context: PikeContext) {
    return context.getConnection().tls?.certificate?.subject.CN;
  }
}

const closers: (() => Promise<unknown>)[] = [];
beforeEach(() => {
  told.length = 0;
});
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
  jest.restoreAllMocks();
});

const portOf = (server: PikeServer) => (server.address as { port: number }).port;

function listen(server: PikeServer): Promise<unknown> {
  closers.push(() => server.close());
  return new Promise((resolve) => server.listen(resolve));
}

/** A client that does not mind the name of a server. */
function clientOf(port: number, options: Partial<PikeClientOptions> = {}): PikeClient {
  const tls = { ca: CA, checkServerIdentity: () => undefined };
  const client = new PikeClient({ host: '127.0.0.1', port, tls, ...options });
  closers.push(() => client.close());
  return client;
}

/** By which name a server is known to who connects to it now. */
async function nameOf(server: PikeServer): Promise<string | string[] | undefined> {
  const client = clientOf(portOf(server));
  await client.connect();
  const [connection] = client.unwrap<Connector<unknown>>().connections;
  return connection?.tls?.certificate?.subject.CN;
}

/** Fails a handshake, and waits until the server has hung up. */
function fail(port: number, options: NetTlsOptions = {}): Promise<void> {
  return new Promise((resolve) => {
    const socket = tlsConnect({ port, host: '127.0.0.1', ca: CA, ...options });
    socket.on('error', () => undefined).resume();
    socket.on('close', () => resolve());
  });
}

describe('a server of which peers fail the handshake', () => {
  let debug: string[];
  beforeEach(() => {
    debug = [];
    jest.spyOn(Logger.prototype, 'debug').mockImplementation((entry) => {
      debug.push(String(entry));
    });
    muteLogger((entry) => debug.push(`no debug: ${String(entry)}`));
  });

  it('logs why, and who it was, as what is of use to who looks for a fault, and tells no handler', async () => {
    const { port, close } = await start([DevicesController], { tls: MUTUAL });
    closers.push(close);
    await fail(port, STRANGER);
    await eventually(() => debug.length > 0);
    expect(debug).toEqual([
      expect.stringMatching(
        /^The TLS handshake of 127\.0\.0\.1:\d+ failed: (UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)\w+$/,
      ),
    ]);
    expect(told).toEqual([]);
  });

  it('logs twenty of a thousand', async () => {
    const { port, close } = await start([DevicesController], { tls: SERVER });
    closers.push(close);
    let failures = 0;
    const count = () => failures++;
    subscribe('nestjs-pike:handshake', count);
    closers.push(async () => unsubscribe('nestjs-pike:handshake', count));
    for (let round = 0; round < 20; round++) {
      const peers = Array.from({ length: 50 }, () =>
        fail(port, { ciphers: 'PSK', maxVersion: 'TLSv1.2' }),
      );
      await Promise.all(peers);
    }
    await eventually(() => failures === 1000);
    expect(debug).toHaveLength(20);
  });

  it('is told of its own, and listens no longer than it serves', async () => {
    const handshakes = channel('nestjs-pike:handshake');
    const servers = [1, 2].map(
      () => new PikeServer({ host: '127.0.0.1', port: 0, name: 'one', tls: MUTUAL }),
    );
    await Promise.all(servers.map(listen));
    await fail(portOf(servers[0] as PikeServer));
    await eventually(() => debug.length > 0);
    await Promise.all(servers.map((server) => server.close()));
    expect(debug).toHaveLength(1);
    expect(handshakes.hasSubscribers).toBe(false);

    const nowhere = new PikeServer({ host: '203.0.113.1', port: 0, tls: SERVER });
    expect(await listen(nowhere)).toMatchObject({ code: 'PIKE_ERR_LISTEN_FAILED' });
    expect(handshakes.hasSubscribers).toBe(false);
  });
});

describe('a server whose certificates are exchanged', () => {
  it('may be injected into what does it', async () => {
    @Injectable()
    class Renewal {
      constructor(@InjectPikeServer() readonly server: PikeServer) {}
    }
    @Module({ imports: [PikeModule], controllers: [DevicesController], providers: [Renewal] })
    class AppModule {}

    const strategy = new PikeServer({ host: '127.0.0.1', port: 0, tls: SERVER });
    const app = await NestFactory.createMicroservice(AppModule, { strategy, logger: false });
    closers.push(() => app.close());
    await app.listen();
    const before = await nameOf(strategy);
    app.get(Renewal).server.setSecureContext(DEVICE);
    expect([before, await nameOf(strategy)]).toEqual(['localhost', 'device-7']);
  });

  it('shows them when it listens next, whether they were exchanged before, meanwhile or in between', async () => {
    const server = new PikeServer({ host: '127.0.0.1', port: 0, tls: SERVER });
    server.setSecureContext(DEVICE);
    await listen(server);
    const first = await nameOf(server);
    await server.close();
    await listen(server);
    const second = await nameOf(server);
    server.setSecureContext(SERVER);
    await server.close();
    await listen(server);
    const third = await nameOf(server);
    await server.close();
    server.setSecureContext(DEVICE);
    await listen(server);
    expect([first, second, third, await nameOf(server)]).toEqual([
      'device-7',
      'device-7',
      'localhost',
      'device-7',
    ]);
  });

  it('refuses what cannot be used, at any time, and goes on with the old', async () => {
    const server = new PikeServer({ host: '127.0.0.1', port: 0, tls: SERVER });
    const wrong = { ...DEVICE, key: SERVER.key };
    expect(() => server.setSecureContext(wrong)).toThrow(REFUSED);
    await listen(server);
    expect(() => server.setSecureContext(wrong)).toThrow(REFUSED);
    expect(await nameOf(server)).toBe('localhost');
    await server.close();
    expect(() => server.setSecureContext(wrong)).toThrow(REFUSED);
    await listen(server);
    expect(await nameOf(server)).toBe('localhost');
  });

  it('refuses to, if it speaks no TLS', () => {
    const plain = new PikeServer({ host: '127.0.0.1', port: 0 });
    const connector = new MemoryConnector({ converter: new LineConverter() });
    const inMemory = new PikeServer<string>({ connector });
    for (const server of [plain, inMemory]) {
      expect(() => server.setSecureContext(SERVER)).toThrow(REFUSED);
    }
  });
});

describe('a client whose certificate is exchanged', () => {
  it.each([
    ['TLSv1.2', 'unsent'],
    // The client is done before the server has seen its certificate.
    ['TLSv1.3', 'in-doubt'],
  ] as const)('is let in when it connects again, over %s', async (maxVersion, delivery) => {
    muteLogger();
    jest.spyOn(Logger.prototype, 'debug').mockImplementation(() => undefined);
    const { port, close } = await start([DevicesController], { tls: { ...MUTUAL, maxVersion } });
    closers.push(close);
    let files = STRANGER;
    const tls = {
      ca: CA,
      get key() {
        return files.key;
      },
      get cert() {
        return files.cert;
      },
    };
    const client = clientOf(port, { tls });
    const ask = () => firstValueFrom(client.send<string>('whoami', {}));
    await expect(ask()).rejects.toMatchObject({ delivery });
    expect(told).toEqual([]);

    files = DEVICE;
    // It may be connecting with the old one still.
    let name: string | undefined;
    while (name === undefined) name = await ask().catch(() => undefined);
    expect(name).toBe('device-7');
    expect(told).toEqual(['remoteConnect']);
  });
});
