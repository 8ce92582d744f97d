import { PikeError, isPikeError } from '../../core/errors.js';
import { Fifo } from '../../core/fifo.js';
import type { PacketFate, PacketSender } from '../packets/packet-sender.js';
import type { Correlation, PacketId, ReplyPacket } from '../packets/packets.js';
import { RequestsById } from '../packets/requests-by-id.js';
import { roughSize } from '../packets/rough-size.js';
import type { Refusal } from './refusals.js';
import { INTERNAL_ERROR } from './reply-error.js';
import type { RequestHost } from './request.js';
import { Request } from './request.js';
import { StreamEnds } from './stream-ends.js';

/** What replies tell their connection. */
export interface RepliesHost {
  /** The connection cannot go on: what its peer would receive next is not what it expects. */
  fail(error: unknown): void;
  /** A reply could not be sent, and its client is told so. */
  warn(error: unknown): void;
  /** A handler failed in a way of which its client is not told. */
  report(error: unknown): void;
  /** A request is over that was in flight, and its reply is given. */
  landed(): void;
  /** A request is over that has waited and was not in flight. */
  withdrawn(request: Request): void;
}

/** How replies are sent. */
export interface ReplySettings {
  readonly correlation: Correlation;
  /** How many bytes of replies may wait to be sent; 0 for any number. */
  readonly maxSendBufferSize: number;
}

/** A place in the line of replies, filled when its request is answered. */
interface Slot {
  request: Request;
  reply: ReplyPacket | undefined;
  /** Sends the events that go out behind the reply. */
  behind: (() => void)[] | undefined;
}

/** The requests of one peer that are not over, and the replies to them. */
export class Replies<T> implements RequestHost {
  readonly #host: RepliesHost;
  readonly #sender: PacketSender<ReplyPacket, T>;
  readonly #requests = new RequestsById<Request>();
  /** With correlation in order: the requests whose replies have not been given, oldest first. */
  readonly #line: Fifo<Slot> | undefined;
  readonly #maxBytes: number;
  /** The replies that messages stand for which are other objects. */
  readonly #repliesOf = new WeakMap<object, ReplyPacket>();
  readonly #fate: PacketFate<ReplyPacket, T> = {
    given: (message, packet) => {
      if (typeof message === 'object' && message !== null && !Object.is(message, packet)) {
        this.#repliesOf.set(message, packet);
      }
    },
    failed: (thrown, packet) => this.#notSent(packet, thrown),
  };
  /** Made with the first stream: many peers ask for none. */
  #ends: StreamEnds<T> | undefined;
  #firstSlot = 0;
  #nextSlot = 0;
  #eventsInLine = 0;
  #ended = false;

  constructor(sender: PacketSender<ReplyPacket, T>, settings: ReplySettings, host: RepliesHost) {
    this.#sender = sender;
    this.#line = settings.correlation === 'order' ? new Fifo() : undefined;
    this.#maxBytes = settings.maxSendBufferSize;
    this.#host = host;
  }

  /** Whether a reply can be sent at once, so that a request can be refused. */
  get canReply(): boolean {
    return this.#line === undefined && this.#sender.buffer.hasRoom;
  }

  /** Notes a request. @returns `undefined` if one with the same id is not over */
  add(id: PacketId): Request | undefined {
    if (this.#line !== undefined) {
      const request = new Request(this.#nextSlot++, this);
      this.#line.push({ request, reply: undefined, behind: undefined });
      this.#requests.add(request);
      return request;
    }
    if (this.#requests.find(id) !== undefined) return undefined;
    const request = new Request(id, this);
    this.#requests.add(request);
    return request;
  }

  /** The client no longer wants the reply. */
  cancel(id: PacketId): void {
    if (this.#line === undefined) this.#requests.find(id)?.stop();
  }

  /** Stops the requests that wait. @param refusal told to the clients, if given */
  stopWaiting(refusal?: Refusal): void {
    for (const request of this.#requests.all) {
      if (request.waits) request.stop(refusal);
    }
  }

  /** Stops all requests; first those that wait, see {@link stopWaiting}: they would begin when others end. @param refusal told to the clients, if given */
  stop(refusal?: Refusal): void {
    for (const request of this.#requests.all) request.stop(refusal);
  }

  /** The connection has ended, or its peer is not to be trusted. */
  end(): void {
    this.#ended = true;
    this.stopWaiting();
    this.stop();
    for (const { request } of this.#line?.takeAll() ?? []) this.#land(request);
  }

  reply(request: Request, packet: ReplyPacket): void {
    if (this.#line === undefined) {
      this.#send(packet, request.gave);
      return;
    }
    const isLast = packet.isDisposed === true;
    // One reply for each request: the first value is it.
    packet.isDisposed = true;
    this.#fill(this.#line, request, packet);
    if (!isLast) request.satisfied();
  }

  /**
   * Sends an event when its turn has come: with correlation in order, behind the replies to the
   * requests that have come before it, since a peer may read its meaning from its place. Else at once.
   * @param own the request that it comes of, ahead of whose reply it goes out: its handler may wait for it
   * @throws PikeError `PIKE_ERR_QUEUE_FULL` if too many wait for their turn
   */
  inLine(send: () => void, own?: Request): void {
    const line = this.#line;
    const place = own === undefined ? line?.length : (own.id as number) - this.#firstSlot;
    const before = place === undefined ? undefined : line?.at(place - 1);
    if (before === undefined) {
      send();
      return;
    }
    if (this.#eventsInLine >= MOST_EVENTS_IN_LINE) throw tooManyInLine();
    this.#eventsInLine++;
    (before.behind ??= []).push(send);
  }

  room(): Promise<void> | undefined {
    return this.#sender.room();
  }

  report(error: unknown): void {
    this.#host.report(error);
  }

  over(request: Request): void {
    this.#requests.delete(request);
    if (request.waits) this.#host.withdrawn(request);
    else if (this.#line === undefined) this.#land(request);
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
    const request = this.#requests.find(packet.id);
    request?.stop();
    const endTakenBack = this.#ends?.takeBack(packet.id) === true;
    // Otherwise the client has been told already, of another value, or wants to know nothing more.
    if (request !== undefined || endTakenBack || packet.isDisposed === true) {
      this.#send({ id: packet.id, err: INTERNAL_ERROR, isDisposed: true });
    }
  }

  /** @param follows whether the packet follows values of its request */
  #send(packet: ReplyPacket, follows = false): void {
    const { bytes } = this.#sender.buffer;
    if (bytes >= this.#maxBytes && this.#maxBytes > 0) {
      if (!this.#ended) this.#host.fail(bufferFull(bytes));
      return;
    }
    if (follows && packet.isDisposed === true) {
      this.#ends ??= new StreamEnds(this.#sender);
      this.#ends.send(packet, this.#fate, sizeOf(packet));
    } else {
      this.#sender.send(packet, this.#fate, sizeOf(packet));
    }
  }

  #fill(line: Fifo<Slot>, request: Request, reply: ReplyPacket): void {
    const slot = line.at((request.id as number) - this.#firstSlot);
    if (slot !== undefined) slot.reply ??= reply;
    for (let first = line.at(0); first?.reply !== undefined; first = line.at(0)) {
      line.shift();
      this.#firstSlot++;
      this.#send(first.reply);
      for (const sendEvent of first.behind ?? []) {
        this.#eventsInLine--;
        sendEvent();
      }
      this.#land(first.request);
    }
  }

  /** Its reply is given: no longer in flight. */
  #land(request: Request): void {
    if (!request.isInFlight) return;
    request.isInFlight = false;
    this.#host.landed();
  }
}

function sizeOf({ response, err }: ReplyPacket): number {
  return roughSize(response === undefined ? err : response);
}

/** How many events may wait for their turn: a peer may have sent a request that is never answered. */
const MOST_EVENTS_IN_LINE = 1024;

function tooManyInLine(): PikeError {
  return new PikeError(
    'PIKE_ERR_QUEUE_FULL',
    `${MOST_EVENTS_IN_LINE} events wait behind replies that are not ready: answer requests sooner, or ` +
      'emit less to a peer that waits for its replies.',
  );
}

function isQueueFull(error: unknown): boolean {
  return isPikeError(error) && error.code === 'PIKE_ERR_QUEUE_FULL';
}

function bufferFull(bytes: number): PikeError {
  return new PikeError(
    'PIKE_ERR_QUEUE_FULL',
    `About ${bytes} bytes of replies wait already (maxSendBufferSize): the peer does not read them. ` +
      'A stream that can wait, an AsyncIterable, produces no more than the peer takes.',
  );
}
