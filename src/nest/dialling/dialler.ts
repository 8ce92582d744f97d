import { setTimeout } from 'node:timers/promises';
import type { Endpoint } from '../../core/endpoint.js';
import { showEndpoint } from '../../core/endpoint.js';
import { isPikeError, PikeError } from '../../core/errors.js';
import { Backoff } from './backoff.js';
import type { ReconnectSettings } from './reconnect-options.js';

/**
 * Dials an endpoint once; resolves when connected.
 * @param signal gives it up
 * @throws PikeError (rejection) `PIKE_ERR_CONNECT_FAILED` or `PIKE_ERR_CONNECT_TIMEOUT`: it may be
 * tried again; anything else: it is of no use
 */
export type Dial = (endpoint: Endpoint, signal: AbortSignal) => Promise<void>;

/** Connects to one of several endpoints, in turn, and again when the connection was lost. */
export class Dialler {
  readonly #endpoints: readonly Endpoint[];
  readonly #attempts: number;
  readonly #maxDelay: number;
  readonly #dial: Dial;
  readonly #backoff: Backoff;
  readonly #stopped = new AbortController();
  #next = 0;
  #connectedAt = 0;

  constructor(endpoints: readonly Endpoint[], reconnect: ReconnectSettings, dial: Dial) {
    this.#endpoints = endpoints;
    this.#attempts = reconnect.attempts;
    this.#maxDelay = reconnect.maxDelay;
    this.#backoff = new Backoff(reconnect);
    this.#dial = dial;
  }

  /**
   * Tries every endpoint once, beginning with the one behind that which was tried last.
   * @throws what dialling throws; of several endpoints, for all of them
   */
  async connect(): Promise<void> {
    const { signal } = this.#stopped;
    const errors: PikeError[] = [];
    while (errors.length < this.#endpoints.length) {
      const endpoint = this.#endpoints[this.#next] as Endpoint;
      this.#next = (this.#next + 1) % this.#endpoints.length;
      try {
        await this.#dial(endpoint, signal);
        this.#connectedAt = performance.now();
        return;
      } catch (thrown) {
        if (!mayBeTriedAgain(thrown)) throw thrown;
        errors.push(thrown);
      }
    }
    throw this.#allFailed(errors);
  }

  /**
   * Tries to connect until it succeeds.
   * @param failed told of each attempt that fails and is not the last
   * @throws as {@link connect}, after the last attempt; once stopped
   */
  async reconnect(failed: (error: PikeError) => void): Promise<void> {
    // A server that accepts and drops its peers is as bad as one that refuses them.
    if (performance.now() - this.#connectedAt >= this.#maxDelay) this.#backoff.reset();
    for (let left = this.#attempts; ; left--) {
      await setTimeout(this.#backoff.next(), undefined, { signal: this.#stopped.signal });
      try {
        await this.connect();
        return;
      } catch (thrown) {
        if (!mayBeTriedAgain(thrown) || left <= 1) throw thrown;
        failed(thrown);
      }
    }
  }

  /** Gives up what is under way, for good: it rejects. */
  stop(): void {
    this.#stopped.abort();
  }

  #allFailed(errors: readonly PikeError[]): PikeError {
    const last = errors.at(-1) as PikeError;
    if (errors.length === 1) return last;
    const endpoints = this.#endpoints.map(showEndpoint).join(', ');
    return new PikeError(
      last.code,
      `Could not connect to any of ${endpoints}: ${errors.map(({ message }) => message).join(' ')}`,
      { cause: new AggregateError(errors) },
    );
  }
}

function mayBeTriedAgain(thrown: unknown): thrown is PikeError {
  return (
    isPikeError(thrown) &&
    (thrown.code === 'PIKE_ERR_CONNECT_FAILED' || thrown.code === 'PIKE_ERR_CONNECT_TIMEOUT')
  );
}
