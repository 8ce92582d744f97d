import { createSecureContext } from 'node:tls';
import type { ConnectionOptions as TlsConnectOptions, TlsOptions } from 'node:tls';
import { describeThrown } from '../errors.js';
import { LISTEN_OPTIONS, readListenOptions } from './listen-options.js';
import type { ListenOn } from './listen-options.js';
import { checkType, invalidOption, readNumbers } from '../options.js';
import type { ConnectorOptions, NumericOption } from '../options.js';

/**
 * Node's own TLS options: those of `tls.createServer` where the connector listens, and of
 * `tls.connect` where it connects.
 */
export type NetTlsOptions = Omit<
  TlsOptions,
  'allowHalfOpen' | 'pauseOnConnect' | 'noDelay' | 'keepAlive' | 'pskCallback'
> &
  Pick<TlsConnectOptions, 'servername' | 'checkServerIdentity' | 'session' | 'minDHSize'>;

/** Options of a `NetConnector`. */
export interface NetConnectorOptions<T> extends ConnectorOptions<T> {
  /** The TCP port to listen on; 0 picks a free one. Default: none, the connector does not listen. */
  port?: number;
  /** The address or host name to listen on. Default: every address of the machine. */
  host?: string;
  /**
   * The path of the unix-domain socket to listen on, instead of `port`. A socket file that a dead
   * process has left behind is replaced; the file is removed when the connector stops listening.
   */
  path?: string;
  /**
   * Speaks TLS, with these options: `{ key, cert }` to listen, `{ ca }` to trust an authority of your
   * own, `{ requestCert: true, ca }` to demand certificates of peers (mutual TLS; see `rejectUnauthorized`).
   * Who the peer is: `connection.tls`. Default: no TLS.
   */
  tls?: NetTlsOptions;
  /** How many peers the system holds that have connected and are not accepted yet. Default: 511, Node's. */
  backlog?: number;
  /** Sends small messages without waiting for others (TCP_NODELAY). Default: true. */
  noDelay?: boolean;
  /** Asks the system to probe silent peers after so many ms; 0 never. Default: 30 000 ms. */
  keepAliveDelay?: number;
}

/** The names of the options that only a `NetConnector` has. */
export const NET_OPTIONS = [...LISTEN_OPTIONS, 'tls', 'backlog', 'noDelay', 'keepAliveDelay'];

const OWNER = 'NetConnector';

/** The numeric options that only a `NetConnector` has, ports aside. */
export const NET_LIMITS = {
  backlog: { default: 511, lowest: 0, highest: 65_535, unit: 'connections' },
  keepAliveDelay: { default: 30_000, lowest: 0, highest: 2_147_483_647, unit: 'ms' },
} as const satisfies Record<string, NumericOption>;

/** Options with every default filled in. */
export interface NetSettings {
  /** Where to listen: `undefined` not at all. */
  readonly listenOn: ListenOn | undefined;
  readonly tls: NetTlsOptions | undefined;
  readonly backlog: number;
  readonly noDelay: boolean;
  readonly keepAliveDelay: number;
}

/** Checks the options that only a `NetConnector` has. @throws PikeError `PIKE_ERR_INVALID_OPTION` */
export function readNetOptions(options: NetConnectorOptions<unknown>): NetSettings {
  const { tls, noDelay = true } = options;
  const listenOn = readListenOptions(OWNER, options);
  checkType(OWNER, 'noDelay', noDelay, 'boolean');
  if (tls !== undefined) checkTls(tls);
  const { backlog, keepAliveDelay } = readNumbers(OWNER, options, NET_LIMITS);
  return { listenOn, tls, backlog, noDelay, keepAliveDelay };
}

/** What cannot be used is found now, not with the first connection. @throws PikeError `PIKE_ERR_INVALID_OPTION` */
export function checkTls(tls: NetTlsOptions): void {
  checkType(OWNER, 'tls', tls, 'object');
  const { servername, session } = tls as { servername?: unknown; session?: unknown };
  // Node looks at these two when the socket is connecting already, and nobody would have it to close.
  if (servername !== undefined) checkType(OWNER, 'tls.servername', servername, 'string');
  if (session !== undefined && !(session instanceof Uint8Array)) {
    throw invalidOption(OWNER, 'tls.session', 'must be a Buffer');
  }
  try {
    createSecureContext(tls);
  } catch (cause) {
    throw invalidOption(OWNER, 'tls', `cannot be used: ${describeThrown(cause)}`, cause);
  }
  const { key, cert, privateKeyIdentifier } = tls;
  // Node takes one alone, and then no handshake succeeds.
  if (Boolean(key ?? privateKeyIdentifier) !== Boolean(cert)) {
    throw invalidOption(
      OWNER,
      cert ? 'tls.key' : 'tls.cert',
      'is missing: key and cert go together',
    );
  }
}
