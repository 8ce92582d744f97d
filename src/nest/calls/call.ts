import type { Observer, Unsubscribable } from 'rxjs';
import type { Connection } from '../../core/connection.js';
import { PikeError } from '../../core/errors.js';
import type { Delivery } from '../../core/errors.js';
import { traceEmit, traceRequest } from '../diagnostics/call-diagnostics.js';
import type { CallTrace } from '../diagnostics/call-diagnostics.js';
import type { PacketFate } from '../packets/packet-sender.js';
import type { IncomingReply, OutgoingPacket } from '../packets/packets.js';
import { errorOf, hasError } from './reply-failure.js';
import type { EndReason } from './end-reason.js';
import type { Pending, PendingCalls } from './pending-calls.js';

/** Who has a call at hand: the calls of the connection that it was given to. */
export interface CallHolder<T> {
  readonly connection: Connection;
  /** The packet of a call was given to the connector as this message; `undefined`: there was nothing to send. */
  given(call: Call<T>, message: T | undefined): void;
  /** The packet of a call could not be given to the connector. */
  notGiven(call: Call<T>, thrown: unknown): void;
}

/**
 * Something asked of a peer, until it has met its fate: a request or an event. It may be given to
 * one connection after another, as long as no peer can have acted on it.
 */
export abstract class Call<T> implements PacketFate<OutgoingPacket, T>, Pending<Call<T>> {
  /** Of a request: with its id, once it was given to a connection. */
  packet: OutgoingPacket;
  /** What was given to the connector of the present connection; `undefined` until it was, and when it came back. */
  message: T | undefined;
  holder: CallHolder<T> | undefined;
  /** Whether it was given up before its packet was serialized. */
  withdrawn = false;
  /** On how many connections its message was begun and not finished. */
  timesIncomplete = 0;
  list: PendingCalls<Call<T>> | undefined;
  previous: Call<T> | undefined;
  next: Call<T> | undefined;

  constructor(packet: OutgoingPacket) {
    this.packet = packet;
  }

  /** Whether anybody still waits for the outcome. */
  abstract readonly wanted: boolean;

  /** It has failed: whoever waits for it is told. */
  abstract reject(error: PikeError): void;

  given(message: T | undefined): void {
    this.holder?.given(this, message);
  }

  failed(thrown: unknown): void {
    this.holder?.notGiven(this, thrown);
  }
}

/** What is made of what a peer has answered, before it is given to who asked. */
export interface ReplyMapping {
  response(response: unknown): unknown;
  error(err: unknown): unknown;
}

/** To whom a request was given, directly or not. */
export interface RequestOwner<T> {
  /** Nobody waits for its replies any more: sees that they do not come. @returns what is known of it */
  giveUp(request: RequestCall<T>): Delivery;
}

/**
 * A request, from when it is given until its last reply; unsubscribing gives it up. It is the teardown of
 * its own Observable, and knows whom to tell: closures instead would be more objects of each request
 * that live until its reply.
 */
export class RequestCall<T> extends Call<T> implements Unsubscribable {
  /** Unique among the requests of the present connection. */
  id = 0;
  owner: RequestOwner<T> | undefined;
  #observer: Observer<never> | undefined;
  readonly #mapping: ReplyMapping;
  #timer: NodeJS.Timeout | undefined;
  readonly #trace: CallTrace | undefined;

  /**
   * @param observer told the replies, and when the last one has come
   * @param mapping by default replies are given as they are
   */
  constructor(packet: OutgoingPacket, observer: Observer<never>, mapping = AS_IS) {
    const trace = traceRequest(packet);
    super(trace?.packet ?? packet);
    this.#trace = trace;
    this.#observer = trace === undefined ? observer : trace.bindObserver(observer);
    this.#mapping = mapping;
  }

  get wanted(): boolean {
    return this.#observer !== undefined;
  }

  /**
   * Fails with `PIKE_ERR_REQUEST_TIMEOUT` unless a reply comes within `ms`, and after each reply
   * another, until the last.
   */
  expireAfter(ms: number): void {
    this.#timer = setTimeout(() => {
      const observer = this.#takeObserver();
      const error = timedOut(ms, this.owner?.giveUp(this) ?? 'unsent');
      this.#trace?.ended('error', this.holder?.connection, error);
      if (observer !== undefined) this.#fail(observer, error);
    }, ms);
  }

  replied(reply: IncomingReply, last: boolean): void {
    if (last) {
      if (hasError(reply)) this.#trace?.ended('error', this.holder?.connection, errorOf(reply));
      else this.#trace?.ended('ok', this.holder?.connection);
    }
    const observer = last ? this.#takeObserver() : this.#observer;
    if (!last) this.#timer?.refresh();
    if (observer !== undefined) this.#give(reply, observer);
  }

  /** Nobody waits for a reply any more. */
  unsubscribe(): void {
    this.#trace?.ended('cancelled', this.holder?.connection);
    if (this.#takeObserver() !== undefined) this.owner?.giveUp(this);
  }

  reject(error: PikeError): void {
    this.#trace?.ended('error', this.holder?.connection, error);
    const observer = this.#takeObserver();
    if (observer !== undefined) this.#fail(observer, error);
  }

  #give(reply: IncomingReply, observer: Observer<never>): void {
    const { response, isDisposed } = reply;
    if (hasError(reply)) {
      this.#fail(observer, errorOf(reply));
      return;
    }
    if (response !== undefined || isDisposed !== true) {
      observer.next(this.#mapping.response(response) as never);
    }
    if (isDisposed === true) observer.complete();
  }

  #fail(observer: Observer<never>, err: unknown): void {
    observer.error(this.#mapping.error(err));
  }

  #takeObserver(): Observer<never> | undefined {
    const observer = this.#observer;
    this.#observer = undefined;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    return observer;
  }
}

/** Told what became of an event: one of the two is called, once. */
export interface EventOutcome {
  /** It was wholly handed to the operating system. */
  sent(): void;
  failed(error: PikeError): void;
}

/** An event, from when it is given until it is sent. */
export class EventCall<T> extends Call<T> {
  readonly wanted = true;
  readonly #outcome: EventOutcome;
  readonly #trace: CallTrace | undefined;

  constructor(packet: OutgoingPacket, outcome: EventOutcome) {
    const trace = traceEmit(packet);
    super(trace?.packet ?? packet);
    this.#trace = trace;
    this.#outcome =
      trace === undefined
        ? outcome
        : {
            sent: trace.bind(() => outcome.sent()),
            failed: trace.bind((error: PikeError) => outcome.failed(error)),
          };
  }

  sent(): void {
    this.#trace?.ended('ok', this.holder?.connection);
    this.#outcome.sent();
  }

  reject(error: PikeError): void {
    this.#trace?.ended('error', this.holder?.connection, error);
    this.#outcome.failed(error);
  }
}

/** The error of a call whose connection, or client, has ended. */
export function endError({ code, message, cause }: EndReason, delivery: Delivery): PikeError {
  return new PikeError(code, `${message} ${DELIVERIES[delivery]}`, { cause, delivery });
}

function timedOut(ms: number, delivery: Delivery): PikeError {
  return new PikeError(
    'PIKE_ERR_REQUEST_TIMEOUT',
    `No reply came within ${ms} ms (requestTimeout). ${DELIVERIES[delivery]}`,
    { delivery },
  );
}

const AS_IS: ReplyMapping = { response: (response) => response, error: (err) => err };

const DELIVERIES: Readonly<Record<Delivery, string>> = {
  unsent: 'It was not sent: sending it again is safe.',
  'in-doubt': 'Whether the peer has acted on it is not known.',
};
