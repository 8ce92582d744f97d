import type { Connector } from '../../core/connector.js';
import type { Endpoint } from '../../core/endpoint.js';
import { checkEndpoint } from '../../core/endpoint.js';
import type { NetConnectorOptions } from '../../core/net-options.js';
import { NetConnector } from '../../core/net-connector.js';
import { invalidOption } from '../../core/options.js';
import type { ErrorHandler } from '../../core/report.js';
import { createDefaultConverter } from '../packets/default-protocol.js';
import type { OutgoingPacket, ReceivedPacket } from '../packets/packets.js';
import { readSessionSettings } from '../session/session-settings.js';
import type { SessionOptions, SessionSettings } from '../session/session-settings.js';
import type { PikeShutdownOptions } from '../shutdown-options.js';
import { readShutdownOptions } from '../shutdown-options.js';

/**
 * Options of a `PikeClient`: where to connect, those of a `NetConnector` that do not concern
 * listening, by default with the converter of the default protocol, and its own.
 */
export interface PikeClientOptions<T = unknown>
  extends
    SessionOptions<ReceivedPacket, OutgoingPacket, T>,
    Partial<Omit<NetConnectorOptions<T>, 'backlog'>> {
  /** The port to connect to. Either this or `path` is required. */
  port?: number;
  /** The host to connect to. Default: `'127.0.0.1'`. */
  host?: string;
  /** The unix-domain socket to connect to, instead of `port`. */
  path?: string;
  /** How `close()` ends the connection. */
  shutdown?: PikeShutdownOptions;
}

/** Options with every default filled in. */
export interface PikeClientSettings<T> extends SessionSettings<T> {
  endpoint: Endpoint;
  shutdown: Required<PikeShutdownOptions>;
  /** Makes the connector of one connection. @param onError unless the options say otherwise */
  createConnector: (onError: ErrorHandler) => Connector<T>;
}

const OWNER = 'PikeClient';

/** Checks options and fills in the defaults. @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option */
export function readClientOptions<T>(options: PikeClientOptions<T>): PikeClientSettings<T> {
  if (typeof options !== 'object' || options === null) {
    throw invalidOption(OWNER, 'options', 'must be an object');
  }
  const {
    host,
    port,
    path,
    shutdown = {},
    serializer,
    deserializer,
    correlation,
    heartbeatInterval,
    ...rest
  } = options;
  const { converter = createDefaultConverter() as NetConnectorOptions<T>['converter'] } = rest;
  // Made once for its checks: wrong options must fail where they are written, not when it connects.
  void new NetConnector({ ...rest, converter });
  return {
    ...readSessionSettings(
      OWNER,
      { serializer, deserializer, correlation, heartbeatInterval },
      converter,
    ),
    endpoint: readEndpoint(host, port, path),
    shutdown: readShutdownOptions(OWNER, shutdown),
    createConnector: (onError) => new NetConnector({ onError, ...rest, converter }),
  };
}

function readEndpoint(
  host: string | undefined,
  port: number | undefined,
  path: string | undefined,
): Endpoint {
  const name = path === undefined ? 'port' : 'path';
  if (path === undefined && port === undefined) {
    throw invalidOption(OWNER, name, 'or "path" is required: where to connect to');
  }
  try {
    return checkEndpoint(
      path === undefined ? { host: host ?? '127.0.0.1', port: port as number } : { path },
    );
  } catch {
    throw invalidOption(
      OWNER,
      name,
      'does not make an endpoint: a port from 1 to 65535, or a path',
    );
  }
}
