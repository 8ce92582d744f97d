import { Observable } from 'rxjs';
import { EventCall } from '../calls/call.js';
import type { Call } from '../calls/call.js';
import { Calls } from '../calls/calls.js';
import type { EndReason } from '../calls/end-reason.js';
import { EventResult } from '../calls/event-result.js';
import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { describeThrown, PikeError } from '../../core/errors.js';
import { ReadingGate } from '../../core/inbound/reading-gate.js';
import type { Leftovers } from '../../core/events.js';
import type { Patrolled } from '../../core/patrol.js';
import { Answers } from '../handling/answers.js';
import type { AnswersHost } from '../handling/answers.js';
import type { Peer } from '../handling/dispatcher.js';
import type { Request } from '../handling/request.js';
import { InOrder } from '../packets/in-order.js';
import { checkPacket, checkPing } from '../packets/packet-checks.js';
import { PacketSender } from '../packets/packet-sender.js';
import type {
  IncomingPacket,
  OutgoingPacket,
  ReceivedPacket,
  SentPacket,
} from '../packets/packets.js';
import { isReply } from '../packets/packets.js';
import { showPattern } from '../packets/pattern.js';
import type { ContextPeer } from '../pike-context.js';
import type { Recipient } from '../push/broadcast.js';
import { Group } from '../push/group.js';
import type { Groups } from '../push/groups.js';
import { AskingPeer } from './asking-peer.js';
import { Heartbeat } from './heartbeat.js';
import type { HeartbeatHost } from './heartbeat.js';
import { PingAnswers } from './ping-answers.js';
import type { SessionSettings } from './session-settings.js';

/** What a session shares with the others of its server, or its client. */
export interface SessionOwner<T> {
  readonly connector: Connector<T>;
  readonly settings: SessionSettings<T>;
  readonly groups: Groups<Session<T>>;
  /** A request, an event or a cancellation has come. What it throws ends the connection. */
  dispatch(session: Session<T>, packet: IncomingPacket): void;
  /** The peer cannot be trusted, or would be misled by what it receives next: the connection is to be ended. */
  fail(session: Session<T>, error: unknown): void;
  /** Something could not be sent, or was not understood, and nobody else is told. */
  readonly warn: (error: unknown) => void;
  /** Code of the application failed in a way of which no peer is told. */
  report(error: unknown): void;
}

/**
 * arriving → open: its peer is accepted
 * each of them → left: the connection has ended; an event that has come is handled all the same
 * each of them → ended: nothing more is taken from the peer, which has misbehaved, or which somebody else serves
 */
export type SessionState = 'arriving' | 'open' | 'left' | 'ended';

const NEXT_STATES: Readonly<Record<SessionState, readonly SessionState[]>> = {
  arriving: ['open', 'left', 'ended'],
  open: ['left', 'ended'],
  left: ['ended'],
  ended: [],
};

/** Why nothing is read at the moment. */
const NOT_READING = { deserializing: 1, overloaded: 2 };
type NotReadingReason = keyof typeof NOT_READING;

/** One connection's packets, in both directions: what the peer asks of us, and what we ask of it. */
export class Session<T> implements Peer<T>, AnswersHost, Recipient, HeartbeatHost, Patrolled {
  readonly connection: Connection;
  readonly #owner: SessionOwner<T>;
  readonly #sender: PacketSender<SentPacket, T>;
  /** Packets that arrive are taken in order, even where a deserializer takes its time. */
  readonly #incoming = new InOrder();
  #reading: ReadingGate<NotReadingReason> | undefined;
  #state: SessionState;
  #answers: Answers<T> | undefined;
  #calls: Calls<T> | undefined;
  #heartbeat: Heartbeat | undefined;
  #pingAnswers: PingAnswers<T> | undefined;
  #pings = 0;

  constructor(owner: SessionOwner<T>, connection: Connection, state: SessionState) {
    this.connection = connection;
    this.#owner = owner;
    this.#state = state;
    this.#sender = new PacketSender(owner.connector, connection, owner.settings.serializer);
  }

  /** What the peer asks of us. */
  get answers(): Answers<T> {
    this.#answers ??= this.#createAnswers();
    return this.#answers;
  }

  /** What we ask of the peer. */
  get calls(): Calls<T> {
    this.#calls ??= this.#createCalls();
    return this.#calls;
  }

  get state(): SessionState {
    return this.#state;
  }

  get open(): boolean {
    return this.#state === 'open';
  }

  /** Resolves when what has come so far is deserialized, and taken; `undefined` if it is. */
  get deserializing(): Promise<void> | undefined {
    return this.#incoming.tail;
  }

  /** Resolves when what was given so far is serialized; `undefined` if it is. */
  get serializing(): Promise<void> | undefined {
    return this.#sender.serializing;
  }

  /** The peer is accepted. */
  opened(): void {
    if (this.#state === 'arriving') this.#become('open');
  }

  /** A message has come. */
  received(message: T): void {
    if (this.#state === 'ended') return;
    let packet;
    try {
      packet = this.#owner.settings.deserializer.deserialize(message);
    } catch (thrown) {
      this.fail(thrown);
      return;
    }
    this.#incoming.run(packet, this.#take, this.#failed);
    if (this.#incoming.waiting > this.#owner.settings.maxInFlight)
      this.#stopReading('deserializing');
  }

  /** The connector has not taken a message, or the converter could not encode it. @returns whether it may have been one of ours */
  rejected(message: T, error: PikeError): boolean {
    if (this.#calls?.rejected(message, error) === true) return true;
    // Of what was to be answered on a connection that ends, its last event says enough.
    if (error.code !== 'PIKE_ERR_DISCONNECTED') this.#answers?.rejected(message, error);
    return this.#answers !== undefined;
  }

  /** Takes nothing more from the peer, and stops what is being handled. */
  end(): void {
    if (this.#state !== 'ended') this.#become('ended');
  }

  /** The connection has ended. @param resend see `Calls.ended` */
  disconnected(
    leftovers: Leftovers<T>,
    reason: EndReason,
    resend?: (calls: readonly Call<T>[]) => void,
  ): void {
    if (!this.#isOver) this.#become('left');
    this.#calls?.ended(leftovers, reason, resend);
  }

  /** The application takes the connection over: what becomes of our calls will not be seen here. */
  handOver(): void {
    this.end();
    this.#calls?.abandon(HANDED_OVER);
  }

  asking(request: Request): ContextPeer {
    return this.#owner.settings.correlation === 'id' ? this : new AskingPeer(this, request);
  }

  /** @param own the request that it comes of, if any, see `Answers.inLine` */
  emit(pattern: string | object, data: unknown, own?: Request): Observable<void> {
    const result = new EventResult<void>((error) => this.warn(eventLost(pattern, error)));
    if (this.#isOver) result.failed(this.#notOpen());
    else this.#give(new EventCall<T>({ pattern, data }, result), own);
    return result.asObservable();
  }

  send<Result>(pattern: string | object, data: unknown): Observable<Result> {
    if (this.#owner.settings.correlation === 'order') throw noRequests();
    return new Observable<Result>((observer) => {
      if (!this.#isOver) return this.calls.request({ pattern, data }, observer);
      observer.error(this.#notOpen());
      return undefined;
    });
  }

  post(packet: OutgoingPacket, sent: () => void, failed: (error: PikeError) => void): void {
    this.#give(new EventCall<T>(packet, { sent, failed }));
  }

  join(group: string): boolean {
    if (this.#isOver) return false;
    this.#owner.groups.join(this, group);
    return true;
  }

  leave(group: string): boolean {
    return this.#owner.groups.leave(this, group);
  }

  group(name: string): Group {
    return new Group(name, this.#owner.groups, this.#owner.warn);
  }

  /** Looked at now and then: a peer that gives no sign of life is given up. */
  check(now: number): void {
    if (this.#state !== 'open') return;
    this.#heartbeat ??= new Heartbeat(this, this.#owner.settings.heartbeatInterval, now);
    this.#heartbeat.check(now);
  }

  ping(): void {
    this.#sender.send({ ping: ++this.#pings }, { given: () => undefined, failed: this.#failed });
  }

  silent(error: PikeError): void {
    this.#owner.connector.disconnect(this.connection, { now: true }, error);
  }

  fail(error: unknown): void {
    // There is nobody left to disconnect; nothing more of what has come counts.
    if (this.#state === 'left') this.#become('ended');
    else if (this.#state !== 'ended') this.#owner.fail(this, error);
  }

  warn(error: unknown): void {
    this.#owner.warn(error);
  }

  report(error: unknown): void {
    this.#owner.report(error);
  }

  holdBack(): void {
    this.#stopReading('overloaded');
  }

  goOn(): void {
    this.#reading?.goOn('overloaded');
  }

  /** Whether the connection has ended, or is none of ours. */
  get #isOver(): boolean {
    return this.#state === 'left' || this.#state === 'ended';
  }

  /** The one mutator of the state. */
  #become(state: SessionState): void {
    if (!NEXT_STATES[this.#state].includes(state)) {
      throw new Error(`A session cannot become ${state} when it is ${this.#state}`);
    }
    this.#state = state;
    if (!this.#isOver) return;
    this.#owner.groups.leaveAll(this);
    this.#answers?.end();
  }

  #stopReading(reason: NotReadingReason): void {
    this.#reading ??= this.#createGate();
    this.#reading.stop(reason);
  }

  /** Reads again when the deserializer has caught up. */
  #caughtUp(): void {
    if (this.#reading === undefined) return;
    if (this.#incoming.waiting <= this.#owner.settings.maxInFlight / 2) {
      this.#reading.goOn('deserializing');
    }
  }

  #createGate(): ReadingGate<NotReadingReason> {
    const { connector } = this.#owner;
    const socket = {
      pause: () => connector.pause(this.connection),
      resume: () => connector.resume(this.connection),
    };
    return new ReadingGate({ socket }, NOT_READING);
  }

  #createAnswers(): Answers<T> {
    const answers = new Answers(this.#sender, this.#owner.settings, this);
    if (this.#isOver) answers.end();
    return answers;
  }

  #give(event: EventCall<T>, own?: Request): void {
    const answers = this.#owner.settings.correlation === 'id' ? undefined : this.#answers;
    this.calls.give(event, answers && ((send) => answers.inLine(send, own)));
  }

  #createCalls(): Calls<T> {
    const { connector, settings } = this.#owner;
    return new Calls(connector, this.connection, this.#sender, settings, this);
  }

  readonly #take = (packet: ReceivedPacket): void => {
    this.#caughtUp();
    if (this.#state === 'ended') return;
    checkPacket(packet);
    const { pattern, cancel } = packet;
    const reply = isReply(packet);
    if (this.#state === 'left') {
      // It has left while the deserializer took its time: an event was sent all the same.
      const isEvent = pattern !== undefined && packet.id === undefined && cancel !== true && !reply;
      if (!isEvent) return;
    }
    if (pattern === undefined && !reply && this.#isHeartbeat(packet)) return;
    // A protocol without patterns gives all messages the same one, replies included.
    if (reply || (pattern === undefined && cancel !== true)) {
      if (this.#calls?.replied(packet) === true) return;
      // Nobody waits for it any more.
      if (reply && pattern === undefined) return;
    }
    this.#owner.dispatch(this, packet);
  };

  /** Answers a ping. @returns whether it was one, or a pong, which has done its work by arriving */
  #isHeartbeat({ ping, pong }: ReceivedPacket): boolean {
    if (!this.#owner.settings.hasHeartbeats) return false;
    if (ping === undefined) return pong !== undefined;
    this.#pingAnswers ??= new PingAnswers(this.#sender, this.#failed);
    this.#pingAnswers.answer(checkPing(ping));
    return true;
  }

  #notOpen(): PikeError {
    return new PikeError(
      'PIKE_ERR_DISCONNECTED',
      `Connection ${this.connection.id} is not one that the server serves: it has ended, or the ` +
        'application has taken it over with finishAccept({ separate: true }).',
      { delivery: 'unsent' },
    );
  }

  readonly #failed = (thrown: unknown): void => {
    this.#caughtUp();
    this.fail(thrown);
  };
}

/** What becomes of calls on a connection whose events go to a queue of their own. */
const HANDED_OVER: EndReason = {
  code: 'PIKE_ERR_DISCONNECTED',
  message: 'The connection was accepted to be managed separately.',
  cause: undefined,
};

function noRequests(): PikeError {
  return new PikeError(
    'PIKE_ERR_NO_REQUESTS',
    "With correlation 'order' a server cannot tell replies from requests: it can emit, and not send.",
    { delivery: 'unsent' },
  );
}

/** For the log: which event it was that nobody asks about. */
function eventLost(pattern: unknown, error: unknown): Error {
  return new Error(
    `The event ${showPattern(pattern)} was not sent, and nobody waits for it: ${describeThrown(error)}`,
    { cause: error },
  );
}
