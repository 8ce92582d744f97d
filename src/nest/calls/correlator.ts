import { Fifo } from '../../core/fifo.js';
import type { Correlation, IncomingReply } from '../packets/packets.js';
import { RequestsById } from '../packets/requests-by-id.js';
import { hasError } from './reply-failure.js';

/** A request that waits for its reply. */
export interface Correlated {
  /** Given by the correlator: unique among those that wait. */
  id: number;
  /** `undefined` until its message was given to the connector. */
  readonly message: unknown;
}

/** Finds the request that a reply belongs to. */
export interface Correlator<R extends Correlated> {
  /** Gives a request its id. */
  add(request: R): void;
  /** The request of a reply, forgotten if the reply is its last; `undefined` if there is none. */
  match(reply: IncomingReply): R | undefined;
  /** Whether a reply is the last to its request. */
  isLast(reply: IncomingReply): boolean;
  /** No reply to the request comes: it was never sent. */
  forget(request: R): void;
  /**
   * Nobody waits for the reply any more.
   * @returns whether it must be waited for all the same, so that later replies find their requests
   */
  abandon(request: R): boolean;
}

/** The correlator of one connection. */
export function createCorrelator<R extends Correlated>(correlation: Correlation): Correlator<R> {
  return correlation === 'id' ? new IdCorrelator() : new OrderCorrelator();
}

class IdCorrelator<R extends Correlated> implements Correlator<R> {
  readonly #pending = new RequestsById<R>();
  #lastId = 0;

  add(request: R): void {
    request.id = ++this.#lastId;
    this.#pending.add(request);
  }

  match(reply: IncomingReply): R | undefined {
    const { id } = reply;
    if (id === undefined) return undefined;
    const request = this.#pending.find(id);
    if (request !== undefined && this.isLast(reply)) this.#pending.delete(request);
    return request;
  }

  isLast(reply: IncomingReply): boolean {
    return reply.isDisposed === true || hasError(reply);
  }

  forget(request: R): void {
    this.#pending.delete(request);
  }

  abandon(request: R): boolean {
    this.#pending.delete(request);
    return false;
  }
}

/** One reply for each request, in order. */
class OrderCorrelator<R extends Correlated> implements Correlator<R> {
  readonly #line = new Fifo<R>();
  #lastId = 0;

  add(request: R): void {
    request.id = ++this.#lastId;
    this.#line.push(request);
  }

  match(): R | undefined {
    // Before the first request is sent nothing can be its reply.
    return this.#line.at(0)?.message === undefined ? undefined : this.#line.shift();
  }

  isLast(): boolean {
    return true;
  }

  forget(request: R): void {
    this.#line.remove(request);
  }

  abandon(): boolean {
    return true;
  }
}
