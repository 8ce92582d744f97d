import type { PikeError } from '../../core/errors.js';
import type { PacketSender } from '../packets/packet-sender.js';
import type { IncomingPacket, PacketId, ReplyPacket } from '../packets/packets.js';
import { roughSize } from '../packets/rough-size.js';
import { Admission } from './admission.js';
import type { EventRun, EventStreams } from './event-run.js';
import { OVERLOADED, SHUTTING_DOWN } from './refusals.js';
import type { Refusal } from './refusals.js';
import { Replies } from './replies.js';
import type { RepliesHost, ReplySettings } from './replies.js';
import type { BeginRequest, Request } from './request.js';

/** What answers tell their connection. */
export interface AnswersHost extends Pick<RepliesHost, 'fail' | 'warn' | 'report'> {
  /** More has come than may wait: nothing more is to be read. */
  holdBack(): void;
  /** Reads again. */
  goOn(): void;
}

/** How much a peer may ask. */
export interface AnswerSettings extends ReplySettings {
  /** How many handlers may run for one connection; as many requests and events may wait. */
  readonly maxInFlight: number;
}

/**
 * What one peer asks of us: its requests and events, those that wait and those in flight, and the
 * replies. The other direction is in `calls/calls.ts`.
 */
export class Answers<T> implements EventStreams {
  readonly eventStreams = new Set<EventRun>();
  /** Begins what was deferred. Kept here by who handles requests: one for all, not one for each. */
  begin: BeginRequest | undefined;
  readonly #replies: Replies<T>;
  readonly #admission: Admission;
  #ended = false;

  constructor(sender: PacketSender<ReplyPacket, T>, settings: AnswerSettings, host: AnswersHost) {
    const { buffer } = sender;
    this.#admission = new Admission(settings.maxInFlight, {
      get allowance() {
        return buffer.allowance;
      },
      room: () => buffer.room(),
      holdBack: () => host.holdBack(),
      goOn: () => host.goOn(),
    });
    this.#replies = new Replies(sender, settings, {
      fail: (error) => host.fail(error),
      warn: (error) => host.warn(error),
      report: (error) => host.report(error),
      landed: () => this.#admission.ended(),
      withdrawn: (request) => this.#admission.withdraw(request),
    });
  }

  /** Whether the connection has ended. */
  get ended(): boolean {
    return this.#ended;
  }

  /** A request has come. @returns `undefined` if one with the same id is not over */
  add(id: PacketId): Request | undefined {
    return this.#replies.add(id);
  }

  /** Puts a request in flight, if it may begin now; otherwise call {@link defer}. */
  tryBegin(request: Request): boolean {
    if (!this.#admission.tryBegin(true)) return false;
    request.begin();
    return true;
  }

  /** Lets a request wait until it may begin, or refuses it if too many wait already. */
  defer(request: Request, packet: IncomingPacket, begin: BeginRequest): void {
    // Only a peer that does not read its replies, or has to wait for one in front, is held back:
    // what else it sends, cancels for instance, is not heard meanwhile.
    if (this.#admission.refuses && this.#replies.canReply) {
      request.stop(OVERLOADED);
      return;
    }
    request.wait(roughSize(packet), packet, begin);
    this.#admission.hold(request);
  }

  /** Puts an event in flight, if it may begin now; otherwise call {@link deferEvent}. */
  tryBeginEvent(): boolean {
    return this.#admission.tryBegin(false);
  }

  /** Lets an event wait until it may begin; too many hold their peer back. */
  deferEvent(packet: IncomingPacket, begin: () => void): void {
    this.#admission.hold({ bytes: roughSize(packet), answered: false, admitted: begin });
  }

  /** An event is no longer in flight. */
  eventEnded(): void {
    this.#admission.ended();
  }

  /** Sends an event when its turn has come, see {@link Replies.inLine}. */
  inLine(send: () => void, own?: Request): void {
    this.#replies.inLine(send, own);
  }

  /** The client no longer wants the reply. */
  cancel(id: PacketId): void {
    this.#replies.cancel(id);
  }

  /** The server closes: requests that wait are not begun any more, and their clients are told. */
  refuseWaiting(): void {
    this.#replies.stopWaiting(SHUTTING_DOWN);
  }

  /** Stops all requests. @param refusal told to the clients, if given, whose requests were begun */
  stop(refusal?: Refusal): void {
    this.#replies.stopWaiting(refusal === undefined ? undefined : SHUTTING_DOWN);
    this.#replies.stop(refusal);
  }

  /** The connection has ended, or its peer is not to be trusted. Events that have come are handled. */
  end(): void {
    this.#ended = true;
    this.#replies.end();
    for (const stream of this.eventStreams) stream.leave();
  }

  /** The connector has not taken a message, or the converter could not encode it. */
  rejected(message: T, error: PikeError): void {
    this.#replies.rejected(message, error);
  }
}
