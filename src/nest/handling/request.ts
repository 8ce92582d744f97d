import type { AsyncResource } from 'node:async_hooks';
import type { HandlingTrace } from '../diagnostics/handling-diagnostics.js';
import type { IncomingPacket, PacketId, ReplyContent, ReplyPacket } from '../packets/packets.js';
import type { Applicant } from './admission.js';
import { INTERNAL_ERROR, replyErrorOf } from './reply-error.js';
import { Run } from './run.js';

/** Where the replies to a request go. */
export interface RequestHost {
  reply(request: Request, reply: ReplyPacket): void;
  /** Resolves when the connection has room for more; `undefined` if it has now. */
  room(): Promise<void> | undefined;
  /** Something failed of which the client is not told. */
  report(error: unknown): void;
  /** Nothing comes from the request any more, and nobody waits for it. */
  over(request: Request): void;
}

/** Handles a request, which may begin now. */
export type BeginRequest = (request: Request, packet: IncomingPacket) => void;

/** One request: what its handler returns goes to the client, which may lose interest. */
export class Request extends Run implements Applicant {
  readonly id: PacketId;
  /** From when it begins until its reply is given: where replies go in order, that may be later than its end. */
  isInFlight = false;
  /** Roughly what it holds on to while it waits. */
  bytes = 0;
  /** Told of its handling, if anybody listens. */
  trace: HandlingTrace | undefined;
  /** What its handler runs in: neither what others keep in an `AsyncLocalStorage` reaches it, nor the other way round. */
  scope: AsyncResource | undefined;
  readonly #host: RequestHost;
  /** What it asks for, as long as it waits to begin. */
  #packet: IncomingPacket | undefined;
  #begin: BeginRequest | undefined;

  constructor(id: PacketId, host: RequestHost) {
    super();
    this.id = id;
    this.#host = host;
  }

  get answered(): boolean {
    return true;
  }

  /** Whether it waits to begin. */
  get waits(): boolean {
    return this.#packet !== undefined;
  }

  /** It cannot begin yet. @param begin called when it does */
  wait(bytes: number, packet: IncomingPacket, begin: BeginRequest): void {
    this.bytes = bytes;
    this.#packet = packet;
    this.#begin = begin;
  }

  admitted(): void {
    const packet = this.#packet;
    this.#packet = undefined;
    this.begin();
    if (packet !== undefined) this.#begin?.(this, packet);
  }

  override begin(): void {
    super.begin();
    this.isInFlight = true;
  }

  /** It is not handled at all. */
  refused(err: string): void {
    this.finish({ status: 'error', err, isDisposed: true });
  }

  failed(err: unknown): void {
    // A filter may make nothing of an error; to the client that would look like success.
    this.finish({ err: err ?? INTERNAL_ERROR, isDisposed: true });
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

  protected give(content: ReplyContent): void {
    // Not a copy with the id, which would take four times as long.
    const reply = content as ReplyPacket;
    reply.id = this.id;
    this.#host.reply(this, reply);
  }

  protected override ended(): void {
    this.#host.over(this);
  }
}
