import { isIP, createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { connect as tlsConnect, TLSSocket } from 'node:tls';
import { acceptedBytesOf } from './accepted-bytes.js';
import type { ConnectionEnds } from './connection.js';
import type { Endpoint } from './endpoint.js';
import { NetListener } from './net-listener.js';
import { NET_OPTIONS, readNetOptions } from './net-options.js';
import type { NetConnectorOptions, NetSettings } from './net-options.js';
import { readConnectorOptions } from './options.js';
import { report } from './report.js';
import { StreamConnector } from './stream-connector.js';
import { tlsPeerOf } from './tls-peer.js';
import type { TlsPeer } from './tls-peer.js';
import type { AcceptedBytes } from './wire.js';

/**
 * The connector over TCP, TLS and unix-domain sockets, built atop `node:net` and `node:tls`. (Pike's
 * README calls the original's `TornadoConnector`.)
 */
export class NetConnector<T> extends StreamConnector<T> {
  readonly #net: NetSettings;
  #listener: NetListener | undefined;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option */
  constructor(options: NetConnectorOptions<T>) {
    super(readConnectorOptions('NetConnector', options, NET_OPTIONS));
    this.#net = readNetOptions(options);
  }

  get address(): Endpoint | undefined {
    return this.#listener?.address;
  }

  protected async listen(): Promise<void> {
    const { listenOn } = this.#net;
    if (listenOn === undefined) return;
    const { acceptTimeout, maxConnections, onError } = this.settings;
    this.#listener = await NetListener.listen(
      { ...this.#net, listenOn },
      acceptTimeout,
      maxConnections,
      {
        arrived: (socket) => this.#accept(socket),
        acceptFailed: (error) => {
          if (onError !== undefined) report(onError, error);
        },
      },
    );
  }

  protected stopAccepting(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    return Promise.resolve();
  }

  protected dial(endpoint: Endpoint, connected: (ends: ConnectionEnds) => void): Socket {
    const { tls } = this.#net;
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

  #accept(socket: Socket): void {
    this.#tune(socket);
    const ends = {
      remote: remoteOf(socket),
      local: this.#listener?.sharedAddress ?? localOf(socket) ?? this.address,
      tls: tlsOf(socket),
    };
    if (!this.arrived(socket, ends)) socket.destroy();
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

function remoteOf({ remoteAddress, remotePort }: Socket): Endpoint | undefined {
  return endpointOf(remoteAddress, remotePort);
}

function localOf({ localAddress, localPort }: Socket): Endpoint | undefined {
  return endpointOf(localAddress, localPort);
}

function tlsOf(socket: Socket): TlsPeer | undefined {
  return socket instanceof TLSSocket ? tlsPeerOf(socket) : undefined;
}

function endpointOf(host: string | undefined, port: number | undefined): Endpoint | undefined {
  return host === undefined || port === undefined ? undefined : { host, port };
}
