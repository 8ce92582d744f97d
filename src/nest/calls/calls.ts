import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { describeThrown, isPikeError, PikeError } from '../../core/errors.js';
import type { Leftovers } from '../../core/events.js';
import type { Correlation, IncomingReply, OutgoingPacket } from '../packets/packets.js';
import type { PacketSender } from '../packets/packet-sender.js';
import { createCorrelator } from './correlator.js';
import type { Correlator } from './correlator.js';
import { PendingEvent, PendingRequest } from './pending.js';
import type { EndReason } from './end-reason.js';
import type { Pending } from './pending.js';
import { undelivered } from './undelivered.js';

/** How a protocol carries requests and their replies. */
export interface CallSettings {
  readonly correlation: Correlation;
  /** Whether a message of which a part was sent is safe to send again, see `Converter.atomic`. */
  readonly atomic: boolean;
  /** Whether the peer understands that a request is cancelled: that of the default protocol does. */
  readonly sendsCancels: boolean;
}

/**
 * What we ask of one peer: the requests and events given to one connection, until each has met its
 * fate. The other direction is in `handling/answers.ts`.
 */
export class Calls<T> {
  readonly #connector: Connector<T>;
  readonly #connection: Connection;
  readonly #sender: PacketSender<OutgoingPacket, T>;
  readonly #settings: CallSettings;
  readonly #warn: (error: unknown) => void;
  readonly #correlator: Correlator<PendingRequest<T>>;
  /** In the order in which their messages were given. */
  readonly #pending = new Set<Pending<T>>();
  /** Those of this turn that the connector may not have taken, by their message. */
  readonly #doubtful = new Map<T, Pending<T>>();
  /** The events of this turn. */
  #justGiven: PendingEvent<T>[] = [];
  #lastId = 0;
  /** How many messages the connector has rejected. */
  #rejections = 0;

  /** @param warn told what fails and no caller waits for */
  constructor(
    connector: Connector<T>,
    connection: Connection,
    sender: PacketSender<OutgoingPacket, T>,
    settings: CallSettings,
    warn: (error: unknown) => void,
  ) {
    this.#connector = connector;
    this.#connection = connection;
    this.#sender = sender;
    this.#settings = settings;
    this.#warn = warn;
    this.#correlator = createCorrelator(settings.correlation);
  }

  /** Sends a request. @returns gives it up: its replies are no longer wanted */
  request(packet: OutgoingPacket, onReply: (reply: IncomingReply) => void): () => void {
    const id = ++this.#lastId;
    const request = new PendingRequest<T>(id, onReply);
    this.#correlator.add(request);
    this.#send({ ...packet, id }, request, (message) => {
      // Nobody would answer it.
      if (message === undefined) this.#returned(request, nothingToSend());
    });
    return () => this.#cancel(request);
  }

  /** Sends an event. Resolves once it is sent. @throws PikeError (rejection) with `delivery` if it is not */
  emit(packet: OutgoingPacket): Promise<void> {
    return new Promise((resolve, reject) => this.post(packet, resolve, reject));
  }

  /** As {@link emit}, without a promise: one of the two functions is called, once. */
  post(packet: OutgoingPacket, sent: () => void, failed: (error: PikeError) => void): void {
    const event = new PendingEvent<T>(sent, failed);
    this.#send(packet, event, () => {
      // Not before the next tick: by then an event has told if it was not taken, or not encoded.
      if (this.#justGiven.push(event) === 1) process.nextTick(awaitJustGiven, this);
    });
  }

  /** A reply has arrived. @returns whether a request was waiting for it */
  replied(reply: IncomingReply): boolean {
    const request = this.#correlator.match(reply);
    if (request === undefined) return false;
    const last = this.#correlator.isLast(reply);
    if (last) this.#pending.delete(request);
    request.replied(last ? { ...reply, isDisposed: true } : reply);
    return true;
  }

  /** The connector has not taken a message. @returns whether it was one of these calls */
  rejected(message: T, error: PikeError): boolean {
    this.#rejections++;
    const doubtful = this.#doubtful.get(message);
    if (doubtful !== undefined) {
      this.#doubtful.delete(message);
      this.#returned(doubtful, unsent(error));
      return true;
    }
    for (const pending of this.#pending) {
      if (!Object.is(pending.message, message)) continue;
      this.#returned(pending, unsent(error));
      return true;
    }
    return false;
  }

  /** The connection has ended: everything that is pending meets its fate. */
  ended(leftovers: Leftovers<T>, reason: EndReason): void {
    // What was given after the end, and before its event, comes back in events that follow that one.
    if (this.#doubtful.size > 0) {
      process.nextTick(() => this.ended(leftovers, reason));
      return;
    }
    const pending = [...this.#pending];
    this.#pending.clear();
    const fates = undelivered(pending, leftovers, this.#settings.atomic);
    for (const each of pending) each.ended(reason, fates.get(each));
  }

  /** The connection goes on without us: nobody will learn what becomes of what is pending. */
  abandon(reason: EndReason): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    for (const each of pending) each.ended(reason, 'in-doubt');
  }

  /** @internal The end of a turn in which events were given. */
  awaitJustGiven(): void {
    const events = this.#justGiven;
    this.#justGiven = [];
    for (const event of events) this.#awaitSent(event);
  }

  #send(
    packet: OutgoingPacket,
    pending: Pending<T>,
    onGiven: (message: T | undefined) => void,
  ): void {
    this.#pending.add(pending);
    this.#sender.send(packet, {
      given: (message, taken) => {
        pending.message = message;
        if (!taken) this.#doubt(message as T, pending);
        onGiven(message);
      },
      failed: (thrown) => this.#returned(pending, unsent(thrown)),
    });
  }

  /** Remembers a message until the event would have come that says that it was not taken. */
  #doubt(message: T, pending: Pending<T>): void {
    this.#doubtful.set(message, pending);
    process.nextTick(() => {
      if (this.#doubtful.get(message) === pending) this.#doubtful.delete(message);
    });
  }

  #cancel(request: PendingRequest<T>): void {
    if (!this.#pending.has(request)) return;
    if (this.#withdraw(request)) {
      this.#pending.delete(request);
      this.#correlator.forget(request);
      return;
    }
    request.abandon();
    // What is still to be answered also still counts when messages come back.
    if (!this.#correlator.abandon(request)) this.#pending.delete(request);
    if (!this.#settings.sendsCancels) return;
    this.#sender.send(
      { id: request.id, cancel: true },
      { given: () => undefined, failed: this.#warn },
    );
  }

  /** Takes a request back, if none of its bytes has left. */
  #withdraw(request: PendingRequest<T>): boolean {
    const { message } = request;
    if (message === undefined) return false;
    return this.#isUnique(request) && this.#connector.withdraw(this.#connection, message);
  }

  /**
   * Whether taking back the message of a request cannot hit another's. With ids no two are equal;
   * without, they may be: two requests for the same number, say.
   */
  #isUnique(request: PendingRequest<T>): boolean {
    if (this.#settings.correlation === 'id') return true;
    for (const other of this.#pending) {
      if (other !== request && Object.is(other.message, request.message)) return false;
    }
    return true;
  }

  /** Waits until everything given so far was sent, the event included. */
  #awaitSent(event: PendingEvent<T>): void {
    if (!this.#pending.has(event)) return;
    const rejections = this.#rejections;
    this.#connector.flushed(this.#connection).then(
      () => {
        if (this.#pending.delete(event)) event.sent();
      },
      () => {
        // Something came back, in an event that has been handled by the next tick. If it was another
        // message that the connector has rejected, this one is still on its way; otherwise the
        // connection is ending, and its last event says what became of this one.
        process.nextTick(() => {
          if (this.#rejections > rejections) this.#awaitSent(event);
        });
      },
    );
  }

  #returned(pending: Pending<T>, error: PikeError): void {
    if (!this.#pending.delete(pending)) return;
    if (pending instanceof PendingRequest) this.#correlator.forget(pending);
    pending.failed(error);
  }
}

function awaitJustGiven<T>(calls: Calls<T>): void {
  calls.awaitJustGiven();
}

/** The error of a request or event that was never sent. */
export function unsent(thrown: unknown): PikeError {
  const code = isPikeError(thrown) ? thrown.code : 'PIKE_ERR_SERIALIZER';
  return new PikeError(code, describeThrown(thrown), { cause: thrown, delivery: 'unsent' });
}

/** The serializer has made no message of a request. */
function nothingToSend(): PikeError {
  return new PikeError(
    'PIKE_ERR_SERIALIZER',
    'The serializer returned undefined for a request: nothing was sent, so nobody can reply.',
    { delivery: 'unsent' },
  );
}
