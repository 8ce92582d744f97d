import { Inject, Injectable, Logger, Optional } from '@nestjs/common';
import type {
  BeforeApplicationShutdown,
  OnApplicationBootstrap,
  OnApplicationShutdown,
  OnModuleInit,
} from '@nestjs/common';
import { ModuleRef, ModulesContainer } from '@nestjs/core';
import { ServerTCP } from '@nestjs/microservices';
import { PikeClient } from '../client/pike-client.js';
import type { PikeClientOptions } from '../client/client-options.js';
import { IMPORT_PIKE_MODULE } from '../injected-options.js';
import type { OptionSource, PikeToken, WithTokens } from '../injected-options.js';
import { isPikeServer } from '../server/pike-server.js';
import type { PikeServer } from '../server/pike-server.js';
import { checkSharedOptions, SHARED_OPTIONS } from './module-options.js';
import type { PikeModuleOptions } from './module-options.js';
import type { FoundServer } from './server-stand-in.js';

/**
 * What PikeModule knows of the application that imports it: its servers and clients, the options
 * that they share, and the providers that they name.
 */
@Injectable()
export class PikeApplication
  implements
    OptionSource,
    OnModuleInit,
    OnApplicationBootstrap,
    BeforeApplicationShutdown,
    OnApplicationShutdown
{
  readonly shared: PikeModuleOptions;
  readonly #logger = new Logger('PikeModule');
  readonly #moduleRef: ModuleRef;
  readonly #servers: PikeServer[] = [];
  readonly #clients: PikeClient[] = [];
  /** Before, Nest would hand out instances whose constructors have not run. */
  #providersExist = false;
  #hasBareTcpServer = false;

  constructor(
    modules: ModulesContainer,
    moduleRef: ModuleRef,
    @Optional() @Inject(SHARED_OPTIONS) shared: PikeModuleOptions = {},
  ) {
    this.#moduleRef = moduleRef;
    this.shared = checkSharedOptions(shared);
    // In the constructor, since hybrid applications listen before onModuleInit.
    modules.getRpcTargetRegistry().subscribe((target) => this.#joined(target));
  }

  resolve(token: PikeToken<unknown>): unknown {
    if (!this.#providersExist) {
      throw new Error(
        'The providers of the application are still being made: connect from onModuleInit on.',
      );
    }
    return this.#moduleRef.get<unknown>(token, { strict: false });
  }

  /** Makes a client, which connects when it is first used and is closed with the application. */
  createClient(options: WithTokens<PikeClientOptions>): PikeClient {
    const client = PikeClient.register(options, this);
    this.#clients.push(client);
    return client;
  }

  /** @param name `undefined`: the only one */
  findServer(name: string | undefined): FoundServer {
    const found = this.#servers.filter(
      (server) => name === undefined || server.settings.name === name,
    );
    const [server] = found;
    if (found.length > 1) {
      return 'There are several such servers. Give each a name of its own, and inject it by name.';
    }
    return (
      server ??
      `There is no such server, or not yet. It exists from onModuleInit on. ${IMPORT_PIKE_MODULE}.`
    );
  }

  /** An option that cannot be resolved stops the application here, and not its first request. */
  onModuleInit(): void {
    this.#providersExist = true;
    for (const client of this.#clients) client.completeSettings();
  }

  onApplicationBootstrap(): void {
    if (this.#servers.length === 0 && this.#hasBareTcpServer) this.#logger.error(BARE_TCP_SERVER);
  }

  beforeApplicationShutdown(signal?: string): void {
    for (const server of this.#servers) server.learnSignal(signal);
  }

  /** Nest calls this hook last (see PikeCoreModule): other providers may use the clients in theirs. */
  async onApplicationShutdown(signal?: string): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close(signal)));
  }

  #joined(target: unknown): void {
    // Applications make their servers when the providers exist.
    this.#providersExist = true;
    if (isPikeServer(target)) {
      target.joinApplication(this);
      this.#servers.push(target);
    } else if (target instanceof ServerTCP) {
      this.#hasBareTcpServer ||= (target as unknown as { options?: unknown }).options === undefined;
    }
  }
}

const BARE_TCP_SERVER =
  "This application imports PikeModule, but its server is Nest's own TCP server without options, on " +
  'port 3000. That is what Nest starts if the useFactory given to createMicroservice() or ' +
  'connectMicroservice() is async, or returns no strategy: it must return { strategy } at once, and ' +
  'may inject what takes time. If a TCP server is what you want, give it options: {}.';
