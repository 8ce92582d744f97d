import type { Connection } from '../../core/connection.js';
import type { Endpoint } from '../../core/endpoint.js';
import type { BackoffOptions } from '../backoff.js';
import { Dialler } from './dialler.js';
import type { DiallerHost } from './dialler.js';

/** The connections that a server keeps to the endpoints of its `connect` option. */
export class Dialling {
  readonly #diallers: readonly Dialler[];

  constructor(
    endpoints: readonly Endpoint[],
    backoff: Required<BackoffOptions>,
    host: DiallerHost,
  ) {
    this.#diallers = endpoints.map((endpoint) => new Dialler(endpoint, backoff, host));
  }

  /** Whether at least one is connected. */
  get connected(): boolean {
    return this.#diallers.some(({ state }) => state === 'connected');
  }

  /** Makes the first attempts. @throws whatever makes every attempt impossible, such as wrong TLS options */
  start(): void {
    for (const dialler of this.#diallers) dialler.start();
  }

  /** A connection is established. */
  established(connection: Connection): void {
    this.#of(connection)?.connected();
  }

  /** A connection could not be established, or has ended. @param error why, if it could not */
  lost(connection: Connection, error?: unknown): void {
    this.#of(connection)?.lost(error);
  }

  /** Makes no further attempt, and gives up those under way. */
  stop(): void {
    for (const dialler of this.#diallers) dialler.stop();
  }

  #of(connection: Connection): Dialler | undefined {
    // We have not dialled those that have come to us.
    if (connection.inbound) return undefined;
    return this.#diallers.find((dialler) => dialler.connection === connection);
  }
}
