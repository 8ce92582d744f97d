import { Injectable } from '@nestjs/common';
import { HealthIndicatorService } from '@nestjs/terminus';
import type { HealthIndicatorResult } from '@nestjs/terminus';
import type { Endpoint } from '../core/endpoint.js';
import type { PikeErrorCode } from '../core/errors.js';
import type { PikeClient, PikeClientState } from '../nest/client/pike-client.js';
import type { PikeServer } from '../nest/server/pike-server.js';
import type { PikeServerState } from '../nest/server/serving.js';

/** What a health check shows of a server, beside `status`. */
export interface ServerHealth extends Record<string, unknown> {
  state: PikeServerState;
  /** Where it listens; left out if it does not. */
  address?: Endpoint;
  /** How many connections it has, those included that are not accepted yet. */
  connections: number;
}

/** What a health check shows of a client, beside `status`. */
export interface ClientHealth extends Record<string, unknown> {
  state: PikeClientState;
  /** Why it is not connected, see `PikeClient.lastError`; left out if nothing has failed. */
  lastError?: { code: PikeErrorCode; message: string };
}

/**
 * Health indicators for `@nestjs/terminus` 11 and 12. It reads what servers and clients know: it sends
 * nothing and connects nowhere, so it may be asked as often as one likes. (docs/health.md)
 *
 * Add it to the providers of the module that imports `TerminusModule`.
 */
@Injectable()
export class PikeHealthIndicator {
  readonly #indicators: HealthIndicatorService;

  constructor(indicators: HealthIndicatorService) {
    this.#indicators = indicators;
  }

  /**
   * Up while the server listens, or, if it only connects, is connected; down when it is draining: then
   * a load balancer is to send nothing more.
   */
  checkServer<const Key extends string, T>(
    key: Key,
    server: PikeServer<T>,
  ): HealthIndicatorResult<Key> {
    const { state, address } = server;
    const connections = state === 'closed' ? 0 : Array.from(server.unwrap().connections).length;
    const health: ServerHealth = { state, ...(address && { address }), connections };
    const isUp = state === 'listening' || state === 'connected';
    return this.#result(key, isUp, health);
  }

  /**
   * Up while the client is connected. A client connects when it is first used: one that is to be up
   * from the start is told to `connect()` when the application starts.
   */
  checkClient<const Key extends string, T>(
    key: Key,
    client: PikeClient<T>,
  ): HealthIndicatorResult<Key> {
    const { state, lastError } = client;
    const { code, message } = lastError ?? {};
    const health: ClientHealth =
      code === undefined || message === undefined
        ? { state }
        : { state, lastError: { code, message } };
    return this.#result(key, state === 'connected', health);
  }

  #result<const Key extends string>(
    key: Key,
    isUp: boolean,
    health: Record<string, unknown>,
  ): HealthIndicatorResult<Key> {
    const indicator = this.#indicators.check(key);
    return isUp ? indicator.up(health) : indicator.down(health);
  }
}
