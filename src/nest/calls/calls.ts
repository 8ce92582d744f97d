import type { Observer } from 'rxjs';
import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { causeBelow, describeThrown, isPikeError, PikeError } from '../../core/errors.js';
import type { Delivery, PikeErrorCode } from '../../core/errors.js';
import type { Leftovers } from '../../core/events.js';
import type { Correlation, IncomingReply, OutgoingPacket } from '../packets/packets.js';
import type { PacketSender } from '../packets/packet-sender.js';
import { endError, EventCall, RequestCall } from './call.js';
import type { Call, CallHolder, RequestOwner } from './call.js';
import { createCorrelator } from './correlator.js';
import type { Correlator } from './correlator.js';
import type { EndReason } from './end-reason.js';
import { deliveryOf, leftoverFates } from './leftover-fates.js';
import type { LeftoverFate } from './leftover-fates.js';
import { PendingCalls } from './pending-calls.js';
import { SentEvents } from './sent-events.js';

/** How a protocol carries requests and their replies. */
export interface CallSettings {
  readonly correlation: Correlation;
  /** Whether a message of which a part was sent is safe to send again, see `Converter.atomic`. */
  readonly atomic: boolean;
}

/** What calls tell their connection. */
export interface CallsHost {
  /** Something failed that no caller waits for. */
  warn(error: unknown): void;
  /** The connection is of no use any more and is to be ended. */
  fail(error: unknown): void;
}

/**
 * What we ask of one peer: the requests and events given to one connection, until each has met its
 * fate. The other direction is in `handling/answers.ts`.
 */
export class Calls<T> implements CallHolder<T>, RequestOwner<T> {
  readonly connection: Connection;
  readonly #connector: Connector<T>;
  readonly #sender: PacketSender<OutgoingPacket, T>;
  readonly #settings: CallSettings;
  readonly #host: CallsHost;
  readonly #correlator: Correlator<RequestCall<T>>;
  readonly #sentEvents: SentEvents<T>;
  /** In the order in which they were given. */
  readonly #pending = new PendingCalls<Call<T>>();
  /** Those of this turn that the connector may not have taken, by their messages. */
  readonly #doubtful = new Map<T, Call<T>>();
  /** How many requests were given up whose replies are waited for all the same. */
  #abandoned = 0;
  #ended = false;

  constructor(
    connector: Connector<T>,
    connection: Connection,
    sender: PacketSender<OutgoingPacket, T>,
    settings: CallSettings,
    host: CallsHost,
  ) {
    this.#connector = connector;
    this.connection = connection;
    this.#sender = sender;
    this.#settings = settings;
    this.#host = host;
    this.#correlator = createCorrelator(settings.correlation);
    this.#sentEvents = new SentEvents(connector, connection, (event) => {
      if (this.#pending.delete(event)) event.sent();
    });
  }

  /** Sends a request. @param observer told its replies */
  request(packet: OutgoingPacket, observer: Observer<never>): RequestCall<T> {
    const request = new RequestCall<T>(packet, observer);
    request.owner = this;
    this.give(request);
    return request;
  }

  /** Sends an event. Resolves once it is sent. @throws PikeError (rejection) with `delivery` if it is not */
  emit(packet: OutgoingPacket): Promise<void> {
    return new Promise((sent, failed) => this.give(new EventCall<T>(packet, { sent, failed })));
  }

  /**
   * Sends a request or an event.
   * @param inLine says when it is the turn of an event; by default it is at once
   */
  give(call: Call<T>, inLine?: InLine): void {
    call.holder = this;
    call.message = undefined;
    this.#pending.push(call);
    if (!(call instanceof RequestCall)) {
      if (inLine === undefined) this.#sender.send(call.packet, call);
      else this.#giveInLine(call, inLine);
      return;
    }
    this.#correlator.add(call);
    this.#sender.send(identify(call), call);
  }

  /**
   * Nobody waits for the replies to a request any more: takes it back if none of its bytes has left,
   * or tells the peer.
   */
  giveUp(request: RequestCall<T>): Delivery {
    if (!this.#pending.has(request)) return 'in-doubt';
    if (this.#withdraw(request)) {
      this.#pending.delete(request);
      this.#correlator.forget(request);
      return 'unsent';
    }
    // What is still to be answered also still counts when messages come back.
    if (this.#correlator.abandon(request)) this.#leaveUnanswered();
    else this.#pending.delete(request);
    // In order there is no id to tell the peer; a protocol that has no word for it serializes nothing.
    if (this.#settings.correlation === 'id' && !this.#ended) {
      const failed = (thrown: unknown): void => this.#host.warn(thrown);
      this.#sender.send({ id: request.id, cancel: true }, { given: () => undefined, failed });
    }
    return 'in-doubt';
  }

  /** A reply has arrived. @returns whether a request was waiting for it */
  replied(reply: IncomingReply): boolean {
    const request = this.#correlator.match(reply);
    if (request === undefined) return false;
    const last = this.#correlator.isLast(reply);
    if (last) this.#pending.delete(request);
    if (!request.wanted) this.#abandoned--;
    request.replied(!last || reply.isDisposed === true ? reply : lastOf(reply), last);
    return true;
  }

  /** The connector has not taken a message. @returns whether it was one of these calls */
  rejected(message: T, error: PikeError): boolean {
    const isEnding = error.code === 'PIKE_ERR_DISCONNECTED';
    if (!isEnding) this.#sentEvents.rejected();
    const call = this.#doubtful.get(message) ?? this.#pendingWith(message);
    if (call === undefined) return false;
    this.#doubtful.delete(message);
    // Then it shares the fate of what was queued.
    if (isEnding) call.message = undefined;
    else this.#returned(call, unsent(error));
    return true;
  }

  /**
   * The connection has ended: everything that is pending meets its fate, in the next tick.
   * @param resend takes what the peer cannot have acted on, in the order in which it was given; by
   * default it fails as the rest
   */
  ended(
    leftovers: Leftovers<T>,
    reason: EndReason,
    resend?: (calls: readonly Call<T>[]) => void,
  ): void {
    this.#ended = true;
    this.#sender.stop();
    this.#sentEvents.stop();
    // What was given when the connection had ended already comes back right behind.
    process.nextTick(() => this.#settle(leftovers, reason, resend));
  }

  /** The connection goes on without us: nobody will learn here what becomes of what is pending. */
  abandon(reason: EndReason): void {
    this.#ended = true;
    this.#sender.stop();
    this.#sentEvents.stop();
    const pending = this.#pending.takeAll();
    for (const call of pending) call.reject(endError(reason, 'in-doubt'));
  }

  given(call: Call<T>, message: T | undefined): void {
    call.message = message;
    if (message !== undefined && !this.#sender.buffer.hasRoom) this.#doubt(call, message);
    if (call instanceof EventCall) {
      if (message !== undefined) this.#sentEvents.given(call);
      else if (this.#pending.delete(call)) call.sent();
    } else if (message === undefined) {
      // Nobody would answer it.
      this.#returned(call, nothingToSend());
    }
  }

  notGiven(call: Call<T>, thrown: unknown): void {
    this.#returned(call, unsent(thrown));
  }

  #giveInLine(event: Call<T>, inLine: InLine): void {
    try {
      inLine(() => {
        // Otherwise its connection has ended meanwhile, and it has met its fate.
        if (!this.#pending.delete(event)) return;
        // Those that are pending stand in the order in which their messages are given.
        this.#pending.push(event);
        this.#sender.send(event.packet, event);
      });
    } catch (thrown) {
      event.failed(thrown);
    }
  }

  #pendingWith(message: T): Call<T> | undefined {
    for (const call of this.#pending) if (Object.is(call.message, message)) return call;
    return undefined;
  }

  /**
   * Remembers a call as long as it may come back for want of room: to look through all that waits for
   * a peer that takes nothing, for each message that it does not get, would be the others' time.
   */
  #doubt(call: Call<T>, message: T): void {
    if (this.#doubtful.size === 0) setImmediate(() => this.#doubtful.clear());
    this.#doubtful.set(message, call);
  }

  #settle(
    leftovers: Leftovers<T>,
    reason: EndReason,
    resend: ((calls: readonly Call<T>[]) => void) | undefined,
  ): void {
    const pending = this.#pending.takeAll();
    const fates = leftoverFates(pending, leftovers);
    const again: Call<T>[] = [];
    const over: Call<T>[] = [];
    for (const call of pending) {
      const isToResend =
        resend !== undefined &&
        call.wanted &&
        this.#isWorthResending(call, fates.get(call), reason);
      (isToResend ? again : over).push(call);
    }
    if (again.length > 0) resend?.(again);
    for (const call of over) {
      const fate = fates.get(call);
      if (fate === undefined && call instanceof EventCall) call.sent();
      else call.reject(endError(reason, deliveryOf(fate, this.#settings.atomic)));
    }
  }

  /** Not what a peer may have acted on, nor what connection after connection breaks on. */
  #isWorthResending(call: Call<T>, fate: LeftoverFate | undefined, reason: EndReason): boolean {
    if (deliveryOf(fate, this.#settings.atomic) !== 'unsent') return false;
    if (fate !== 'incomplete') return true;
    return ++call.timesIncomplete < MOST_TIMES_INCOMPLETE && reason.code !== 'PIKE_ERR_SERIALIZER';
  }

  /** Takes a request back, if none of its bytes has left. */
  #withdraw(request: RequestCall<T>): boolean {
    const { message } = request;
    if (message === undefined) {
      request.withdrawn = true;
      return true;
    }
    return this.#isUnique(request) && this.#connector.withdraw(this.connection, message);
  }

  /**
   * Whether taking back the message of a request cannot hit another's. With ids no two are equal;
   * without, they may be: two requests for the same number, say.
   */
  #isUnique(request: RequestCall<T>): boolean {
    if (this.#settings.correlation === 'id') return true;
    for (const other of this.#pending) {
      if (other !== request && Object.is(other.message, request.message)) return false;
    }
    return true;
  }

  /** A request stays in the line though nobody wants its reply: that is not to go on for ever. */
  #leaveUnanswered(): void {
    if (++this.#abandoned <= MOST_ABANDONED || this.#ended) return;
    this.#host.fail(
      new PikeError(
        'PIKE_ERR_REQUEST_TIMEOUT',
        `The peer has left ${MOST_ABANDONED} requests that were given up without their replies.`,
      ),
    );
  }

  #returned(call: Call<T>, error: PikeError): void {
    if (!this.#pending.delete(call)) return;
    call.message = undefined;
    if (call instanceof RequestCall) {
      this.#correlator.forget(call);
      if (!call.wanted) this.#abandoned--;
    }
    call.reject(error);
  }
}

/** Puts the id of a request into its packet: a copy with it would take four times as long. */
function identify(request: RequestCall<unknown>): OutgoingPacket {
  const { id, packet } = request;
  // One that a connection was given is left as it is: it is in the events of that.
  if (packet.id === undefined) packet.id = id;
  else request.packet = { ...packet, id };
  return request.packet;
}

/** A reply that ends its request, where the protocol leaves that unsaid. */
function lastOf({ response, err, status }: IncomingReply): IncomingReply {
  return { response, err, status, isDisposed: true };
}

/** Calls `send` back when the turn of an event has come; what it throws fails the event. */
type InLine = (send: () => void) => void;

/** The error of a request or event that was never sent. @param code of what is no PikeError */
export function unsent(thrown: unknown, code: PikeErrorCode = 'PIKE_ERR_SERIALIZER'): PikeError {
  return new PikeError(isPikeError(thrown) ? thrown.code : code, describeThrown(thrown), {
    cause: causeBelow(thrown),
    delivery: 'unsent',
  });
}

/** The serializer has made no message of a request. */
function nothingToSend(): PikeError {
  return new PikeError(
    'PIKE_ERR_SERIALIZER',
    'The serializer returned undefined for a request: nothing was sent, so nobody can reply.',
    { delivery: 'unsent' },
  );
}

/** A message on which so many connections broke is, as likely as not, why they did. */
const MOST_TIMES_INCOMPLETE = 3;

/** How many requests may be given up on one connection and still be waited for, where replies come in order. */
const MOST_ABANDONED = 1024;
