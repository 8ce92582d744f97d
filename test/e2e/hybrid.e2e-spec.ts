// Prevents: a Pike server beside HTTP, or beside another microservice, gets the handlers or the guards
// of the other, misses its own, or fails to listen without anybody being told.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller, Get, Injectable, Module } from '@nestjs/common';
import type { CanActivate, INestApplication, PipeTransform } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientTCP, MessagePattern, Transport } from '@nestjs/microservices';
import type { MicroserviceOptions } from '@nestjs/microservices';
import {
  InjectPikeServer,
  OnRemoteConnect,
  OnRemoteDisconnect,
  PIKE_TRANSPORT,
  PikeClient,
  PikeModule,
  PikeServer,
} from 'nestjs-pike';
import type { RemoteConnectEvent } from 'nestjs-pike';
import { firstValueFrom } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { Secret, SecretLineConverter } from '../support/secret-line-converter.js';

const NO_HANDLER = 'There is no matching message handler defined in the remote service.';

let accepted: string[] = [];
let departed: string[] = [];

@Controller()
class BothController {
  constructor(
    @InjectPikeServer('inside') readonly inside: PikeServer,
    @InjectPikeServer() readonly any: PikeServer,
  ) {}

  @Get('where')
  where() {
    return this.inside.address;
  }

  @MessagePattern('double')
  double(number: number) {
    return number * 2;
  }

  @MessagePattern('pike', PIKE_TRANSPORT)
  pike() {
    return 'by Pike';
  }

  @MessagePattern('tcp', Transport.TCP)
  tcp() {
    return 'by TCP';
  }

  @OnRemoteConnect()
  connecting(event: RemoteConnectEvent) {
    accepted.push('any');
    event.finishAccept();
  }

  @OnRemoteConnect({ server: 'inside' })
  connectingInside() {
    accepted.push('inside');
  }

  @OnRemoteDisconnect({ server: 'outside' })
  leftOutside() {
    departed.push('outside');
  }
}

@Injectable()
class DenyingGuard implements CanActivate {
  canActivate() {
    return false;
  }
}

@Injectable()
class TenfoldPipe implements PipeTransform {
  transform(value: unknown) {
    return typeof value === 'number' ? value * 10 : value;
  }
}

@Module({
  imports: [PikeModule],
  controllers: [BothController],
  providers: [SecretLineConverter, { provide: Secret, useValue: { word: 'sesame' } }],
})
class AppModule {}

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function create(): Promise<INestApplication> {
  accepted = [];
  departed = [];
  const app = await NestFactory.create(AppModule, { logger: false, abortOnError: false });
  closers.push(() => app.close());
  return app;
}

function pikeServer(name?: string): PikeServer {
  return new PikeServer({ host: '127.0.0.1', port: 0, name });
}

function clientOf(server: PikeServer): PikeClient {
  const { port } = server.address as { port: number };
  const client = new PikeClient({ port });
  closers.push(() => client.close());
  return client;
}

const ask = (client: PikeClient | ClientTCP, pattern: string, data: unknown = {}) =>
  firstValueFrom(client.send<unknown>(pattern, data)).catch((error: unknown) => error);

describe('beside HTTP and another microservice', () => {
  it('each transport has the handlers of its own, and those for all', async () => {
    const app = await create();
    const server = pikeServer('inside');
    const port = await freePort();
    app.connectMicroservice<MicroserviceOptions>({ strategy: server });
    app.connectMicroservice<MicroserviceOptions>({
      transport: Transport.TCP,
      options: { host: '127.0.0.1', port },
    });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');

    const pike = clientOf(server);
    const tcp = new ClientTCP({ host: '127.0.0.1', port });
    closers.push(() => tcp.close());
    expect(await ask(pike, 'double', 2)).toBe(4);
    expect(await ask(tcp, 'double', 2)).toBe(4);
    expect(await ask(pike, 'pike')).toBe('by Pike');
    expect(await ask(tcp, 'pike')).toBe(NO_HANDLER);
    expect(await ask(pike, 'tcp')).toBe(NO_HANDLER);
    expect(await ask(tcp, 'tcp')).toBe('by TCP');
    // What happens to connections is told to nobody else: no TCP client can ask for it.
    expect(await ask(tcp, '{"pike":"remoteConnect"}')).toBe(NO_HANDLER);
    const response = await fetch(`${await app.getUrl()}/where`);
    expect(await response.json()).toEqual(server.address);
  });

  it.each([
    ['before it is initialised', 'before'],
    ['after it listens', 'after'],
  ])('a server may be connected %s', async (_, when) => {
    const app = await create();
    if (when === 'after') await app.listen(0, '127.0.0.1');
    const server = pikeServer();
    app.connectMicroservice({ strategy: server });
    if (when === 'before') await app.init();
    await app.startAllMicroservices();
    expect(await ask(clientOf(server), 'double', 2)).toBe(4);
  });

  it('its converter may be a token, though it listens before onModuleInit', async () => {
    const app = await create();
    const server = new PikeServer<object>({
      host: '127.0.0.1',
      port: 0,
      converter: SecretLineConverter,
    });
    app.connectMicroservice({ strategy: server });
    await app.startAllMicroservices();
    const { port } = server.address as { port: number };
    const client = new PikeClient<object>({ port, converter: app.get(SecretLineConverter) });
    closers.push(() => client.close());
    await expect(firstValueFrom(client.send('double', 2))).resolves.toBe(4);
  });

  it('global pipes hold if it inherits the configuration, and otherwise not', async () => {
    const app = await create();
    app.useGlobalPipes(new TenfoldPipe());
    const inheriting = pikeServer();
    const independent = pikeServer();
    app.connectMicroservice({ strategy: inheriting }, { inheritAppConfig: true });
    app.connectMicroservice({ strategy: independent }, { inheritAppConfig: false });
    await app.startAllMicroservices();
    expect(await ask(clientOf(inheriting), 'double', 2)).toBe(40);
    expect(await ask(clientOf(independent), 'double', 2)).toBe(4);
  });

  it('global guards decide who may connect if it inherits the configuration', async () => {
    const app = await create();
    app.useGlobalGuards(new DenyingGuard());
    const inheriting = pikeServer();
    const independent = pikeServer();
    app.connectMicroservice({ strategy: inheriting }, { inheritAppConfig: true });
    app.connectMicroservice({ strategy: independent });
    await app.startAllMicroservices();
    expect(await ask(clientOf(inheriting), 'double', 2)).toMatchObject({
      name: 'PikeError',
      code: expect.stringMatching(/REMOTE_ENDED|CONNECTION_LOST/),
    });
    expect(await ask(clientOf(independent), 'double', 2)).toBe(4);
  });
});

describe('two servers in one application', () => {
  it('tell what happens to their connections to their own handlers, and those for both', async () => {
    const app = await create();
    const inside = pikeServer('inside');
    const outside = pikeServer('outside');
    app.connectMicroservice({ strategy: inside });
    app.connectMicroservice({ strategy: outside });
    await app.startAllMicroservices();

    expect(await ask(clientOf(outside), 'double', 1)).toBe(2);
    expect(accepted).toEqual(['any']);
    const client = clientOf(inside);
    expect(await ask(client, 'double', 1)).toBe(2);
    expect(accepted.sort()).toEqual(['any', 'any', 'inside']);

    for (const server of [inside, outside]) {
      const left = new Promise((resolve) => server.on('remoteDisconnect', resolve));
      await closers.pop()?.();
      await left;
    }
    await app.close();
    expect(departed).toEqual(['outside']);
  });

  it('are injected by name; without one it is not clear which is meant', async () => {
    const app = await create();
    const inside = pikeServer('inside');
    const outside = pikeServer('outside');
    app.connectMicroservice({ strategy: inside });
    app.connectMicroservice({ strategy: outside });
    const controller = app.get(BothController);
    expect(controller.inside.transportId).toBe(inside.transportId);
    await app.startAllMicroservices();
    expect(controller.inside.address).toEqual(inside.address);
    expect(() => controller.any.address).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_NO_SERVER',
        message: expect.stringContaining('several'),
      }),
    );
  });
});

describe('a server that cannot listen', () => {
  it('rejects startAllMicroservices(), and the application can still be closed', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    closers.push(() => other.close());
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const app = await create();
    const working = pikeServer();
    app.connectMicroservice({ strategy: working });
    app.connectMicroservice({ strategy: new PikeServer({ host: '127.0.0.1', port }) });
    await expect(app.startAllMicroservices()).rejects.toMatchObject({
      code: 'PIKE_ERR_LISTEN_FAILED',
      cause: { code: 'EADDRINUSE' },
    });
    expect(await ask(clientOf(working), 'double', 2)).toBe(4);
    await app.close();
    expect(working.address).toBeUndefined();
  });

  it.each([
    ['a converter that nobody provides', { converter: 'NOBODY' }, 'PIKE_ERR_NOT_INJECTED'],
    ['an address of another machine', { host: '192.0.2.1' }, 'PIKE_ERR_LISTEN_FAILED'],
    ['a host that nobody knows', { host: 'nowhere.invalid' }, 'PIKE_ERR_LISTEN_FAILED'],
  ])('with %s: likewise', async (_, options, code) => {
    const app = await create();
    app.connectMicroservice({
      strategy: new PikeServer<object>({ host: '127.0.0.1', port: 0, ...options }),
    });
    await expect(app.startAllMicroservices()).rejects.toMatchObject({ code });
  });
});
