import { ConfigurableModuleBuilder, Inject, Module, Optional } from '@nestjs/common';
import type {
  ConfigurableModuleAsyncOptions,
  DynamicModule,
  FactoryProvider,
  ModuleMetadata,
} from '@nestjs/common';
import { PikeError } from '../../core/errors.js';
import type { PikeClient } from '../client/pike-client.js';
import { checkSharedOptions, SHARED_OPTIONS } from './module-options.js';
import type {
  PikeClientAsyncRegistration,
  PikeClientRegistration,
  PikeModuleOptions,
} from './module-options.js';
import { PikeApplication } from './pike-application.js';
import { PikeCoreModule } from './pike-core.module.js';
import { getPikeClientToken } from './tokens.js';

const FACTORY_METHOD = 'createPikeOptions';

const { ConfigurableModuleClass } = new ConfigurableModuleBuilder<PikeModuleOptions>({
  optionsInjectionToken: SHARED_OPTIONS,
})
  .setClassMethodName('forRoot')
  .setFactoryMethodName(FACTORY_METHOD)
  .build();

/** Options of `PikeModule.forRootAsync`: `useFactory` with `inject`, `useClass` or `useExisting`. */
export type PikeModuleAsyncOptions = ConfigurableModuleAsyncOptions<
  PikeModuleOptions,
  typeof FACTORY_METHOD
>;

/**
 * Joins the Pike servers and clients of an application to its dependency injection. Import it in the
 * root module, as it is or by `forRoot`; then
 *
 * - `converter`, `serializer` and `deserializer` of servers may be classes or tokens of providers;
 * - `@InjectPikeServer(name?)` injects servers;
 * - servers know which signal ends the application, for `shutdown.signals`.
 *
 * `registerClient` registers injectable clients, in any module.
 */
@Module({ imports: [PikeCoreModule] })
export class PikeModule extends ConfigurableModuleClass {
  constructor(
    application: PikeApplication,
    @Optional() @Inject(SHARED_OPTIONS) options?: PikeModuleOptions,
  ) {
    super();
    if (options !== undefined && options !== application.shared) {
      throw new PikeError(
        'PIKE_ERR_INVALID_OPTION',
        'PikeModule: forRoot() is imported twice. Import it once, in the root module.',
      );
    }
  }

  /**
   * Imports the module with options that all servers and registered clients of the application share.
   * @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option
   */
  static override forRoot(options: PikeModuleOptions): DynamicModule {
    return shared(super.forRoot(checkSharedOptions(options)));
  }

  /** As `forRoot`, with options from a factory, which may be async, or a class with `createPikeOptions()`. */
  static override forRootAsync(options: PikeModuleAsyncOptions): DynamicModule {
    return shared(super.forRootAsync(options));
  }

  /**
   * Registers clients for the module that imports this; `exports: [PikeModule]` passes them on. They
   * connect when they are first used, and are closed with the application, after its servers and
   * after the `onApplicationShutdown` of every other provider. Inject them by `@InjectPikeClient(name)`.
   */
  static registerClient(...clients: PikeClientRegistration[]): DynamicModule {
    return clientsModule(
      clients.map(({ name, ...options }) => ({
        provide: getPikeClientToken(name),
        inject: [PikeApplication],
        useFactory: (application: PikeApplication) => application.createClient(options),
      })),
    );
  }

  /** As `registerClient`, with options from factories, which may be async. */
  static registerClientAsync(...clients: PikeClientAsyncRegistration[]): DynamicModule {
    return clientsModule(
      clients.map(({ name, inject = [], useFactory }) => ({
        provide: getPikeClientToken(name),
        inject: [PikeApplication, ...inject],
        useFactory: async (application: PikeApplication, ...injected: unknown[]) =>
          application.createClient(await useFactory(...injected)),
      })),
      clients.flatMap(({ imports = [] }) => imports),
    );
  }
}

function shared(module: DynamicModule): DynamicModule {
  return { ...module, global: true, exports: [SHARED_OPTIONS] };
}

function clientsModule(
  providers: FactoryProvider<PikeClient>[],
  imports: ModuleMetadata['imports'] = [],
): DynamicModule {
  return {
    module: PikeModule,
    imports,
    providers,
    exports: providers.map(({ provide }) => provide),
  };
}
