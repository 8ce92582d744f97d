import { Fifo } from '../../core/fifo.js';
import type { Correlation, IncomingReply, PacketId } from '../packets.js';

/** A request that waits for its reply. */
export interface Correlated {
  readonly id: PacketId;
}

/** Finds the request that a reply belongs to. */
export interface Correlator<R extends Correlated> {
  add(request: R): void;
  /** The request of a reply, forgotten if the reply is its last; `undefined` if nobody waits for it. */
  match(reply: IncomingReply): R | undefined;
  /**
   * Nobody waits for the request any more.
   * @param replyMayCome false if the request was never sent
   * @returns whether anybody did wait
   */
  forget(request: R, replyMayCome: boolean): boolean;
}

/** The correlator of one connection. */
export function createCorrelator<R extends Correlated>(correlation: Correlation): Correlator<R> {
  return correlation === 'id' ? new IdCorrelator() : new OrderCorrelator();
}

/** Whether no further reply comes. */
export function isLastReply(reply: IncomingReply): boolean {
  return reply.isDisposed === true || (reply.err !== undefined && reply.err !== null);
}

class IdCorrelator<R extends Correlated> implements Correlator<R> {
  readonly #pending = new Map<PacketId, R>();

  add(request: R): void {
    this.#pending.set(request.id, request);
  }

  match(reply: IncomingReply): R | undefined {
    const { id } = reply;
    if (id === undefined) return undefined;
    const request = this.#pending.get(id);
    if (request !== undefined && isLastReply(reply)) this.#pending.delete(id);
    return request;
  }

  forget(request: R): boolean {
    return this.#pending.delete(request.id);
  }
}

/**
 * One reply for each request, in order. A request that nobody waits for any more keeps its place in
 * the line, so that later replies still find theirs.
 */
class OrderCorrelator<R extends Correlated> implements Correlator<R> {
  readonly #line = new Fifo<R>();
  readonly #waiting = new Set<R>();

  add(request: R): void {
    this.#line.push(request);
    this.#waiting.add(request);
  }

  match(): R | undefined {
    const request = this.#line.shift();
    return request !== undefined && this.#waiting.delete(request) ? request : undefined;
  }

  forget(request: R, replyMayCome: boolean): boolean {
    if (!replyMayCome) this.#line.remove(request);
    return this.#waiting.delete(request);
  }
}
