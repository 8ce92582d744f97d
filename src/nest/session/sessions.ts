import type { Connection } from '../../core/connection.js';
import type { FinishDisconnectEvent, RemoteDisconnectEvent } from '../../core/events.js';
import { Patrol } from '../../core/patrol.js';
import type { EndReason } from '../calls/end-reason.js';
import { Session } from './session.js';
import type { SessionOwner, SessionState } from './session.js';

/** The sessions of a server, one for each connection that it serves. */
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

  /** The session of a connection, or one that has ended. */
  of(connection: Connection): Session<T> {
    return this.#all.get(connection) ?? new Session(this.#owner, connection, 'ended');
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

  /** A connection has ended. */
  ended(event: FinishDisconnectEvent<T> | RemoteDisconnectEvent<T>, reason: EndReason): void {
    const { connection } = event;
    this.#all.get(connection)?.disconnected(event, reason);
    // What was given in the tick of its end is rejected behind this event.
    process.nextTick(() => this.#forget(connection));
  }

  #forget(connection: Connection): void {
    this.#all.delete(connection);
    if (this.#all.size === 0) this.#patrol?.stop();
  }
}
