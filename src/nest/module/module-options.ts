import type { FactoryProvider, ModuleMetadata } from '@nestjs/common';
import { checkKnown, checkType, LIMITS } from '../../core/options.js';
import type { NetConnectorOptions } from '../../core/net/net-options.js';
import { NET_OPTIONS } from '../../core/net/net-options.js';
import type { PikeClientOptions } from '../client/client-options.js';
import type { ReconnectOptions } from '../dialling/reconnect-options.js';
import type { WithTokens } from '../injected-options.js';
import type { ReceivedPacket, SentPacket } from '../packets/packets.js';
import { SESSION_OPTIONS } from '../session/session-settings.js';
import type { SessionOptions } from '../session/session-settings.js';
import type { PikeShutdownOptions } from '../shutdown-options.js';

/** The options of a `NetConnector` that say where it listens. */
type WhereToListen = 'port' | 'host' | 'path' | 'backlog';

/**
 * Options of `PikeModule.forRoot`: what every server and registered client of the application has
 * where it has no such option of its own. So the protocol is named in one place, and may come from
 * whatever Nest can inject. A server that was given a `connector` takes nothing of what that has
 * itself.
 */
export type PikeModuleOptions<T = unknown> = WithTokens<
  SessionOptions<ReceivedPacket, SentPacket, T> &
    Partial<Omit<NetConnectorOptions<T>, WhereToListen>> & {
      /** How lost connections are made again; `false`: they are not. */
      reconnect?: ReconnectOptions | false;
      /** How servers and clients shut down. */
      shutdown?: PikeShutdownOptions;
    }
>;

/** A client to register: a name to inject it by, and its options, tokens among them. */
export type PikeClientRegistration<T = unknown> = WithTokens<PikeClientOptions<T>> & {
  /** What `@InjectPikeClient(name)` asks for. */
  name: string;
};

/** A client to register whose options a factory makes, from what Nest injects. */
export interface PikeClientAsyncRegistration<T = unknown>
  extends
    Pick<ModuleMetadata, 'imports'>,
    Pick<
      FactoryProvider<WithTokens<PikeClientOptions<T>> | Promise<WithTokens<PikeClientOptions<T>>>>,
      'inject' | 'useFactory'
    > {
  /** What `@InjectPikeClient(name)` asks for. */
  name: string;
}

/** The provider of the options of `PikeModule.forRoot`. */
export const SHARED_OPTIONS = Symbol.for('nestjs-pike.sharedOptions');

const WHERE_TO_LISTEN = new Set(['port', 'host', 'path', 'backlog']);

/** The names of the options that servers and clients can share. */
const SHARED = [
  ...SESSION_OPTIONS,
  'reconnect',
  'converter',
  'allowHalfOpen',
  'onError',
  ...Object.keys(LIMITS),
  ...NET_OPTIONS.filter((name) => !WHERE_TO_LISTEN.has(name)),
  'shutdown',
];

/** Checks the names of shared options; whoever uses them checks their values. @throws PikeError `PIKE_ERR_INVALID_OPTION` */
export function checkSharedOptions(options: PikeModuleOptions): PikeModuleOptions {
  checkType('PikeModule', 'options', options, 'object');
  checkKnown('PikeModule', options, SHARED);
  return options;
}
