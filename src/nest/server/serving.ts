import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import type { ConnectorEvent, RemoteConnectEvent } from '../../core/events.js';
import type { Finish } from '../../core/finish.js';
import { endReasonOf } from '../calls/end-reason.js';
import type { Closed } from '../calls/end-reason.js';
import { PikeContext } from '../pike-context.js';
import { Dispatcher } from '../handling/dispatcher.js';
import type { HandlerAccess } from '../handling/dispatcher.js';
import type { LifecycleEvent, LifecycleHandlers } from './lifecycle-handlers.js';
import { Runs } from '../handling/runs.js';
import type { PikeServerSettings } from './server-options.js';
import { Session } from '../session/session.js';
import type { SessionOwner } from '../session/session.js';

/** What a serving period needs of its server. */
export interface ServingHost<T> extends HandlerAccess<T> {
  readonly settings: PikeServerSettings<T>;
  readonly lifecycle: LifecycleHandlers<T>;
  /** Told of every event of the connector, first. */
  observe(event: ConnectorEvent<T>): void;
  /** A peer has misbehaved, or could not be sent what it waits for. */
  warn(error: unknown): void;
  /** A handler, or other code of the application, failed in a way of which no peer is told. */
  report(error: unknown): void;
}

/** A server from `listen` to `close`: one connector, and what is known of each of its connections. */
export class Serving<T> {
  readonly connector: Connector<T>;
  readonly #host: ServingHost<T>;
  readonly #settings: PikeServerSettings<T>;
  readonly #sessions = new Map<Connection, Session<T>>();
  readonly #sessionOwner: SessionOwner<T>;
  readonly #runs = new Runs();
  readonly #dispatcher: Dispatcher<T>;
  #unsubscribe: (() => void) | undefined;
  #draining = false;
  #closed: Promise<void> | undefined;

  constructor(host: ServingHost<T>) {
    this.#host = host;
    this.#settings = host.settings;
    const connector = host.settings.createConnector((error) => host.report(error));
    this.connector = connector;
    this.#sessionOwner = {
      connector,
      settings: host.settings,
      dispatch: (session, packet) => this.#dispatcher.dispatch(session, packet),
      warn: (error) => host.warn(error),
      report: (error) => host.report(error),
      fail: (session, error) => this.#fail(session, error),
    };
    this.#dispatcher = new Dispatcher(connector, host, this.#runs);
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.connector.subscribe((event) => this.#happened(event));
    try {
      await this.connector.run();
    } catch (error) {
      this.#unsubscribe();
      throw error;
    }
  }

  /** Drains and shuts down; called again, joins. */
  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const { mode, deadline } = this.#settings.shutdown;
    const ends = performance.now() + deadline;
    const left = (): number => Math.max(0, Math.ceil(ends - performance.now()));
    this.#draining = true;
    this.#dispatcher.refuseRequests();
    await this.connector.stopListening();
    if (mode !== 'now') await this.#runs.idle(left());
    // What still streams would go on for ever, as far as anybody knows: its clients are told.
    for (const { answers } of this.#sessions.values()) answers.stop(INTERRUPTED);
    this.#dispatcher.stopEventStreams();
    // To finishMessages, what was given in this turn is not begun yet. Let go out what can: the
    // handlers were waited for because of their replies.
    if (mode !== 'now') await new Promise((resolve) => setImmediate(resolve));
    await this.connector.shutdown({ [mode]: true, deadline: left() } as Finish);
    this.#unsubscribe?.();
    // Handlers of the last lifecycle events, and, if the deadline has not passed, of messages.
    if (mode !== 'now') await this.#runs.idle(left());
  }

  #happened(event: ConnectorEvent<T>): void {
    this.#host.observe(event);
    switch (event.type) {
      case 'messageReceived':
        this.#sessionOf(event.connection).received(event.message);
        return;
      case 'remoteConnect':
        this.#decide(event);
        return;
      case 'rejectedMessage':
        // Of a connection that has ended, its last event says enough.
        if (event.error.code !== 'PIKE_ERR_DISCONNECTED') {
          this.#sessions.get(event.connection)?.rejected(event.message, event.error);
        }
        break;
      case 'finishDisconnect':
      case 'remoteDisconnect':
        this.#sessions
          .get(event.connection)
          ?.disconnected(event, endReasonOf(event, this.#draining ? SERVER_CLOSED : undefined));
        this.#sessions.delete(event.connection);
        break;
      case 'finishConnect':
    }
    this.#announce(event);
  }

  /** Accepts or refuses a peer. */
  #decide(event: RemoteConnectEvent): void {
    if (this.#draining) {
      this.connector.disconnect(event.connection, { now: true });
    } else if (this.#host.lifecycle.has(event.type)) {
      this.#runs.begin();
      void this.#askHandlers(event).finally(() => this.#runs.end());
    } else {
      event.finishAccept();
    }
  }

  async #askHandlers(event: RemoteConnectEvent): Promise<void> {
    const accepted = await this.#host.lifecycle.decide(event, this.#contextOf(event));
    if (accepted === undefined || this.#draining) {
      this.connector.disconnect(event.connection, { now: true });
    } else {
      // If the handlers have taken longer than acceptTimeout it has no effect; the event of the
      // connection's end says so.
      event.finishAccept(accepted);
    }
  }

  #announce(event: Exclude<LifecycleEvent<T>, RemoteConnectEvent>): void {
    const { lifecycle } = this.#host;
    if (!lifecycle.has(event.type)) return;
    this.#runs.begin();
    void lifecycle.call(event, this.#contextOf(event)).finally(() => this.#runs.end());
  }

  #fail(session: Session<T>, error: unknown): void {
    session.end();
    this.#host.warn(error);
    this.connector.disconnect(session.connection, { finishQueues: true, deadline: 1_000 });
  }

  #sessionOf(connection: Connection): Session<T> {
    let session = this.#sessions.get(connection);
    if (session === undefined) {
      session = new Session(this.#sessionOwner, connection);
      this.#sessions.set(connection, session);
    }
    return session;
  }

  #contextOf(event: LifecycleEvent<T>): PikeContext<T> {
    return new PikeContext<T>([event.connection, event.type, undefined, this.connector]);
  }
}

/** What requests are answered with that the server does not finish: streams, and what outlives the deadline. */
const INTERRUPTED = Object.freeze({
  status: 'error',
  code: 'PIKE_ERR_INTERRUPTED',
  message: 'The server has shut down before this request was finished.',
});

/** What our own calls fail with when the server closes. */
const SERVER_CLOSED: Closed = { code: 'PIKE_ERR_SHUT_DOWN', message: 'The server was closed.' };
