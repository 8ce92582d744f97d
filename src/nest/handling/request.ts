import type { PacketId } from '../packets/packets.js';
import { INTERNAL_ERROR, replyErrorOf } from './reply-error.js';
import type { Producer, ReplySink } from './reply-stream.js';
import { produce } from './reply-stream.js';

/** Where the replies to a request go. */
export interface RequestHost {
  reply(request: Request, reply: { response?: unknown; err?: unknown; isDisposed?: boolean }): void;
  /** Resolves when the connection has room for more; `undefined` if it has now. */
  room(): Promise<void> | undefined;
  /** Something failed of which the client is not told. */
  report(error: unknown): void;
  /** Nothing comes from the request any more, and nobody waits for it. */
  over(request: Request): void;
}

/**
 * One request that is being handled: runs until its handler has settled and what it returned has
 * been sent, or until it is stopped.
 */
export class Request implements ReplySink {
  readonly id: PacketId;
  /** Called once the request is over. */
  onOver: (() => void) | undefined;
  readonly #host: RequestHost;
  #state: 'handling' | 'streaming' | 'over' = 'handling';
  #producer: Producer | undefined;

  constructor(id: PacketId, host: RequestHost) {
    this.id = id;
    this.#host = host;
  }

  get isOver(): boolean {
    return this.#state === 'over';
  }

  /** The handler has returned. */
  resolve(result: unknown): void {
    // What nobody wants any more is not begun: neither an Observable nor a generator does
    // anything before it is subscribed to or asked for its first value.
    if (this.#state === 'over') return;
    this.#state = 'streaming';
    const producer = produce(result, this);
    if (this.isOver) producer?.stop();
    else this.#producer = producer;
  }

  /** The client is no longer interested, or gone, or the server closes. @param err told to the client, if given */
  stop(err?: unknown): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#producer?.stop();
    if (err !== undefined) this.#host.reply(this, { err, isDisposed: true });
    this.#end();
  }

  value(response: unknown): void {
    if (this.#state !== 'over') this.#host.reply(this, { response });
  }

  last(response: unknown): void {
    this.#finish(response === undefined ? { isDisposed: true } : { response, isDisposed: true });
  }

  failed(err: unknown): void {
    // A filter may make nothing of an error; to the client that would look like success.
    this.#finish({ err: err ?? INTERNAL_ERROR, isDisposed: true });
  }

  threw(error: unknown): void {
    const err = replyErrorOf(error);
    if (err === INTERNAL_ERROR) this.report(error);
    this.failed(err);
  }

  report(error: unknown): void {
    this.#host.report(error);
  }

  room(): Promise<void> | undefined {
    return this.#host.room();
  }

  #finish(reply: { response?: unknown; err?: unknown; isDisposed: true }): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#host.reply(this, reply);
    this.#end();
  }

  #end(): void {
    this.#host.over(this);
    this.onOver?.();
  }
}
