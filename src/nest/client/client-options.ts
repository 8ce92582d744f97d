import type { Connector } from '../../core/connector.js';
import type { Converter } from '../../core/converter.js';
import type { Endpoint } from '../../core/endpoint.js';
import { checkEndpoint } from '../../core/endpoint.js';
import type { NetConnectorOptions } from '../../core/net/net-options.js';
import { NetConnector } from '../../core/net/net-connector.js';
import { checkType, invalidOption, MOST_MS, readNumbers } from '../../core/options.js';
import type { ConnectorOptions, NumericOption } from '../../core/options.js';
import type { ErrorHandler } from '../../core/report.js';
import { readReconnectOptions } from '../dialling/reconnect-options.js';
import type { ReconnectOptions, ReconnectSettings } from '../dialling/reconnect-options.js';
import { completeOptions } from '../injected-options.js';
import type { OptionSource, WithTokens } from '../injected-options.js';
import { createDefaultConverter } from '../packets/default-protocol.js';
import type { OutgoingPacket, ReceivedPacket } from '../packets/packets.js';
import { readSessionSettings } from '../session/session-settings.js';
import type { SessionOptions, SessionSettings } from '../session/session-settings.js';
import type { PikeShutdownOptions, ShutdownSettings } from '../shutdown-options.js';
import { readShutdownOptions } from '../shutdown-options.js';

/** What can be set by number, for a client. */
export interface ClientLimits {
  /**
   * Requests and events that may wait while a lost connection is made again; a further one fails
   * with `PIKE_ERR_QUEUE_FULL`. Those that came back unsent do not count. Default: 1 024 messages.
   */
  readonly maxOfflineMessages: number;
  /**
   * How long a request or event may wait while a lost connection is made again, before it fails
   * with `PIKE_ERR_OFFLINE_TIMEOUT`; 0 for ever. Default: 10 000 ms.
   */
  readonly offlineTimeout: number;
  /**
   * How long a request may be without a reply, before it fails with `PIKE_ERR_REQUEST_TIMEOUT`; after
   * each reply of several it starts over. 0 for ever. `send` takes one of its own. Default: 0 ms.
   */
  readonly requestTimeout: number;
}

/** The numeric options of a client. */
export const CLIENT_LIMITS = {
  maxOfflineMessages: { default: 1_024, lowest: 0, unit: 'messages' },
  offlineTimeout: { default: 10_000, lowest: 0, highest: MOST_MS, unit: 'ms' },
  requestTimeout: { default: 0, lowest: 0, highest: MOST_MS, unit: 'ms' },
} as const satisfies Record<keyof ClientLimits, NumericOption>;

/**
 * Options of a `PikeClient`: where to connect, those of a `NetConnector` that do not concern
 * listening, by default with the converter of the default protocol, and its own.
 */
export interface PikeClientOptions<T = unknown>
  extends
    SessionOptions<ReceivedPacket, OutgoingPacket, T>,
    Partial<ClientLimits>,
    Partial<Omit<NetConnectorOptions<T>, 'backlog'>> {
  /** The port to connect to. This, `path` or `endpoints` is required. */
  port?: number;
  /** The host to connect to. Default: `'127.0.0.1'`. */
  host?: string;
  /** The unix-domain socket to connect to, instead of `port`. */
  path?: string;
  /**
   * Several servers, instead of `port` or `path`: they are tried in turn until one accepts, from the
   * first; after a loss from the one behind that which was lost.
   */
  endpoints?: readonly Endpoint[];
  /** How a lost connection is made again; `false`: when the client is used next. Default: `{}`. */
  reconnect?: ReconnectOptions | false;
  /**
   * Whether requests and events that came back from a lost connection, and that the server cannot
   * have acted on, are sent again by themselves when the connection was made again: in their order,
   * ahead of newer ones. Those in doubt never are. Default: true.
   */
  retryUnsent?: boolean;
  /**
   * Makes the connector, each time the client connects anew after it was closed, instead of a
   * `NetConnector`: `connector: (options) => new MemoryConnector(options)`. It is given the converter
   * and what else was set of a connector's options.
   */
  connector?: (options: ConnectorOptions<T>) => Connector<T>;
  /** How `close()` ends the connection. */
  shutdown?: PikeShutdownOptions;
}

/** Options with every default filled in. */
export interface PikeClientSettings<T> extends SessionSettings<T>, ClientLimits {
  endpoints: readonly Endpoint[];
  reconnect: ReconnectSettings;
  retryUnsent: boolean;
  shutdown: ShutdownSettings;
  /** Makes the connector. @param onError unless the options say otherwise */
  createConnector: (onError: ErrorHandler) => Connector<T>;
}

const OWNER = 'PikeClient';

/**
 * Checks options and fills in the defaults.
 * @param source the application, of a client that `PikeModule` has registered
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`, `PIKE_ERR_NOT_INJECTED`, naming the option
 */
export function readClientOptions<T>(
  given: WithTokens<PikeClientOptions<T>>,
  source?: OptionSource,
): PikeClientSettings<T> {
  if (typeof given !== 'object' || given === null) {
    throw invalidOption(OWNER, 'options', 'must be an object');
  }
  const {
    host,
    port,
    path,
    endpoints,
    reconnect = {},
    retryUnsent = true,
    shutdown = {},
    serializer,
    deserializer,
    correlation,
    heartbeatInterval,
    connector,
    maxOfflineMessages,
    offlineTimeout,
    requestTimeout,
    ...rest
  } = completeOptions<PikeClientOptions<T>>(OWNER, given, source);
  const { converter = createDefaultConverter() as Converter<T> } = rest;
  const limits = { maxOfflineMessages, offlineTimeout, requestTimeout };
  checkType(OWNER, 'retryUnsent', retryUnsent, 'boolean');
  return {
    ...readSessionSettings(
      OWNER,
      { serializer, deserializer, correlation, heartbeatInterval },
      converter,
    ),
    ...readNumbers(OWNER, limits, CLIENT_LIMITS),
    endpoints: readEndpoints({ host, port, path, endpoints }),
    reconnect: readReconnectOptions(OWNER, reconnect),
    retryUnsent,
    shutdown: readShutdownOptions(OWNER, shutdown),
    createConnector: connectorFactory(connector, { ...rest, converter }),
  };
}

function connectorFactory<T>(
  create: PikeClientOptions<T>['connector'],
  options: ConnectorOptions<T>,
): (onError: ErrorHandler) => Connector<T> {
  if (create !== undefined) {
    checkType(OWNER, 'connector', create, 'function');
    return (onError) => create({ onError, ...options });
  }
  // Made once for its checks: wrong options must fail where they are written, not when it connects.
  void new NetConnector(options);
  return (onError) => new NetConnector({ onError, ...options });
}

function readEndpoints<T>({
  host,
  port,
  path,
  endpoints,
}: Pick<PikeClientOptions<T>, 'host' | 'port' | 'path' | 'endpoints'>): readonly Endpoint[] {
  if (endpoints === undefined) return [readEndpoint(host, port, path)];
  if (host !== undefined || port !== undefined || path !== undefined) {
    throw invalidOption(OWNER, 'endpoints', 'cannot be given together with host, port or path');
  }
  if (!Array.isArray(endpoints) || endpoints.length === 0) {
    throw invalidOption(OWNER, 'endpoints', 'must be an array of one or more');
  }
  return endpoints.map((endpoint, index) => checked(`endpoints[${index}]`, endpoint));
}

function readEndpoint(
  host: string | undefined,
  port: number | undefined,
  path: string | undefined,
): Endpoint {
  if (path !== undefined) {
    if (port === undefined) return checked('path', { path });
    throw invalidOption(OWNER, 'path', 'cannot be given together with port');
  }
  if (port !== undefined) return checked('port', { host: host ?? '127.0.0.1', port });
  throw invalidOption(OWNER, 'port', 'or "path" or "endpoints" is required: where to connect to');
}

function checked(name: string, endpoint: Endpoint): Endpoint {
  try {
    return checkEndpoint(endpoint);
  } catch {
    throw invalidOption(
      OWNER,
      name,
      'does not make an endpoint: a host and a port from 1 to 65535, or a path',
    );
  }
}
