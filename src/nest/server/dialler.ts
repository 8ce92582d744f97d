import type { Connection } from '../../core/connection.js';
import type { Endpoint } from '../../core/endpoint.js';
import { showEndpoint } from '../../core/endpoint.js';
import { PikeError, describeThrown, isPikeError } from '../../core/errors.js';
import { backoffDelay } from '../backoff.js';
import type { BackoffOptions } from '../backoff.js';

/** What a dialler needs of its server. */
export interface DiallerHost {
  /** Begins to connect; {@link Dialler.connected} or {@link Dialler.lost} says how it went. */
  connect(endpoint: Endpoint): Connection;
  /** Gives up a connection that is being established. */
  giveUp(connection: Connection): void;
  /** An attempt has failed; another follows. */
  warn(error: unknown): void;
}

/**
 * The states of a dialler:
 *
 * ```
 * idle ──→ connecting ──→ connected
 *              ↑ ↓            │
 *           waiting ←─────────┘       any ──→ stopped
 * ```
 */
export type DiallerState = 'idle' | 'connecting' | 'connected' | 'waiting' | 'stopped';

/** Keeps one connection to an endpoint: connects, and connects again when that fails or it ends. */
export class Dialler {
  readonly #endpoint: Endpoint;
  readonly #backoff: Required<BackoffOptions>;
  readonly #host: DiallerHost;
  #state: DiallerState = 'idle';
  #connection: Connection | undefined;
  /** Attempts since the last connection that held. */
  #attempts = 0;
  #connectedAt = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(endpoint: Endpoint, backoff: Required<BackoffOptions>, host: DiallerHost) {
    this.#endpoint = endpoint;
    this.#backoff = backoff;
    this.#host = host;
  }

  get state(): DiallerState {
    return this.#state;
  }

  /** The connection that it has, or is establishing. */
  get connection(): Connection | undefined {
    return this.#connection;
  }

  /** Makes the first attempt. @throws whatever makes every attempt impossible, such as wrong TLS options */
  start(): void {
    this.#dial();
  }

  /** Its connection is established. */
  connected(now = performance.now()): void {
    if (this.#state !== 'connecting') return;
    this.#connectedAt = now;
    this.#become('connected');
  }

  /** Its connection could not be established, or has ended. @param error why, if it could not */
  lost(error?: unknown, now = performance.now()): void {
    if (this.#state === 'connected') {
      // One that ended soon counts as an attempt: a server that accepts and then refuses us, again
      // and again, is not to be hammered.
      if (now - this.#connectedAt >= this.#backoff.maxDelay) this.#attempts = 0;
    } else if (this.#state !== 'connecting') return;
    this.#wait(error);
  }

  /** Gives up for good. */
  stop(): void {
    const connecting = this.#state === 'connecting' ? this.#connection : undefined;
    this.#become('stopped');
    clearTimeout(this.#timer);
    if (connecting !== undefined) this.#host.giveUp(connecting);
  }

  /** The one mutator of the state. */
  #become(state: DiallerState): void {
    this.#state = state;
  }

  #dial(): void {
    this.#become('connecting');
    this.#connection = this.#host.connect(this.#endpoint);
  }

  #wait(error: unknown): void {
    this.#become('waiting');
    this.#connection = undefined;
    this.#attempts++;
    const delay = backoffDelay(this.#attempts, this.#backoff);
    if (error !== undefined) this.#host.warn(retrying(error, this.#endpoint, delay));
    this.#timer = setTimeout(() => this.#dialAgain(), delay);
  }

  #dialAgain(): void {
    try {
      this.#dial();
    } catch (thrown) {
      // The application has shut the connector down by itself: nothing can be connected any more.
      this.#become('stopped');
      this.#host.warn(thrown);
    }
  }
}

function retrying(error: unknown, endpoint: Endpoint, delay: number): PikeError {
  return new PikeError(
    isPikeError(error) ? error.code : 'PIKE_ERR_CONNECT_FAILED',
    `${describeThrown(error)} (${showEndpoint(endpoint)} is tried again in ${Math.round(delay)} ms.)`,
    { cause: error },
  );
}
