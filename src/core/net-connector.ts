import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { acceptedBytesOf } from './accepted-bytes.js';
import type { Endpoint } from './endpoint.js';
import { isPort, showEndpoint } from './endpoint.js';
import { PikeError, describeThrown } from './errors.js';
import { checkType, invalidOption, readConnectorOptions } from './options.js';
import type { ConnectorOptions } from './options.js';
import { report } from './report.js';
import { StreamConnector } from './stream-connector.js';
import type { Channel } from './stream-connector.js';

/** Options of a {@link NetConnector}. */
export interface NetConnectorOptions<T> extends ConnectorOptions<T> {
  /** The TCP port to listen on; 0 picks a free one. Default: none, the connector does not listen. */
  port?: number;
  /** The address or host name to listen on. Default: every address of the machine. */
  host?: string;
  /** The path of the unix-domain socket to listen on, instead of `port`. */
  path?: string;
  /** How many peers the system holds that have connected and are not accepted yet. Default: 511, Node's. */
  backlog?: number;
  /** Sends small messages without waiting for others (TCP_NODELAY). Default: true. */
  noDelay?: boolean;
  /** Asks the system to probe silent peers after so many ms; 0 never. Default: 30 000 ms. */
  keepAliveDelay?: number;
}

const OWN_OPTIONS = ['port', 'host', 'path', 'backlog', 'noDelay', 'keepAliveDelay'];

/**
 * The connector over TCP and unix-domain sockets, built atop `node:net`. (Pike's README calls the
 * original's `TornadoConnector`.)
 */
export class NetConnector<T> extends StreamConnector<T> {
  readonly #options: NetConnectorOptions<T>;
  readonly #noDelay: boolean;
  readonly #keepAliveDelay: number;
  #server: Server | undefined;
  #address: Endpoint | undefined;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option */
  constructor(options: NetConnectorOptions<T>) {
    super(readConnectorOptions('NetConnector', options, OWN_OPTIONS));
    checkOwnOptions(options);
    this.#options = options;
    this.#noDelay = options.noDelay ?? true;
    this.#keepAliveDelay = options.keepAliveDelay ?? 30_000;
  }

  get address(): Endpoint | undefined {
    return this.#address;
  }

  protected async listen(): Promise<void> {
    const { port, host, path, backlog } = this.#options;
    if (port === undefined && path === undefined) return;
    // Half-open and paused at first: when to end, and when to read, is the link's decision.
    const server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      this.#accept(socket),
    );
    this.#server = server;
    try {
      // Node takes a `port` that is there and undefined for "any port", whatever the path.
      server.listen(path === undefined ? { port, host, backlog } : { path, backlog });
      await once(server, 'listening');
    } catch (cause) {
      this.#server = undefined;
      throw listenFailed(this.#options, cause);
    }
    server.on('error', (error) => this.#acceptFailed(error));
    this.#address = addressOf(server);
  }

  protected stopAccepting(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return Promise.resolve();
    this.#server = undefined;
    this.#address = undefined;
    // The server's own 'close' waits for its connections; what listens is closed at once.
    server.close();
    return Promise.resolve();
  }

  protected dial(
    endpoint: Endpoint,
    connected: (ends: { local?: Endpoint; remote?: Endpoint }) => void,
  ): Channel {
    const socket = createConnection({ ...endpoint, allowHalfOpen: true });
    // First: once connected, the link may write at once, and then it asks for the figure.
    const acceptedBytes = acceptedBytesOf(socket);
    socket.once('connect', () => {
      this.#tune(socket);
      connected('path' in endpoint ? { remote: endpoint } : endsOf(socket));
    });
    return { socket, acceptedBytes };
  }

  /** The system could not accept a peer (too many open files, say). The next one may succeed. */
  #acceptFailed(error: Error): void {
    const { onError } = this.settings;
    if (onError !== undefined) report(onError, error);
  }

  #accept(socket: Socket): void {
    this.#tune(socket);
    const ends = this.#options.path === undefined ? endsOf(socket) : { local: this.#address };
    if (!this.arrived({ socket, acceptedBytes: acceptedBytesOf(socket) }, ends)) socket.destroy();
  }

  #tune(socket: Socket): void {
    socket.setNoDelay(this.#noDelay);
    if (this.#keepAliveDelay > 0) socket.setKeepAlive(true, this.#keepAliveDelay);
  }
}

function checkOwnOptions(options: NetConnectorOptions<unknown>): void {
  const owner = 'NetConnector';
  const { port, host, path, backlog, noDelay, keepAliveDelay } = options;
  if (port !== undefined && !isPort(port, 0)) {
    throw invalidOption(
      owner,
      'port',
      `must be a whole number from 0 to 65535; got ${String(port)}`,
    );
  }
  if (path !== undefined) {
    checkType(owner, 'path', path, 'string');
    if (path === '') throw invalidOption(owner, 'path', 'must not be empty');
    if (port !== undefined)
      throw invalidOption(owner, 'path', 'cannot be given together with port');
  }
  if (host !== undefined) {
    checkType(owner, 'host', host, 'string');
    if (port === undefined) throw invalidOption(owner, 'host', 'needs a port to listen on');
  }
  for (const [name, value] of Object.entries({ backlog, keepAliveDelay })) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0)) {
      throw invalidOption(owner, name, `must be a whole number, 0 or more; got ${String(value)}`);
    }
  }
  if (noDelay !== undefined) checkType(owner, 'noDelay', noDelay, 'boolean');
}

function listenFailed(options: NetConnectorOptions<unknown>, cause: unknown): PikeError {
  const { port = 0, host = '*', path } = options;
  const where = showEndpoint(path === undefined ? { host, port } : { path });
  return new PikeError(
    'PIKE_ERR_LISTEN_FAILED',
    `Could not listen on ${where}: ${describeThrown(cause)}`,
    { cause },
  );
}

function addressOf(server: Server): Endpoint | undefined {
  const address = server.address();
  if (address === null) return undefined;
  return typeof address === 'string'
    ? { path: address }
    : { host: address.address, port: address.port };
}

function endsOf(socket: Socket): { local?: Endpoint; remote?: Endpoint } {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  return {
    local: endpointOf(localAddress, localPort),
    remote: endpointOf(remoteAddress, remotePort),
  };
}

function endpointOf(host: string | undefined, port: number | undefined): Endpoint | undefined {
  return host === undefined || port === undefined ? undefined : { host, port };
}
