import type { ConnectionEnds } from '../core/connection.js';
import type { Endpoint } from '../core/endpoint.js';
import { showEndpoint } from '../core/endpoint.js';
import type { ListenOn } from '../core/net/listen-options.js';
import { systemError } from './memory-errors.js';
import { MemorySocket } from './memory-socket.js';

const DEFAULT_HOST = '127.0.0.1';

/** The ports that IANA leaves to be picked. */
const FIRST_FREE_PORT = 49_152;
const LAST_PORT = 65_535;

/** Who listens, and what for. */
interface Listener {
  address: Endpoint;
  arrived: (socket: MemorySocket, ends: ConnectionEnds) => void;
}

/** The ports and paths at which memory connections are accepted: one process's loopback. */
export class MemoryNetwork {
  readonly #listeners = new Map<number | string, Listener>();
  #lastPort = FIRST_FREE_PORT - 1;

  /**
   * Listens.
   * @param arrived given our end of each connection
   * @returns where, and how to stop
   * @throws what the system would: EADDRINUSE
   */
  listen(
    listenOn: ListenOn,
    arrived: (socket: MemorySocket, ends: ConnectionEnds) => void,
  ): { address: Endpoint; close: () => void } {
    const address = this.#addressOf(listenOn);
    const place = placeOf(address);
    if (this.#listeners.has(place)) {
      throw systemError('listen', 'EADDRINUSE', showEndpoint(address));
    }
    this.#listeners.set(place, { address, arrived });
    return { address, close: () => this.#listeners.delete(place) };
  }

  /**
   * Begins to connect. The socket fails if nobody listens there when its turn has come.
   * @param connected called otherwise
   */
  dial(endpoint: Endpoint, connected: (ends: ConnectionEnds) => void): MemorySocket {
    const near = new MemorySocket();
    setImmediate(() => {
      if (near.destroyed) return;
      const listener = this.#listeners.get(placeOf(endpoint));
      if (listener === undefined) {
        const code = 'path' in endpoint ? 'ENOENT' : 'ECONNREFUSED';
        near.destroy(systemError('connect', code, showEndpoint(endpoint)));
        return;
      }
      const far = new MemorySocket();
      MemorySocket.join(near, far);
      const { address } = listener;
      const local = 'path' in address ? undefined : { ...address, port: this.#freePort() };
      listener.arrived(far, { local: address, remote: local });
      connected({ local, remote: address });
    });
    return near;
  }

  #addressOf(listenOn: ListenOn): Endpoint {
    if ('path' in listenOn) return listenOn;
    const { host = DEFAULT_HOST, port } = listenOn;
    return { host, port: port === 0 ? this.#freePort() : port };
  }

  #freePort(): number {
    for (let tried = FIRST_FREE_PORT; tried <= LAST_PORT; tried++) {
      this.#lastPort = this.#lastPort === LAST_PORT ? FIRST_FREE_PORT : this.#lastPort + 1;
      if (!this.#listeners.has(this.#lastPort)) return this.#lastPort;
    }
    throw systemError('listen', 'EADDRINUSE', 'any port');
  }
}

/** Where the memory connectors of the process meet. */
export const MEMORY_NETWORK = new MemoryNetwork();

/** A host's name does not matter: every one leads into this process. */
function placeOf(endpoint: Endpoint): number | string {
  return 'path' in endpoint ? endpoint.path : endpoint.port;
}
