import type { Connection } from '../../core/connection.js';
import type { Leftovers } from '../../core/events.js';
import { Patrol } from '../../core/patrol.js';
import type { Call } from '../calls/call.js';
import type { EndReason } from '../calls/end-reason.js';
import { Session } from './session.js';
import type { SessionOwner, SessionState } from './session.js';

/** The sessions of a server, or of a client: one for each connection that it serves. */
export class Sessions<T> implements Iterable<Session<T>> {
  readonly #owner: SessionOwner<T>;
  readonly #all = new Map<Connection, Session<T>>();
  /** Heartbeats: one timer for all. */
  readonly #patrol: Patrol | undefined;

  constructor(owner: SessionOwner<T>) {
    this.#owner = owner;
    const { heartbeatInterval } = owner.settings;
    if (heartbeatInterval > 0) this.#patrol = new Patrol(this, [heartbeatInterval]);
  }

  [Symbol.iterator](): Iterator<Session<T>> {
    return this.#all.values();
  }

  find(connection: Connection): Session<T> | undefined {
    return this.#all.get(connection);
  }

  /** The session of a connection; one that has ended, if it is not served. */
  of(connection: Connection): Session<T> {
    return (
      this.#all.get(connection) ??
      (this.#mayBeServed(connection)
        ? this.begin(connection, 'open')
        : new Session(this.#owner, connection, 'ended'))
    );
  }

  /** Begins to serve a connection. */
  begin(connection: Connection, state: SessionState): Session<T> {
    const session = new Session(this.#owner, connection, state);
    this.#all.set(connection, session);
    this.#patrol?.start();
    return session;
  }

  /** The application takes a connection over. */
  handOver(connection: Connection): void {
    this.#all.get(connection)?.handOver();
    this.#forget(connection);
  }

  /** A connection has ended. @param resend see `Calls.ended` */
  ended(
    connection: Connection,
    leftovers: Leftovers<T>,
    reason: EndReason,
    resend?: (calls: readonly Call<T>[]) => void,
  ): void {
    this.#all.get(connection)?.disconnected(leftovers, reason, resend);
    // What was given in the tick of its end is rejected behind this event.
    process.nextTick(() => this.#forget(connection));
  }

  /** Whether a connection has come without an event: merged by the application, or made by it. */
  #mayBeServed(connection: Connection): boolean {
    return this.#owner.connector.has(connection) && !connection.separate;
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    if (this.#all.size === 0) this.#patrol?.stop();
  }
}
