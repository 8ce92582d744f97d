import type { Converter } from '../../core/converter.js';
import type { Connector } from '../../core/connector.js';
import { checkEndpoint } from '../../core/endpoint.js';
import type { Endpoint } from '../../core/endpoint.js';
import { describeThrown } from '../../core/errors.js';
import type { NetConnectorOptions } from '../../core/net/net-options.js';
import { NetConnector } from '../../core/net/net-connector.js';
import type { ErrorHandler } from '../../core/report.js';
import { checkKnown, checkType, invalidOption } from '../../core/options.js';
import { readReconnectOptions } from '../dialling/reconnect-options.js';
import type { ReconnectOptions, ReconnectSettings } from '../dialling/reconnect-options.js';
import { completeOptions, IMPORT_PIKE_MODULE, withoutTokens } from '../injected-options.js';
import type { OptionSource, WithTokens } from '../injected-options.js';
import type { HandlingLimits } from '../handling/handling-options.js';
import { createDefaultConverter } from '../packets/default-protocol.js';
import type { ReceivedPacket, SentPacket } from '../packets/packets.js';
import { readSessionSettings, SESSION_OPTIONS } from '../session/session-settings.js';
import type { SessionOptions, SessionSettings } from '../session/session-settings.js';
import type { PikeShutdownOptions, ShutdownSettings } from '../shutdown-options.js';
import { readShutdownOptions } from '../shutdown-options.js';

/** What a server does besides its connector. */
export interface PikeServerOwnOptions<T>
  extends SessionOptions<ReceivedPacket, SentPacket, T>, Partial<HandlingLimits> {
  /** Tells servers apart in lifecycle handlers: `@OnRemoteConnect({ server: name })`. Default: none. */
  name?: string;
  /**
   * Where to connect to, besides or instead of listening: a connection is kept to each endpoint, and
   * made again whenever it is lost. So handlers can be called on a machine that nobody can connect
   * to. Default: nowhere.
   */
  connect?: readonly Endpoint[];
  /**
   * How those connections are made again, the first attempts included; `false`: they are not.
   * Default: `{}`.
   */
  reconnect?: ReconnectOptions | false;
  /** How `close()` and `drain()` shut down. */
  shutdown?: PikeShutdownOptions;
}

type CompleteOptions<T> = PikeServerOwnOptions<T> &
  (Partial<NetConnectorOptions<T>> | { connector: Connector<T> });

/**
 * Options of a `PikeServer`: those of a `NetConnector`, with a `port` or `path` to listen on, or
 * endpoints to `connect` to, or both, and by default the converter of the default protocol; or a
 * connector made elsewhere; and its own.
 *
 * `converter`, `serializer` and `deserializer` may be the class or token of a provider, which is
 * resolved when the server listens, if the application imports `PikeModule`.
 */
export type PikeServerOptions<T = unknown> = WithTokens<CompleteOptions<T>>;

/** Options with every default filled in. */
export interface PikeServerSettings<T> extends SessionSettings<T> {
  name: string | undefined;
  endpoints: readonly Endpoint[];
  reconnect: ReconnectSettings;
  shutdown: ShutdownSettings;
  /** Makes the connector; called again if the server listens again after it was closed. @param onError unless the options say otherwise */
  createConnector: (onError: ErrorHandler) => Connector<T>;
}

const OWNER = 'PikeServer';

/**
 * Checks the options before the server belongs to an application, where they are written.
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option
 */
export function checkServerOptions<T>(options: PikeServerOptions<T>): PikeServerSettings<T> {
  if (typeof options !== 'object' || options === null) {
    throw invalidOption(OWNER, 'options', 'must be an object');
  }
  return readOptions(withoutTokens<CompleteOptions<T>>(options));
}

/**
 * Reads the options of a server that is about to listen.
 * @param source the application, if it imports `PikeModule`
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`, `PIKE_ERR_NOT_INJECTED`, naming the option
 */
export function readServerOptions<T>(
  options: PikeServerOptions<T>,
  source: OptionSource | undefined,
): PikeServerSettings<T> {
  const settings = readOptions(
    completeOptions<CompleteOptions<T>>(OWNER, options, source && sharedWith(options, source)),
  );
  if (source === undefined && settings.shutdown.signals.size > 0) {
    throw invalidOption(
      OWNER,
      'shutdown.signals',
      `can only hold if the server learns of signals. ${IMPORT_PIKE_MODULE}`,
    );
  }
  return settings;
}

/** A connector that was made elsewhere has its own converter and limits. */
function sharedWith(options: object, source: OptionSource): OptionSource {
  if (!('connector' in options)) return source;
  const names = new Set<string>([...SESSION_OPTIONS, 'reconnect', 'shutdown']);
  const shared = Object.entries(source.shared).filter(([name]) => names.has(name));
  return { shared: Object.fromEntries(shared), resolve: (token) => source.resolve(token) };
}

function readOptions<T>(options: CompleteOptions<T>): PikeServerSettings<T> {
  const {
    name,
    connect = [],
    reconnect = {},
    shutdown = {},
    serializer,
    deserializer,
    correlation,
    heartbeatInterval,
    maxInFlight,
    maxSendBufferSize,
    ...rest
  } = options;
  if (name !== undefined) checkType(OWNER, 'name', name, 'string');
  const converter = converterOf(rest);
  const session = { serializer, deserializer, correlation, heartbeatInterval };
  return {
    ...readSessionSettings(OWNER, { ...session, maxInFlight, maxSendBufferSize }, converter),
    name,
    endpoints: readEndpoints(connect),
    reconnect: readReconnectOptions(OWNER, reconnect),
    shutdown: readShutdownOptions(OWNER, shutdown),
    createConnector: connectorFactory(rest, converter, connect.length > 0),
  };
}

function readEndpoints(connect: readonly Endpoint[]): Endpoint[] {
  if (!Array.isArray(connect)) {
    throw invalidOption(OWNER, 'connect', 'must be an array of endpoints');
  }
  return connect.map((endpoint: Endpoint, index) => {
    try {
      return checkEndpoint(endpoint);
    } catch (thrown) {
      throw invalidOption(OWNER, `connect[${index}]`, `is wrong: ${describeThrown(thrown)}`);
    }
  });
}

/** `undefined` if the connector was made elsewhere: it does not say. */
function converterOf<T>(
  options: Partial<NetConnectorOptions<T>> | { connector: Connector<T> },
): Converter<T> | undefined {
  if ('connector' in options) return undefined;
  return options.converter ?? (createDefaultConverter() as Converter<T>);
}

function connectorFactory<T>(
  options: Partial<NetConnectorOptions<T>> | { connector: Connector<T> },
  converter: Converter<T> | undefined,
  dials: boolean,
): (onError: ErrorHandler) => Connector<T> {
  if ('connector' in options) {
    const { connector, ...others } = options;
    checkKnown(`${OWNER} with a connector`, others, []);
    if (typeof connector?.run !== 'function') {
      throw invalidOption(OWNER, 'connector', 'must be a Connector');
    }
    return () => connector;
  }
  if (options.port === undefined && options.path === undefined && !dials) {
    throw invalidOption(
      OWNER,
      'port',
      'or "path" is required, where to listen; or "connect", where to connect to',
    );
  }
  const all = { ...options, converter } as NetConnectorOptions<T>;
  // Made once for its checks: wrong options must fail where they are written, not when it listens.
  void new NetConnector(all);
  return (onError) => new NetConnector({ onError, ...all });
}
