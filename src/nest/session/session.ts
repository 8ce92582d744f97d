import type { Call } from '../calls/call.js';
import { Calls } from '../calls/calls.js';
import type { EndReason } from '../calls/end-reason.js';
import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import type { PikeError } from '../../core/errors.js';
import type { Leftovers } from '../../core/events.js';
import { Answers } from '../handling/answers.js';
import type { AnswersHost } from '../handling/answers.js';
import type { Peer } from '../handling/dispatcher.js';
import { InOrder } from '../packets/in-order.js';
import { checkPacket } from '../packets/packet-checks.js';
import { PacketSender } from '../packets/packet-sender.js';
import type { IncomingPacket, ReceivedPacket, SentPacket } from '../packets/packets.js';
import { isReply } from '../packets/packets.js';
import type { SessionSettings } from './session-settings.js';

/** What a session shares with the others of its server, or its client. */
export interface SessionOwner<T> {
  readonly connector: Connector<T>;
  readonly settings: SessionSettings<T>;
  /** A request, an event or a cancellation has come. What it throws ends the connection. */
  dispatch(session: Session<T>, packet: IncomingPacket): void;
  /** The peer cannot be trusted, or would be misled by what it receives next: the connection is to be ended. */
  fail(session: Session<T>, error: unknown): void;
  /** Something could not be sent, or was not understood, and the peer is told so. */
  warn(error: unknown): void;
  /** Code of the application failed in a way of which no peer is told. */
  report(error: unknown): void;
}

/** One connection's packets, in both directions: what the peer asks of us, and what we ask of it. */
export class Session<T> implements Peer<T>, AnswersHost {
  readonly connection: Connection;
  readonly #owner: SessionOwner<T>;
  readonly #sender: PacketSender<SentPacket, T>;
  /** Packets that arrive are taken in order, even where a deserializer takes its time. */
  readonly #incoming = new InOrder();
  #answers: Answers<T> | undefined;
  #calls: Calls<T> | undefined;
  #ended = false;

  constructor(owner: SessionOwner<T>, connection: Connection) {
    this.connection = connection;
    this.#owner = owner;
    this.#sender = new PacketSender(owner.connector, connection, owner.settings.serializer);
  }

  /** What the peer asks of us. */
  get answers(): Answers<T> {
    this.#answers ??= new Answers(this.#sender, this.#owner.settings.correlation, this);
    return this.#answers;
  }

  /** What we ask of the peer. */
  get calls(): Calls<T> {
    this.#calls ??= this.#createCalls();
    return this.#calls;
  }

  /** Whether nothing more is taken from the peer, or answered. */
  get ended(): boolean {
    return this.#ended;
  }

  /** A message has come. */
  received(message: T): void {
    if (this.#ended) return;
    let packet;
    try {
      packet = this.#owner.settings.deserializer.deserialize(message);
    } catch (thrown) {
      this.fail(thrown);
      return;
    }
    this.#incoming.run(packet, this.#take, this.#failed);
  }

  /** The connector has not taken a message, or the converter could not encode it. @returns whether it may have been one of ours */
  rejected(message: T, error: PikeError): boolean {
    if (this.#calls?.rejected(message, error) === true) return true;
    this.#answers?.rejected(message, error);
    return this.#answers !== undefined;
  }

  /** Takes nothing more from the peer, and stops what is being handled. */
  end(): void {
    this.#ended = true;
    this.#answers?.end();
  }

  /** The connection has ended. @param resend see `Calls.ended` */
  disconnected(
    leftovers: Leftovers<T>,
    reason: EndReason,
    resend?: (calls: readonly Call<T>[]) => void,
  ): void {
    this.end();
    this.#calls?.ended(leftovers, reason, resend);
  }

  fail(error: unknown): void {
    if (!this.#ended) this.#owner.fail(this, error);
  }

  warn(error: unknown): void {
    this.#owner.warn(error);
  }

  report(error: unknown): void {
    this.#owner.report(error);
  }

  #createCalls(): Calls<T> {
    const { connector, settings } = this.#owner;
    return new Calls(connector, this.connection, this.#sender, settings, this);
  }

  readonly #take = (packet: ReceivedPacket): void => {
    // It may have ended while the deserializer took its time.
    if (this.#ended) return;
    checkPacket(packet);
    const { pattern, cancel } = packet;
    const reply = isReply(packet);
    // A protocol without patterns gives all messages the same one, replies included.
    if (reply || (pattern === undefined && cancel !== true)) {
      if (this.#calls?.replied(packet) === true) return;
      // Nobody waits for it any more.
      if (reply && pattern === undefined) return;
    }
    this.#owner.dispatch(this, packet);
  };

  readonly #failed = (thrown: unknown): void => this.fail(thrown);
}
