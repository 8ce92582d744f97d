import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import type { ConnectorEvent, RemoteConnectEvent } from '../../core/events.js';
import { endReasonOf } from '../calls/end-reason.js';
import type { Closed } from '../calls/end-reason.js';
import { PikeContext } from '../pike-context.js';
import { Dispatcher } from '../handling/dispatcher.js';
import type { HandlerAccess } from '../handling/dispatcher.js';
import { drain } from './draining.js';
import type { LifecycleEvent, LifecycleHandlers } from './lifecycle-handlers.js';
import { Runs } from '../handling/runs.js';
import type { PikeServerSettings } from './server-options.js';
import { Session } from '../session/session.js';
import type { SessionOwner } from '../session/session.js';
import type { ShutdownWay } from '../shutdown-options.js';

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
  readonly #sessions = new Map<Connection, Session<T>>();
  readonly #sessionOwner: SessionOwner<T>;
  /** Handlers of messages. */
  readonly #runs = new Runs();
  /** Handlers of what happens to connections. */
  readonly #lifecycleRuns = new Runs();
  readonly #dispatcher: Dispatcher<T>;
  #unsubscribe: (() => void) | undefined;
  #draining = false;
  #closed: Promise<void> | undefined;

  constructor(host: ServingHost<T>) {
    this.#host = host;
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
  close(way: ShutdownWay): Promise<void> {
    this.#closed ??= this.#close(way);
    return this.#closed;
  }

  async #close(way: ShutdownWay): Promise<void> {
    await drain(
      {
        refuse: () => {
          this.#draining = true;
          this.#dispatcher.refuse();
          return this.connector.stopListening();
        },
        handlersIdle: (ms) => Promise.all([this.#runs.idle(ms), this.#lifecycleRuns.idle(ms)]),
        interrupt: (tell) => {
          const err = tell ? INTERRUPTED : undefined;
          for (const { answers } of this.#sessions.values()) answers.stop(err);
          this.#dispatcher.stopEventStreams();
        },
        endConnections: async (how) => {
          await this.connector.shutdown(how);
          this.#unsubscribe?.();
        },
        lastEventsHandled: (ms) => this.#lifecycleRuns.idle(ms),
      },
      way,
    );
    const { refusedEvents } = this.#dispatcher;
    if (refusedEvents > 0) this.#host.warn(eventsRefused(refusedEvents));
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
      this.#lifecycleRuns.begin();
      void this.#askHandlers(event).finally(() => this.#lifecycleRuns.end());
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
    this.#lifecycleRuns.begin();
    void lifecycle.call(event, this.#contextOf(event)).finally(() => this.#lifecycleRuns.end());
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

function eventsRefused(count: number): Error {
  return new Error(
    `${count} events came while the server was shutting down, and were not handled.`,
  );
}
