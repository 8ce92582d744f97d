import { isPikeError } from '../../core/errors.js';
import type { PikeError } from '../../core/errors.js';
import { Fifo } from '../../core/fifo.js';
import type { PacketSender } from '../packets/packet-sender.js';
import type { Correlation, PacketId, ReplyPacket } from '../packets/packets.js';
import { INTERNAL_ERROR } from './reply-error.js';
import type { RequestHost } from './request.js';
import { Request } from './request.js';

/** What answers tell their connection. */
export interface AnswersHost {
  /** The connection cannot go on: what its peer would receive next is not what it expects. */
  fail(error: unknown): void;
  /** A reply could not be sent, and its client is told so. */
  warn(error: unknown): void;
  /** A handler failed in a way of which its client is not told. */
  report(error: unknown): void;
}

/** A place in the line of replies, filled when its request is answered. */
interface Slot {
  request: Request;
  reply: ReplyPacket | undefined;
}

/**
 * What one peer asks of us: its requests that are being handled, and the replies to them. The other
 * direction is in `calls/calls.ts`.
 */
export class Answers<T> implements RequestHost {
  readonly #host: AnswersHost;
  readonly #sender: PacketSender<ReplyPacket, T>;
  readonly #requests = new Map<PacketId, Request>();
  /** With correlation in order: the requests whose replies have not been sent, oldest first. */
  readonly #line: Fifo<Slot> | undefined;
  /** The replies that messages stand for which are other objects. */
  readonly #repliesOf = new WeakMap<object, ReplyPacket>();
  #firstSlot = 0;
  #nextSlot = 0;
  #ended = false;

  constructor(sender: PacketSender<ReplyPacket, T>, correlation: Correlation, host: AnswersHost) {
    this.#sender = sender;
    this.#line = correlation === 'order' ? new Fifo() : undefined;
    this.#host = host;
  }

  /** Begins a request. @returns `undefined` if one with the same id is being handled */
  begin(id: PacketId): Request | undefined {
    if (this.#line !== undefined) {
      const request = new Request(this.#nextSlot++, this);
      this.#line.push({ request, reply: undefined });
      this.#requests.set(request.id, request);
      return request;
    }
    if (this.#requests.has(id)) return undefined;
    const request = new Request(id, this);
    this.#requests.set(id, request);
    return request;
  }

  /** The client no longer wants the reply. */
  cancel(id: PacketId): void {
    if (this.#line === undefined) this.#requests.get(id)?.stop();
  }

  /** Stops all requests. @param err told to the client, if given */
  stop(err?: unknown): void {
    for (const request of this.#requests.values()) request.stop(err);
  }

  /** The connection has ended, or its peer is not to be trusted. */
  end(): void {
    this.#ended = true;
    this.stop();
  }

  reply(request: Request, reply: Omit<ReplyPacket, 'id'>): void {
    const packet: ReplyPacket = { id: request.id, ...reply };
    if (this.#line === undefined) {
      this.#send(packet);
      return;
    }
    // One reply for each request: the first value is it.
    this.#fill(this.#line, request, { ...packet, isDisposed: true });
    if (reply.isDisposed !== true) request.stop();
  }

  room(): Promise<void> | undefined {
    return this.#sender.room();
  }

  report(error: unknown): void {
    this.#host.report(error);
  }

  over(request: Request): void {
    this.#requests.delete(request.id);
  }

  /** The connector has not taken a message, or the converter could not encode it. */
  rejected(message: T, error: PikeError): void {
    // An object that is not known is none of ours: the application has sent it. What no identity
    // tells apart may be ours, so it counts as ours, or a client might wait for ever.
    if (typeof message !== 'object' || message === null) {
      this.#host.fail(error);
      return;
    }
    const packet = this.#repliesOf.get(message) ?? (message as Partial<ReplyPacket>);
    if (packet.id !== undefined && !('pattern' in packet) && !('cancel' in packet)) {
      this.#notSent(packet as ReplyPacket, error);
    }
  }

  /** The client must learn that its reply does not come. */
  #notSent(packet: ReplyPacket, error: unknown): void {
    if (this.#ended) return;
    if (this.#line !== undefined || packet.err === INTERNAL_ERROR || isQueueFull(error)) {
      this.#host.fail(error);
      return;
    }
    this.#host.warn(error);
    this.#requests.get(packet.id)?.stop();
    this.#send({ id: packet.id, err: INTERNAL_ERROR, isDisposed: true });
  }

  #send(packet: ReplyPacket): void {
    this.#sender.send(packet, {
      given: (message) => {
        if (typeof message === 'object' && message !== null && !Object.is(message, packet)) {
          this.#repliesOf.set(message, packet);
        }
      },
      failed: (thrown) => this.#notSent(packet, thrown),
    });
  }

  #fill(line: Fifo<Slot>, request: Request, reply: ReplyPacket): void {
    const slot = line.at((request.id as number) - this.#firstSlot);
    if (slot !== undefined) slot.reply ??= reply;
    for (let first = line.at(0); first?.reply !== undefined; first = line.at(0)) {
      line.shift();
      this.#firstSlot++;
      this.#send(first.reply);
    }
  }
}

function isQueueFull(error: unknown): boolean {
  return isPikeError(error) && error.code === 'PIKE_ERR_QUEUE_FULL';
}
