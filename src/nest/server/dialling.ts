import type { Connection } from '../../core/connection.js';
import type { Endpoint } from '../../core/endpoint.js';
import { showEndpoint } from '../../core/endpoint.js';
import { describeThrown, isPikeError, PikeError } from '../../core/errors.js';
import type { FinishConnectEvent } from '../../core/events.js';
import { Dialler } from '../dialling/dialler.js';
import type { ReconnectSettings } from '../dialling/reconnect-options.js';

/** What dialling needs of its server. */
export interface DiallingHost {
  /** Begins to connect, until aborted; {@link Dialling.finished} says how it went. */
  connect(endpoint: Endpoint, signal: AbortSignal): Connection;
  /** An attempt has failed. */
  warn(error: unknown): void;
}

/** An attempt to connect that is under way. */
interface Attempt {
  connected(connection: Connection): void;
  failed(error: unknown): void;
}

/** A connection that is there. */
interface Present {
  readonly end: Promise<void>;
  ended(): void;
}

/** Keeps a connection to each endpoint of a server's `connect` option. */
export class Dialling {
  readonly #endpoints: readonly Endpoint[];
  readonly #reconnect: ReconnectSettings;
  readonly #host: DiallingHost;
  readonly #diallers: Dialler[] = [];
  readonly #attempts = new Map<Connection, Attempt>();
  readonly #present = new Map<Connection, Present>();
  #stopped = false;

  constructor(endpoints: readonly Endpoint[], reconnect: ReconnectSettings, host: DiallingHost) {
    this.#endpoints = endpoints;
    this.#reconnect = reconnect;
    this.#host = host;
  }

  /** Whether at least one endpoint is connected to. */
  get connected(): boolean {
    return this.#present.size > 0;
  }

  /** Makes the first attempts. */
  start(): void {
    for (const endpoint of this.#endpoints) void this.#keep(endpoint);
  }

  /** An attempt to connect is over. */
  finished<T>({ connection, success, error }: FinishConnectEvent<T>): void {
    const attempt = this.#attempts.get(connection);
    if (attempt === undefined) return;
    this.#attempts.delete(connection);
    if (!success) {
      attempt.failed(error);
      return;
    }
    let ended: () => void = () => undefined;
    const end = new Promise<void>((resolve) => (ended = resolve));
    this.#present.set(connection, { end, ended });
    attempt.connected(connection);
  }

  /** A connection has ended. */
  ended(connection: Connection): void {
    this.#present.get(connection)?.ended();
    this.#present.delete(connection);
  }

  /** Makes no further attempt, and gives up those under way. */
  stop(): void {
    this.#stopped = true;
    for (const dialler of this.#diallers) dialler.stop();
  }

  async #keep(endpoint: Endpoint): Promise<void> {
    const { attempts } = this.#reconnect;
    let connection: Connection | undefined;
    const dialler = new Dialler([endpoint], this.#reconnect, async (to, signal) => {
      connection = await this.#dial(to, signal);
    });
    this.#diallers.push(dialler);
    const failed = (error: unknown): void => this.#failed(endpoint, error, true);
    try {
      await dialler.connect().catch((error: unknown) => {
        if (attempts === 0) throw error;
        failed(error);
      });
      if (attempts === 0) return;
      for (;;) {
        if (connection !== undefined) await this.#present.get(connection)?.end;
        await dialler.reconnect(failed);
      }
    } catch (thrown) {
      this.#failed(endpoint, thrown, false);
    }
  }

  #dial(endpoint: Endpoint, signal: AbortSignal): Promise<Connection> {
    return new Promise((connected, failed) => {
      this.#attempts.set(this.#host.connect(endpoint, signal), { connected, failed });
    });
  }

  #failed(endpoint: Endpoint, error: unknown, goesOn: boolean): void {
    if (!this.#stopped) this.#host.warn(unreachable(endpoint, error, goesOn));
  }
}

function unreachable(endpoint: Endpoint, error: unknown, goesOn: boolean): PikeError {
  const next = goesOn ? 'is tried again' : 'is not tried again';
  return new PikeError(
    isPikeError(error) ? error.code : 'PIKE_ERR_CONNECT_FAILED',
    `${describeThrown(error)} (${showEndpoint(endpoint)} ${next}.)`,
    { cause: error },
  );
}
