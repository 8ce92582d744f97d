import type { Connection } from '../../core/connection.js';
import { PikeError } from '../../core/errors.js';

/** What a heartbeat needs of its session. */
export interface HeartbeatHost {
  readonly connection: Pick<Connection, 'bytesRead' | 'paused'>;
  /** The peer has been silent for one interval: asks it for a sign of life. */
  ping(): void;
  /** The peer has not given one within another interval. */
  silent(error: PikeError): void;
}

/**
 * Watches over the silence of one peer. Looked at several times in an interval, from one timer for
 * all connections; nothing is done for a message, or for bytes that arrive.
 */
export class Heartbeat {
  readonly #host: HeartbeatHost;
  readonly #interval: number;
  #bytesRead: number;
  /** When the present silence, or what is left of it to be judged, began. */
  #since: number;
  #asked = false;

  /** @param interval in ms */
  constructor(host: HeartbeatHost, interval: number, now: number) {
    this.#host = host;
    this.#interval = interval;
    this.#bytesRead = host.connection.bytesRead;
    this.#since = now;
  }

  check(now: number): void {
    const { bytesRead, paused } = this.#host.connection;
    if (bytesRead !== this.#bytesRead) {
      this.#bytesRead = bytesRead;
      this.#since = now;
      this.#asked = false;
      return;
    }
    if (now - this.#since < this.#interval) return;
    this.#since = now;
    // What we do not read may hold any number of signs of life. But the peer must have ours.
    if (!this.#asked || paused) {
      this.#asked = true;
      this.#host.ping();
      return;
    }
    // If the process has stood still, what came meanwhile is not read yet: it is by then.
    setImmediate(() => {
      if (this.#host.connection.bytesRead === this.#bytesRead) this.#host.silent(this.#error());
    });
  }

  #error(): PikeError {
    return new PikeError(
      'PIKE_ERR_HEARTBEAT_TIMEOUT',
      `The peer was silent for two heartbeat intervals of ${this.#interval} ms.`,
    );
  }
}
