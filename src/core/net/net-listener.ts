import { once } from 'node:events';
import { lstat, unlink } from 'node:fs/promises';
import { createConnection, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import type { SecureContextOptions } from 'node:tls';
import type { Endpoint } from '../endpoint.js';
import { Handshakes } from './handshakes.js';
import type { FailedHandshake } from './handshakes.js';
import { listenFailed } from './listen-options.js';
import type { ListenOn } from './listen-options.js';
import type { NetSettings } from './net-options.js';

/** What a listener tells its connector. */
export interface NetListenerHost {
  /** A peer has arrived; with TLS, its handshake is done. The socket is not read yet. */
  arrived(socket: Socket): void;
  handshakeFailed(failed: FailedHandshake): void;
  /** The system could not accept a peer (too many open files, say). The next one may succeed. */
  acceptFailed(error: Error): void;
}

/** A listening socket. */
export class NetListener {
  readonly address: Endpoint;
  /**
   * Our end of every connection, unless it listens on all of the machine's addresses: many are idle,
   * and one object for all of them takes less room than the system's answer for each.
   */
  readonly sharedAddress: Endpoint | undefined;
  readonly #server: Server;
  readonly #handshakes: Handshakes;

  private constructor(server: Server, handshakes: Handshakes) {
    this.#server = server;
    this.#handshakes = handshakes;
    this.address = addressOf(server);
    this.sharedAddress = isWildcard(this.address) ? undefined : this.address;
  }

  /**
   * @param handshakeTimeout how long a TLS handshake may take, in ms
   * @param maxConnections further peers are refused before their handshake costs anything
   * @throws PikeError (rejection) `PIKE_ERR_LISTEN_FAILED`
   */
  static async listen(
    settings: NetSettings & { listenOn: ListenOn },
    handshakeTimeout: number,
    maxConnections: number,
    host: NetListenerHost,
  ): Promise<NetListener> {
    const { listenOn, backlog } = settings;
    try {
      const handshakes = new Handshakes();
      const server = createListener(settings, handshakeTimeout, handshakes, host);
      server.maxConnections = maxConnections;
      await listenOrReplace(server, { ...listenOn, backlog });
      server.on('error', (error) => host.acceptFailed(error));
      return new NetListener(server, handshakes);
    } catch (cause) {
      throw listenFailed(listenOn, cause);
    }
  }

  /** Nothing listens any more when it returns. Peers that have not finished their handshake are refused. */
  close(): void {
    // The server's own 'close' waits for its connections; what listens is closed at once.
    this.#server.close();
    this.#handshakes.abandon();
  }

  /** With TLS: what peers are shown, and by what they are known, from the next handshake on. */
  setSecureContext(options: SecureContextOptions): void {
    if (this.#server instanceof TlsServer) this.#server.setSecureContext(options);
  }
}

function createListener(
  { tls }: NetSettings,
  handshakeTimeout: number,
  handshakes: Handshakes,
  host: NetListenerHost,
): Server {
  // Half-open and paused at first: when to end, and when to read, is the connection's decision.
  const plain = { allowHalfOpen: true, pauseOnConnect: true };
  if (tls === undefined) return createServer(plain, (socket) => host.arrived(socket));
  // Who ends its side in the middle of the handshake has left.
  const server = new TlsServer({ handshakeTimeout, ...tls, allowHalfOpen: false });
  server.on('connection', (socket: Socket) => handshakes.begun(socket));
  // A handshake that fails costs its peer the connection, and nobody else anything.
  server.on('tlsClientError', (error, socket) => {
    if (!handshakes.abandoned) host.handshakeFailed(handshakes.failed(socket, error));
    socket.destroy();
  });
  server.on('secureConnection', (socket) => {
    handshakes.done(socket);
    socket.allowHalfOpen = true;
    host.arrived(socket);
  });
  return server;
}

type ListenTarget = ({ path: string } | { port: number; host?: string }) & { backlog: number };

/** Listens; where a socket file is in the way that a dead process has left, in its place. */
async function listenOrReplace(server: Server, on: ListenTarget): Promise<void> {
  try {
    await tryToListen(server, on);
  } catch (cause) {
    if (!('path' in on) || !(await removeStaleSocket(on.path, cause))) throw cause;
    await tryToListen(server, on);
  }
}

async function tryToListen(server: Server, on: ListenTarget): Promise<void> {
  server.listen(on);
  await once(server, 'listening');
}

/**
 * A process that died has left its socket file behind: nobody answers there.
 * @returns whether the file was there, stale, and is removed
 */
async function removeStaleSocket(path: string, cause: unknown): Promise<boolean> {
  if ((cause as NodeJS.ErrnoException).code !== 'EADDRINUSE') return false;
  // Connecting to a plain file is refused too, and that file is somebody's.
  if (!(await lstat(path)).isSocket()) return false;
  const probe = createConnection({ path });
  try {
    await once(probe, 'connect');
    return false;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ECONNREFUSED') return false;
  } finally {
    probe.destroy();
  }
  await unlink(path);
  return true;
}

function addressOf(server: Server): Endpoint {
  const address = server.address();
  if (address === null) throw new Error('A listening server has an address.');
  return typeof address === 'string'
    ? { path: address }
    : { host: address.address, port: address.port };
}

/** Whether it stands for all addresses of the machine. */
function isWildcard(endpoint: Endpoint): boolean {
  return 'host' in endpoint && ['0.0.0.0', '::'].includes(endpoint.host);
}
