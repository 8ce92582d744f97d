import { PikeError } from '../../core/errors.js';
import type { Delivery } from '../../core/errors.js';
import type { EndReason } from './end-reason.js';
import type { IncomingReply, PacketId } from '../packets/packets.js';

/** A message that was given to `send` and whose fate somebody waits for. */
export interface Pending<T> {
  /** What was given to the connector; `undefined` until the packet has been serialized. */
  message: T | undefined;
  /** The message was not sent: it came back, or could not be serialized. */
  failed(error: PikeError): void;
  /** The connection has ended. @param delivery `undefined` if the message was certainly sent */
  ended(reason: EndReason, delivery: Delivery | undefined): void;
}

/** A request, from when it is given until its last reply. */
export class PendingRequest<T> implements Pending<T> {
  readonly id: PacketId;
  message: T | undefined;
  #onReply: ((reply: IncomingReply) => void) | undefined;

  constructor(id: PacketId, onReply: (reply: IncomingReply) => void) {
    this.id = id;
    this.#onReply = onReply;
  }

  replied(reply: IncomingReply): void {
    this.#onReply?.(reply);
  }

  /** Nobody waits for the reply any more. */
  abandon(): void {
    this.#onReply = undefined;
  }

  failed(error: PikeError): void {
    this.replied({ err: error, isDisposed: true });
  }

  ended(reason: EndReason, delivery: Delivery = 'in-doubt'): void {
    this.failed(endError(reason, delivery));
  }
}

/** An event, from when it is given until it is sent. */
export class PendingEvent<T> implements Pending<T> {
  message: T | undefined;
  readonly sent: () => void;
  readonly failed: (error: PikeError) => void;

  constructor(sent: () => void, failed: (error: PikeError) => void) {
    this.sent = sent;
    this.failed = failed;
  }

  ended(reason: EndReason, delivery: Delivery | undefined): void {
    if (delivery === undefined) this.sent();
    else this.failed(endError(reason, delivery));
  }
}

function endError({ code, message, cause }: EndReason, delivery: Delivery): PikeError {
  const fate =
    delivery === 'unsent'
      ? 'It was not sent: sending it again is safe.'
      : 'Whether the peer has acted on it is not known.';
  return new PikeError(code, `${message} ${fate}`, { cause, delivery });
}
