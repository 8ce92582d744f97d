import type { Connection } from '../../core/connection.js';
import { PikeError } from '../../core/errors.js';
import type { Delivery } from '../../core/errors.js';
import { traceEmit, traceRequest } from '../diagnostics/call-diagnostics.js';
import type { CallTrace } from '../diagnostics/call-diagnostics.js';
import type { PacketFate } from '../packets/packet-sender.js';
import type { IncomingReply, OutgoingPacket } from '../packets/packets.js';
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
  readonly packet: OutgoingPacket;
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

/** Told the replies to a request; the last is `isDisposed`, or an `err`. */
export type OnReply = (reply: IncomingReply) => void;

/** A request, from when it is given until its last reply. */
export class RequestCall<T> extends Call<T> {
  /** Unique among the requests of the present connection. */
  id = 0;
  #onReply: OnReply | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #trace: CallTrace | undefined;

  constructor(packet: OutgoingPacket, onReply: OnReply) {
    const trace = traceRequest(packet);
    super(trace?.packet ?? packet);
    this.#trace = trace;
    this.#onReply = onReply;
  }

  get wanted(): boolean {
    return this.#onReply !== undefined;
  }

  /**
   * Fails with `PIKE_ERR_REQUEST_TIMEOUT` unless a reply comes within `ms`, and after each reply
   * another, until the last.
   * @param giveUp called then: see that no reply is waited for any more, and say what is known
   */
  expireAfter(ms: number, giveUp: (request: RequestCall<T>) => Delivery): void {
    this.#timer = setTimeout(() => {
      const onReply = this.#takeOnReply();
      const err = timedOut(ms, giveUp(this));
      this.#trace?.ended('error', this.holder?.connection, err);
      onReply?.({ err, isDisposed: true });
    }, ms);
  }

  replied(reply: IncomingReply, last: boolean): void {
    if (last) {
      const outcome = reply.err === undefined ? 'ok' : 'error';
      this.#trace?.ended(outcome, this.holder?.connection, reply.err);
    }
    const onReply = last ? this.#takeOnReply() : this.#onReply;
    if (!last) this.#timer?.refresh();
    onReply?.(reply);
  }

  /** Nobody waits for a reply any more. @returns who did */
  abandon(): OnReply | undefined {
    this.#trace?.ended('cancelled', this.holder?.connection);
    return this.#takeOnReply();
  }

  reject(error: PikeError): void {
    this.#trace?.ended('error', this.holder?.connection, error);
    this.#takeOnReply()?.({ err: error, isDisposed: true });
  }

  #takeOnReply(): OnReply | undefined {
    const onReply = this.#onReply;
    this.#onReply = undefined;
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    return onReply;
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
    this.#outcome = outcome;
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

const DELIVERIES: Readonly<Record<Delivery, string>> = {
  unsent: 'It was not sent: sending it again is safe.',
  'in-doubt': 'Whether the peer has acted on it is not known.',
};
