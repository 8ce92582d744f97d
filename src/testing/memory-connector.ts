import type { ConnectionEnds } from '../core/connection.js';
import type { Endpoint } from '../core/endpoint.js';
import { LISTEN_OPTIONS, listenFailed, readListenOptions } from '../core/net/listen-options.js';
import type { ListenOn } from '../core/net/listen-options.js';
import type { ConnectorOptions } from '../core/options.js';
import { readConnectorOptions } from '../core/options.js';
import { StreamConnector } from '../core/stream-connector.js';
import type { AcceptedBytes } from '../core/outbound/write-progress.js';
import { MEMORY_NETWORK } from './memory-network.js';
import type { MemorySocket } from './memory-socket.js';

/** Options of a {@link MemoryConnector}: those of every connector, and where to listen. */
export interface MemoryConnectorOptions<T> extends ConnectorOptions<T> {
  /** The port to listen on; 0 picks a free one. Default: none, the connector does not listen. */
  port?: number;
  /** The host that `address` names. Whoever dials may write any: it is not looked at. Default: `'127.0.0.1'`. */
  host?: string;
  /** The path to listen on, instead of `port`. No file is made. */
  path?: string;
}

/**
 * A connector that reaches the other memory connectors of its process, and nobody else: for tests
 * without sockets. They meet by port or path, as on a machine of their own; its ports have nothing to
 * do with those of the system.
 *
 * It is the `NetConnector` in everything but the socket: the events, the fates of messages, the
 * limits, the ways to end. Each direction holds {@link MEMORY_PIPE_BYTES} bytes that have not been
 * read, so back-pressure is real, and how much was accepted is known to the byte, always: no message
 * is ever `uncertain`. What one side does reaches the other in a later turn of the event loop. It
 * keeps no process alive.
 *
 * @example
 * const server = new MemoryConnector({ converter, port: 4000 });
 * const client = new MemoryConnector({ converter });
 * await server.run();
 * await client.run();
 * const connection = client.connect({ host: 'localhost', port: 4000 });
 */
export class MemoryConnector<T> extends StreamConnector<T> {
  readonly #listenOn: ListenOn | undefined;
  #listener: ReturnType<typeof MEMORY_NETWORK.listen> | undefined;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option */
  constructor(options: MemoryConnectorOptions<T>) {
    super(readConnectorOptions('MemoryConnector', options, LISTEN_OPTIONS));
    this.#listenOn = readListenOptions('MemoryConnector', options);
  }

  get address(): Endpoint | undefined {
    return this.#listener?.address;
  }

  protected async listen(): Promise<void> {
    const listenOn = this.#listenOn;
    if (listenOn === undefined) return;
    try {
      this.#listener = MEMORY_NETWORK.listen(listenOn, (socket, ends) => {
        if (!this.arrived(socket, ends)) socket.destroy();
      });
    } catch (cause) {
      throw listenFailed(listenOn, cause);
    }
  }

  protected stopAccepting(): Promise<void> {
    this.#listener?.close();
    this.#listener = undefined;
    return Promise.resolve();
  }

  protected dial(endpoint: Endpoint, connected: (ends: ConnectionEnds) => void): MemorySocket {
    return MEMORY_NETWORK.dial(endpoint, connected);
  }

  /** @internal */
  acceptedBytesOf(socket: MemorySocket): AcceptedBytes {
    return () => socket.acceptedBytes;
  }
}
