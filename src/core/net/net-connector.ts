import { isIP, createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { connect as tlsConnect, TLSSocket } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import { acceptedBytesOf } from './accepted-bytes.js';
import type { ConnectionEnds } from '../connection.js';
import { publishHandshake } from '../diagnostics.js';
import type { HandshakeDiagnostics } from '../diagnostics.js';
import type { Endpoint } from '../endpoint.js';
import type { FailedHandshake } from './handshakes.js';
import { handshakeFailed } from '../link/link-errors.js';
import { NetListener } from './net-listener.js';
import { checkTls, NET_OPTIONS, readNetOptions } from './net-options.js';
import type { NetConnectorOptions, NetSettings, NetTlsOptions } from './net-options.js';
import { checkType, invalidOption, readConnectorOptions } from '../options.js';
import { report } from '../report.js';
import { exchange } from './secure-context.js';
import { localOf, remoteOf } from './socket-ends.js';
import { StreamConnector } from '../stream-connector.js';
import { tlsPeerOf } from '../tls-peer.js';
import type { TlsPeer } from '../tls-peer.js';
import type { AcceptedBytes } from '../outbound/write-progress.js';

/**
 * The connector over TCP, TLS and unix-domain sockets, built atop `node:net` and `node:tls`. (Pike's
 * README calls the original's `TornadoConnector`.)
 */
export class NetConnector<T> extends StreamConnector<T> {
  readonly #net: NetSettings;
  #listener: NetListener | undefined;
  /** What has been given since instead of some of the `tls` options. */
  #secureContext: SecureContextOptions = {};

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option */
  constructor(options: NetConnectorOptions<T>) {
    super(readConnectorOptions('NetConnector', options, NET_OPTIONS));
    this.#net = readNetOptions(options);
  }

  get address(): Endpoint | undefined {
    return this.#listener?.address;
  }

  /**
   * Exchanges what TLS peers are shown, and by what they are known, while the connector runs: `key`, `cert`,
   * `ca`, and the other options of Node's `tls.createSecureContext`. What is not given, or undefined, stays as it is;
   * `key` and `cert` take the place of `pfx`, and the other way round. It counts from the next handshake on, of peers
   * that connect and of those that we connect to; connections that are there go on. May be called at any time.
   * (As `tls.Server.setSecureContext` of Node, which forgets what is not given.)
   * @throws PikeError `PIKE_ERR_INVALID_OPTION` if they cannot be used, and then nothing is exchanged; or if the
   * connector was not given `tls`
   */
  setSecureContext(options: SecureContextOptions): void {
    checkType('setSecureContext', 'options', options, 'object');
    const { tls } = this.#net;
    if (tls === undefined) throw invalidOption('NetConnector', 'tls', 'must be set from the start');
    const secureContext = exchange(this.#secureContext, options);
    const all = exchange(tls, secureContext);
    checkTls(all);
    this.#listener?.setSecureContext(all);
    this.#secureContext = secureContext;
  }

  protected async listen(): Promise<void> {
    const { listenOn } = this.#net;
    if (listenOn === undefined) return;
    const { acceptTimeout, maxConnections, onError } = this.settings;
    const secureContext = this.#secureContext;
    this.#listener = await NetListener.listen(
      { ...this.#net, listenOn, tls: this.#tls },
      acceptTimeout,
      maxConnections,
      {
        arrived: (socket) => this.#accept(socket),
        handshakeFailed: (failed) => publishHandshake(() => this.#toldOf(failed)),
        acceptFailed: (error) => {
          if (onError !== undefined) report(onError, error);
        },
      },
    );
    // It may have been exchanged meanwhile.
    if (this.#secureContext !== secureContext) this.#listener.setSecureContext({ ...this.#tls });
  }

  protected stopAccepting(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    return Promise.resolve();
  }

  protected dial(endpoint: Endpoint, connected: (ends: ConnectionEnds) => void): Socket {
    const tls = this.#tls;
    const where = { ...endpoint, allowHalfOpen: true };
    const socket =
      tls === undefined
        ? createConnection(where)
        : tlsConnect({ ...servernameOf(endpoint), ...tls, ...where });
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      this.#tune(socket);
      const remote = 'path' in endpoint ? endpoint : remoteOf(socket);
      connected({ remote, local: localOf(socket), tls: tlsOf(socket) });
    });
    return socket;
  }

  /** @internal */
  acceptedBytesOf(socket: Socket): AcceptedBytes {
    return acceptedBytesOf(socket);
  }

  /** The options as they are now: getters among them are asked again. */
  get #tls(): NetTlsOptions | undefined {
    const { tls } = this.#net;
    return tls && exchange(tls, this.#secureContext);
  }

  #accept(socket: Socket): void {
    this.#tune(socket);
    const ends = {
      remote: remoteOf(socket),
      local: this.#listener?.sharedAddress ?? localOf(socket) ?? this.address,
      tls: tlsOf(socket),
    };
    if (!this.arrived(socket, ends)) socket.destroy();
  }

  #toldOf({ remote, why, cause }: FailedHandshake): HandshakeDiagnostics {
    const error = handshakeFailed(remote, why, cause);
    return { connector: this, error, remote, local: this.address };
  }

  #tune(socket: Socket): void {
    const { noDelay, keepAliveDelay } = this.#net;
    socket.setNoDelay(noDelay);
    if (keepAliveDelay > 0) socket.setKeepAlive(true, keepAliveDelay);
  }
}

/** The name that the server's certificate must be for, unless the options say another. */
function servernameOf(endpoint: Endpoint): { servername?: string } {
  return 'host' in endpoint && isIP(endpoint.host) === 0 ? { servername: endpoint.host } : {};
}

function tlsOf(socket: Socket): TlsPeer | undefined {
  return socket instanceof TLSSocket ? tlsPeerOf(socket) : undefined;
}
