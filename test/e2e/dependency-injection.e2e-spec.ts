// Prevents: a converter that Nest could make must be made by hand, a wrong token is found by the
// first request instead of at the start, or an injected server or client is another than the one in use.
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Global, Injectable, Logger, Module, Scope } from '@nestjs/common';
import type {
  DynamicModule,
  INestApplicationContext,
  OnApplicationShutdown,
  OnModuleInit,
  Provider,
  Type,
} from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import {
  getPikeClientToken,
  getPikeServerToken,
  InjectPikeClient,
  InjectPikeServer,
  PikeClient,
  PikeModule,
  PikeServer,
} from 'nestjs-pike';
import type { PikeModuleOptions, PikeServerOptions } from 'nestjs-pike';
import { firstValueFrom } from 'rxjs';
import { RawPeer } from '../support/raw-peer.js';
import { Secret, SecretLineConverter } from '../support/secret-line-converter.js';

const PROTOCOL = Symbol('the protocol');

/** Where a real application would have a vault, or its configuration. */
@Global()
@Module({
  providers: [
    { provide: Secret, useFactory: () => Promise.resolve({ word: 'sesame' }) },
    SecretLineConverter,
    { provide: PROTOCOL, useExisting: SecretLineConverter },
  ],
  exports: [SecretLineConverter],
})
class ProtocolModule {}

@Controller()
class SumController {
  @MessagePattern('sum')
  sum(numbers: number[]) {
    return numbers.reduce((total, number) => total + number, 0);
  }
}

@Controller()
class WhereController {
  constructor(@InjectPikeServer() readonly server: PikeServer) {}

  @MessagePattern('where')
  where() {
    return this.server.address;
  }
}

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

function rootModule(
  imports: (Type<unknown> | DynamicModule)[],
  providers: Provider[] = [],
): Type<unknown> {
  @Module({ imports, controllers: [SumController], providers })
  class AppModule {}
  return AppModule;
}

function opened<App extends INestApplicationContext>(app: App): App {
  closers.push(() => app.close());
  return app;
}

async function serve(
  imports: (Type<unknown> | DynamicModule)[],
  options: Partial<PikeServerOptions<object>>,
  providers: Provider[] = [],
): Promise<PikeServer<object>> {
  const server = new PikeServer<object>({ host: '127.0.0.1', port: 0, ...options });
  const app = await NestFactory.createMicroservice(rootModule(imports, providers), {
    strategy: server,
    logger: false,
    abortOnError: false,
  });
  await opened(app).listen();
  return server;
}

function portOf(server: PikeServer<object>): number {
  return (server.address as { port: number }).port;
}

/** A client that was made by hand, of one who knows the secret. */
function knowing(port: number): PikeClient<object> {
  const client = new PikeClient<object>({
    port,
    converter: new SecretLineConverter({ word: 'sesame' }),
  });
  closers.push(() => client.close());
  return client;
}

const sum = (client: PikeClient<object>) => firstValueFrom(client.send('sum', [1, 2, 3]));

describe("a server's converter", () => {
  it.each([
    ['a class', SecretLineConverter],
    ['a token', PROTOCOL],
  ] as const)('may be %s, which Nest resolves, with what it depends on', async (_, converter) => {
    const server = await serve([PikeModule, ProtocolModule], { converter });
    await expect(sum(knowing(portOf(server)))).resolves.toBe(6);
  });

  it('may come from PikeModule, and the server may have another of its own', async () => {
    const shared = PikeModule.forRoot({ converter: SecretLineConverter });
    const server = await serve([shared, ProtocolModule], {});
    await expect(sum(knowing(portOf(server)))).resolves.toBe(6);
    const other = await serve([shared, ProtocolModule], {
      converter: new SecretLineConverter({ word: 'other' }),
    });
    await expect(sum(knowing(portOf(other)))).rejects.toMatchObject({ delivery: 'in-doubt' });
  });

  it('may be made by what forRootAsync injects, and takes its time', async () => {
    const server = await serve(
      [
        PikeModule.forRootAsync({
          imports: [ProtocolModule],
          inject: [SecretLineConverter],
          useFactory: async (converter: SecretLineConverter): Promise<PikeModuleOptions> => {
            await new Promise((resolve) => setImmediate(resolve));
            return { converter };
          },
        }),
      ],
      {},
    );
    await expect(sum(knowing(portOf(server)))).resolves.toBe(6);
  });

  it('may be named by a class with createPikeOptions()', async () => {
    @Injectable()
    class ProtocolOptions {
      createPikeOptions(): PikeModuleOptions {
        return { converter: PROTOCOL };
      }
    }
    const server = await serve(
      [PikeModule.forRootAsync({ useClass: ProtocolOptions }), ProtocolModule],
      {},
    );
    await expect(sum(knowing(portOf(server)))).resolves.toBe(6);
  });

  it('goes together with a serializer and a deserializer from tokens', async () => {
    const turned = (message: object) => Object.fromEntries(Object.entries(message).reverse());
    const calls: string[] = [];
    const note = (call: string, packet: object) => {
      calls.push(call);
      return turned(packet);
    };
    const server = await serve([PikeModule], { serializer: 'OUT', deserializer: 'IN' }, [
      { provide: 'OUT', useValue: { serialize: (packet: object) => note('out', packet) } },
      { provide: 'IN', useValue: { deserialize: (message: object) => note('in', message) } },
    ]);
    const client = new PikeClient<object>({ port: portOf(server) });
    closers.push(() => client.close());
    await expect(sum(client)).resolves.toBe(6);
    expect(calls).toEqual(['in', 'out']);
  });
});

describe('a converter that Nest cannot resolve', () => {
  @Injectable({ scope: Scope.TRANSIENT })
  class TransientConverter extends SecretLineConverter {}
  const providers = [TransientConverter, { provide: Secret, useValue: { word: 'sesame' } }];

  it.each([
    [
      'without PikeModule',
      [ProtocolModule],
      PROTOCOL,
      /"converter".*Symbol\(the protocol\).*Import PikeModule/,
    ],
    [
      'without a provider',
      [PikeModule],
      SecretLineConverter,
      /"converter".*SecretLineConverter.*providers/,
    ],
    [
      'in another scope',
      [PikeModule, ProtocolModule],
      TransientConverter,
      /"converter".*default scope/,
    ],
  ] as const)(
    '%s stops the server from listening, and says what to do',
    async (_, imports, converter, message) => {
      await expect(serve([...imports], { converter }, providers)).rejects.toMatchObject({
        code: 'PIKE_ERR_NOT_INJECTED',
        message: expect.stringMatching(message),
      });
    },
  );

  it('is no converter at all: the option is named', async () => {
    await expect(
      serve([PikeModule], { converter: 'NUMBER' }, [{ provide: 'NUMBER', useValue: 1 }]),
    ).rejects.toMatchObject({
      code: 'PIKE_ERR_INVALID_OPTION',
      message: expect.stringContaining('"converter"'),
    });
  });

  it('stops an application with a client that names it, before anybody calls', async () => {
    const starting = NestFactory.createApplicationContext(
      rootModule([PikeModule.registerClient({ name: 'SUM', port: 1, converter: PROTOCOL })]),
      { logger: false, abortOnError: false },
    );
    await expect(starting).rejects.toMatchObject({
      code: 'PIKE_ERR_NOT_INJECTED',
      message: expect.stringMatching(/PikeClient.*"converter".*the protocol/),
    });
  });

  it('is refused where a client is made by hand', () => {
    const options = { port: 1, converter: SecretLineConverter as never };
    expect(() => new PikeClient(options)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_NOT_INJECTED',
        message: expect.stringContaining('PikeModule.registerClient'),
      }),
    );
  });
});

describe('PikeModule', () => {
  it('refuses an option that servers and clients cannot share, where it is written', () => {
    expect(() => PikeModule.forRoot({ port: 4000 } as never)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining('"port"'),
      }),
    );
  });

  it('is told once what is shared', async () => {
    await expect(
      NestFactory.createApplicationContext(
        rootModule([
          PikeModule.forRoot({ maxMessageBytes: 100 }),
          PikeModule.forRoot({ maxMessageBytes: 200 }),
        ]),
        { logger: false, abortOnError: false },
      ),
    ).rejects.toMatchObject({
      code: 'PIKE_ERR_INVALID_OPTION',
      message: expect.stringContaining('twice'),
    });
  });

  it('may be imported as it is in one module, and with options in another', async () => {
    const server = await serve(
      [PikeModule, PikeModule.forRoot({ converter: SecretLineConverter }), ProtocolModule],
      {},
    );
    await expect(sum(knowing(portOf(server)))).resolves.toBe(6);
  });

  it.each([
    [{ shutdown: { deadline: -1 } }, '"shutdown.deadline"'],
    [{ heartbeatInterval: -1 }, '"heartbeatInterval"'],
    [{ reconnect: { minDelay: -1 } }, '"minDelay"'],
    [{ chunkBytes: 0 }, '"chunkBytes"'],
  ])('shares %j, which is checked when a server listens', async (shared, name) => {
    await expect(serve([PikeModule.forRoot(shared)], {})).rejects.toMatchObject({
      code: 'PIKE_ERR_INVALID_OPTION',
      message: expect.stringContaining(name),
    });
  });

  it('shares limits', async () => {
    const server = await serve([PikeModule.forRoot({ maxMessageBytes: 64 })], {});
    const client = new PikeClient<object>({ port: portOf(server) });
    closers.push(() => client.close());
    await expect(firstValueFrom(client.send('sum', 'x'.repeat(64)))).rejects.toMatchObject({
      code: 'PIKE_ERR_REMOTE_ENDED',
    });
  });
});

describe('AsyncMicroserviceOptions', () => {
  const factory = (useFactory: AsyncMicroserviceOptions['useFactory']) =>
    NestFactory.createMicroservice<AsyncMicroserviceOptions>(
      rootModule([PikeModule, ProtocolModule]),
      { inject: [Secret, SecretLineConverter], useFactory, logger: false },
    );

  it('may make the server of what they inject', async () => {
    let server: PikeServer<object> | undefined;
    const app = await factory((secret: Secret, converter: SecretLineConverter) => {
      expect(secret.word).toBe('sesame');
      server = new PikeServer<object>({ host: '127.0.0.1', port: 0, converter });
      return { strategy: server };
    });
    await opened(app).listen();
    await expect(sum(knowing(portOf(server!)))).resolves.toBe(6);
  });

  it('whose factory is async start a TCP server of Nest: PikeModule says so', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    try {
      const strategy = new PikeServer({ host: '127.0.0.1', port: 0 });
      const app = await factory((async () => ({ strategy })) as never);
      await app.init();
      expect(errors).toHaveBeenCalledWith(expect.stringMatching(/port 3000.*async.*at once/));
      await strategy.close();
    } finally {
      errors.mockRestore();
    }
  });
});

describe('an injected server', () => {
  it('is the one in use, in any module', async () => {
    @Module({ controllers: [WhereController] })
    class FeatureModule {}
    const server = await serve([PikeModule, FeatureModule], {});
    const client = new PikeClient<object>({ port: portOf(server) });
    closers.push(() => client.close());
    await expect(firstValueFrom(client.send('where', {}))).resolves.toEqual(server.address);
  });

  it('is known in onModuleInit, by its name if there are several, and by a helper for tests', async () => {
    const seen: unknown[] = [];
    @Injectable()
    class Watcher implements OnModuleInit {
      constructor(
        @InjectPikeServer('devices') readonly devices: PikeServer,
        @InjectPikeServer() readonly only: PikeServer,
      ) {}

      onModuleInit() {
        this.devices.on('remoteConnect', () => seen.push('connected'));
      }
    }
    const server = await serve([PikeModule], { name: 'devices' }, [Watcher]);
    const peer = await RawPeer.connect({ host: '127.0.0.1', port: portOf(server) });
    await peer.destroy();
    await server.drain();
    expect(seen).toEqual(['connected']);
  });

  it('says so if it is used before it exists', async () => {
    const early: unknown[] = [];
    @Injectable()
    class Hasty {
      constructor(@InjectPikeServer() server: PikeServer) {
        try {
          void server.address;
        } catch (error) {
          early.push(error);
        }
      }
    }
    const app = await Test.createTestingModule({
      imports: [PikeModule],
      providers: [Hasty],
    }).compile();
    opened(app);
    expect(early).toEqual([
      expect.objectContaining({
        code: 'PIKE_ERR_NO_SERVER',
        message: expect.stringMatching(/PikeServer\.address.*onModuleInit.*Import PikeModule/),
      }),
    ]);
    expect(app.get(getPikeServerToken())).toBeInstanceOf(PikeServer);
  });

  it('may be overridden in tests', async () => {
    const emitted: unknown[] = [];
    const app = await Test.createTestingModule({
      imports: [PikeModule],
      controllers: [WhereController],
    })
      .overrideProvider(getPikeServerToken())
      .useValue({ address: { path: 'fake' }, emitted })
      .compile();
    opened(app);
    expect(app.get(WhereController).where()).toEqual({ path: 'fake' });
  });
});

describe('a registered client', () => {
  @Injectable()
  class Caller implements OnApplicationShutdown {
    readonly said: unknown[] = [];
    constructor(@InjectPikeClient('SUM') readonly client: PikeClient<object>) {}

    async onApplicationShutdown() {
      this.said.push(await sum(this.client));
    }
  }

  it('has the converter that its token names, connects when used, and closes with the application', async () => {
    const server = await serve([PikeModule, ProtocolModule], { converter: PROTOCOL });
    let connections = 0;
    server.on('remoteConnect', () => connections++);
    const ended = new Promise((resolve) => server.on('remoteDisconnect', resolve));
    const app = await NestFactory.createApplicationContext(
      rootModule(
        [
          ProtocolModule,
          PikeModule.registerClient({
            name: 'SUM',
            port: portOf(server),
            converter: SecretLineConverter,
          }),
        ],
        [Caller],
      ),
      { logger: false },
    );
    expect(connections).toBe(0);
    const caller = app.get(Caller);
    expect(app.get(getPikeClientToken('SUM'))).toBe(caller.client);
    await expect(sum(caller.client)).resolves.toBe(6);
    expect(connections).toBe(1);
    await app.close();
    await ended;
    // It was still open for the last words of the provider that uses it.
    expect(caller.said).toEqual([6]);
    expect(connections).toBe(1);
  });

  it('is there for the hooks of global modules, too, from the first to the last', async () => {
    const server = await serve([PikeModule, ProtocolModule], { converter: PROTOCOL });
    let connections = 0;
    server.on('remoteConnect', () => connections++);
    @Injectable()
    class EarlyCaller extends Caller implements OnModuleInit {
      async onModuleInit() {
        this.said.push(await sum(this.client));
      }
    }
    @Global()
    @Module({
      imports: [
        ProtocolModule,
        PikeModule.registerClient({ name: 'SUM', port: portOf(server), converter: PROTOCOL }),
      ],
      providers: [EarlyCaller],
    })
    class CallersModule {}
    const app = await NestFactory.createApplicationContext(rootModule([CallersModule]), {
      logger: false,
      abortOnError: false,
    });
    await opened(app).init();
    await app.close();
    expect(app.get(EarlyCaller).said).toEqual([6, 6]);
    expect(connections).toBe(1);
  });

  it('is passed on by a module that exports PikeModule', async () => {
    const server = await serve([PikeModule, ProtocolModule], { converter: PROTOCOL });
    @Module({
      imports: [PikeModule.registerClient({ name: 'SUM', port: portOf(server) })],
      exports: [PikeModule],
    })
    class ClientsModule {}
    const app = await NestFactory.createApplicationContext(
      rootModule(
        [PikeModule.forRoot({ converter: PROTOCOL }), ProtocolModule, ClientsModule],
        [Caller],
      ),
      { logger: false, abortOnError: false },
    );
    await expect(sum(opened(app).get(Caller).client)).resolves.toBe(6);
  });

  it('may be registered by a factory that takes its time, and shares what PikeModule says', async () => {
    const server = await serve([PikeModule, ProtocolModule], { converter: PROTOCOL });
    @Module({
      imports: [
        PikeModule.registerClientAsync({
          name: 'SUM',
          inject: ['PORT'],
          imports: [
            {
              module: class PortModule {},
              providers: [{ provide: 'PORT', useFactory: () => Promise.resolve(portOf(server)) }],
              exports: ['PORT'],
            },
          ],
          useFactory: async (port: number) => {
            await new Promise((resolve) => setImmediate(resolve));
            return { port };
          },
        }),
      ],
      providers: [Caller],
    })
    class CallerModule {}
    const app = await NestFactory.createApplicationContext(
      rootModule([
        PikeModule.forRoot({ converter: SecretLineConverter }),
        ProtocolModule,
        CallerModule,
      ]),
      { logger: false },
    );
    await expect(sum(opened(app).get(Caller).client)).resolves.toBe(6);
  });

  it('may be used while the providers are made, unless its converter is one of them', async () => {
    const server = await serve([PikeModule, ProtocolModule], { converter: PROTOCOL });
    const start = (converter: SecretLineConverter | symbol) =>
      NestFactory.createApplicationContext(
        rootModule(
          [
            ProtocolModule,
            PikeModule.registerClient({ name: 'SUM', port: portOf(server), converter }),
          ],
          [
            {
              provide: 'REMOTE SETTING',
              inject: [getPikeClientToken('SUM')],
              useFactory: (client: PikeClient<object>) => sum(client),
            },
          ],
        ),
        { logger: false, abortOnError: false },
      );
    const app = await start(new SecretLineConverter({ word: 'sesame' }));
    expect(opened(app).get('REMOTE SETTING')).toBe(6);
    await expect(start(PROTOCOL)).rejects.toMatchObject({
      code: 'PIKE_ERR_NOT_INJECTED',
      message: expect.stringContaining('onModuleInit'),
    });
  });
});
