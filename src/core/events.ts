import type { Connection } from './connection.js';
import { PikeError } from './errors.js';
import { checkKnown, checkType } from './options.js';

const BRAND = Symbol.for('nestjs-pike.PikeEvent');
const DEFAULTS = {};

/** What became of the messages of a connection that were not sent when it ended. */
export interface Leftovers<T> {
  /** The message of which some bytes were accepted by the system, and not all. */
  readonly incomplete?: T;
  /** The messages of which no byte was accepted, oldest first. */
  readonly queued: readonly T[];
  /**
   * The messages of which the system cannot say how much it accepted, oldest first. At most one
   * chunk's; always empty when we close a healthy plain socket.
   */
  readonly uncertain: readonly T[];
}

/** The leftovers of a connection that had none. */
export const NO_LEFTOVERS: Leftovers<never> = { queued: [], uncertain: [] };

/** One of the six things that happen to a connection (Pike's README, Events). */
export abstract class PikeEvent {
  /** Tells the events apart: `switch (event.type)` narrows. */
  abstract readonly type: string;
  // Not a field of the class, see MessageReceivedEvent.
  declare readonly connection: Connection;
  /** @internal Set on the prototype: one event is made for every message. */
  declare readonly [BRAND]: true;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  static {
    Object.defineProperty(this.prototype, BRAND, { value: true });
  }
}

/** Whether a value is one of the six events, of this copy of the package or another. */
export function isPikeEvent(value: unknown): value is ConnectorEvent<unknown> {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** An attempt to connect has succeeded or failed. */
export class FinishConnectEvent<T = unknown> extends PikeEvent {
  readonly type = 'finishConnect';
  readonly success: boolean;
  /** After a failure: the messages given to `send` meanwhile. Empty after a success: they are sent. */
  readonly queued: readonly T[];
  /** After a failure: why. */
  readonly error: Error | undefined;

  constructor(connection: Connection, success: boolean, queued: readonly T[], error?: Error) {
    super(connection);
    this.success = success;
    this.queued = queued;
    this.error = error;
  }
}

/** The end of a connection, with what was not sent. */
abstract class DisconnectEvent<T> extends PikeEvent implements Leftovers<T> {
  readonly incomplete: T | undefined;
  readonly queued: readonly T[];
  readonly uncertain: readonly T[];
  readonly error: Error | undefined;

  constructor(connection: Connection, leftovers: Leftovers<T>, error?: Error) {
    super(connection);
    this.incomplete = leftovers.incomplete;
    this.queued = leftovers.queued;
    this.uncertain = leftovers.uncertain;
    this.error = error;
  }
}

/** We have disconnected: asked to, or because a fault left no other way; then `error` says which. */
export class FinishDisconnectEvent<T = unknown> extends DisconnectEvent<T> {
  readonly type = 'finishDisconnect';
}

/** The peer has disconnected, or was lost; then `error` says how. */
export class RemoteDisconnectEvent<T = unknown> extends DisconnectEvent<T> {
  readonly type = 'remoteDisconnect';
}

/** Whose doing the end of a connection was. */
export type DisconnectType = (FinishDisconnectEvent | RemoteDisconnectEvent)['type'];

/** The last event of a connection that was open. */
export function disconnectEvent<T>(
  type: DisconnectType,
  connection: Connection,
  leftovers: Leftovers<T>,
  error: Error | undefined,
): ConnectorEvent<T> {
  return type === 'finishDisconnect'
    ? new FinishDisconnectEvent(connection, leftovers, error)
    : new RemoteDisconnectEvent(connection, leftovers, error);
}

/** What stands behind a RemoteConnect event. */
export interface Arrival {
  /** What {@link RemoteConnectEvent.finishAccept} does, the first time. */
  finishAccept(separate: boolean): boolean;
  /** What {@link RemoteConnectEvent.accepted} is, when somebody asks. */
  readonly accepted: Promise<boolean>;
}

/** A peer is connecting. Nothing is read from it or sent to it before `finishAccept`. */
export class RemoteConnectEvent extends PikeEvent {
  readonly type = 'remoteConnect';
  readonly #arrival: Arrival;
  #called = false;

  constructor(connection: Connection, arrival: Arrival) {
    super(connection);
    this.#arrival = arrival;
  }

  /**
   * Opens the connection.
   *
   * In a Nest handler it takes effect once all handlers of the event have succeeded; what is to be
   * done with the open connection waits for {@link accepted}.
   * @param options `separate` (default false): its further events go to a queue of their own,
   * see `receiveFrom`
   * @returns whether it is open now: false if it has ended meanwhile (`acceptTimeout`, a disconnect
   * or a shutdown), which its last event says too. That is nobody's fault, so it does not throw.
   * In a Nest handler: whether it is in time to count.
   * @throws PikeError `PIKE_ERR_ACCEPT_FINISHED` when called again, whatever the first call returned;
   * `PIKE_ERR_INVALID_OPTION`, and then it has not been called
   */
  finishAccept(options: { separate?: boolean } = DEFAULTS): boolean {
    if (this.#called) {
      throw new PikeError('PIKE_ERR_ACCEPT_FINISHED', 'finishAccept() can be called once.');
    }
    checkType('finishAccept', 'options', options, 'object');
    checkKnown('finishAccept', options, ['separate']);
    const { separate = false } = options;
    checkType('finishAccept', 'separate', separate, 'boolean');
    this.#called = true;
    return this.#arrival.finishAccept(separate);
  }

  /**
   * Resolves once it is decided whether the peer may stay: true when the connection has been opened,
   * so that `receiveFrom` and `merge` may be called if it is separate; false when it has ended
   * unaccepted (refused, `acceptTimeout`, a disconnect or a shutdown). Never rejects, and is made
   * only if asked for.
   *
   * It is for what goes on after the handlers of the event; a Nest handler that waits for it keeps
   * its own `finishAccept` from taking effect, until `acceptTimeout` refuses the peer:
   *
   * ```ts
   * event.finishAccept({ separate: true });
   * void this.negotiate(event); // begins with: if (!(await event.accepted)) return;
   * ```
   */
  get accepted(): Promise<boolean> {
    return this.#arrival.accepted;
  }
}

/** A message has been received. */
export class MessageReceivedEvent<T = unknown> extends PikeEvent {
  // Assigned once, in the constructor: a field of a class is defined before, by a call for each message. Without
  // it receiving a small message takes four fifths of the time.
  declare readonly type: 'messageReceived';
  declare readonly message: T;

  constructor(connection: Connection, message: T) {
    super(connection);
    this.type = 'messageReceived';
    this.message = message;
  }
}

/** A message given to `send` was not taken: the connection is ending, its queue is full, or the serializer failed. */
export class RejectedMessageEvent<T = unknown> extends PikeEvent {
  readonly type = 'rejectedMessage';
  readonly message: T;
  readonly error: PikeError;

  constructor(connection: Connection, message: T, error: PikeError) {
    super(connection);
    this.message = message;
    this.error = error;
  }
}

/** The six events; `type` tells them apart. */
export type ConnectorEvent<T = unknown> =
  | FinishConnectEvent<T>
  | FinishDisconnectEvent<T>
  | RemoteConnectEvent
  | RemoteDisconnectEvent<T>
  | MessageReceivedEvent<T>
  | RejectedMessageEvent<T>;
