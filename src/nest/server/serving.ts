import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { isPikeError } from '../../core/errors.js';
import type { ConnectorEvent, FinishConnectEvent, RemoteConnectEvent } from '../../core/events.js';
import type { Finish } from '../../core/finish.js';
import { endReasonOf } from '../calls/end-reason.js';
import type { Closed } from '../calls/end-reason.js';
import { PikeContext } from '../pike-context.js';
import type { ContextPeer } from '../pike-context.js';
import { Dispatcher } from '../handling/dispatcher.js';
import type { HandlerAccess } from '../handling/dispatcher.js';
import type { LifecycleEvent, LifecycleHandlers } from './lifecycle-handlers.js';
import { Runs } from '../handling/runs.js';
import type { PikeServerSettings } from './server-options.js';
import type { Recipient } from '../push/broadcast.js';
import type { Groups } from '../push/groups.js';
import type { Session } from '../session/session.js';
import { Sessions } from '../session/sessions.js';
import { Dialling } from './dialling.js';

/** What a serving period needs of its server. */
export interface ServingHost<T> extends HandlerAccess<T> {
  readonly settings: PikeServerSettings<T>;
  readonly lifecycle: LifecycleHandlers<T>;
  readonly groups: Groups<Session<T>>;
  /** {@link Serving.connected} may have changed. */
  connectedChanged(): void;
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
  readonly #sessions: Sessions<T>;
  readonly #dialling: Dialling;
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
    this.#sessions = new Sessions<T>({
      connector,
      settings: host.settings,
      groups: host.groups,
      dispatch: (session, packet) => this.#dispatcher.dispatch(session, packet),
      warn: (error) => host.warn(error),
      report: (error) => host.report(error),
      fail: (session, error) => this.#fail(session, error),
    });
    const { endpoints, backoff } = host.settings;
    this.#dialling = new Dialling(endpoints, backoff, {
      connect: (endpoint) => connector.connect(endpoint),
      giveUp: (connection) => connector.disconnect(connection, { now: true }),
      warn: (error) => host.warn(error),
    });
    this.#dispatcher = new Dispatcher(connector, host, this.#runs);
  }

  async start(): Promise<void> {
    this.#unsubscribe = this.connector.subscribe((event) => this.#happened(event));
    try {
      await this.connector.run();
      if (!this.#draining) this.#dialling.start();
    } catch (error) {
      this.#dialling.stop();
      await this.connector.shutdown({ now: true });
      this.#unsubscribe();
      throw error;
    }
  }

  /** Whether it listens, or is connected to one of the endpoints that it dials. */
  get connected(): boolean {
    return this.connector.address !== undefined || this.#dialling.connected;
  }

  /** The connections that it serves, those aside that are not accepted yet. */
  get recipients(): Iterable<Recipient> {
    return this.#sessions;
  }

  /** The other end of a connection. */
  peer(connection: Connection): ContextPeer {
    return this.#sessions.of(connection);
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
    this.#dialling.stop();
    this.#dispatcher.refuseRequests();
    await this.connector.stopListening();
    if (mode !== 'now') await this.#runs.idle(left());
    // What still streams would go on for ever, as far as anybody knows: its clients are told.
    for (const { answers } of this.#sessions) answers.stop(INTERRUPTED);
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
        this.#receiver(event.connection).received(event.message);
        return;
      case 'remoteConnect':
        this.#decide(event);
        return;
      case 'rejectedMessage':
        this.#sessions.find(event.connection)?.rejected(event.message, event.error);
        break;
      case 'finishDisconnect':
      case 'remoteDisconnect':
        this.#sessions.ended(event, endReasonOf(event, this.#draining ? SERVER_CLOSED : undefined));
        this.#dialling.lost(event.connection);
        this.#host.connectedChanged();
        break;
      case 'finishConnect':
        this.#finishConnect(event);
        this.#host.connectedChanged();
    }
    this.#announce(event);
  }

  /** Whose a message is. A connection that was managed separately is served once it is merged. */
  #receiver(connection: Connection): Session<T> {
    return this.#sessions.find(connection) ?? this.#sessions.begin(connection, 'open');
  }

  #finishConnect({ connection, success, error }: FinishConnectEvent<T>): void {
    if (success) {
      this.#sessions.begin(connection, 'open');
      this.#dialling.established(connection);
    } else {
      this.#dialling.lost(connection, error);
    }
  }

  /** Accepts or refuses a peer. */
  #decide(event: RemoteConnectEvent): void {
    this.#sessions.begin(event.connection, 'arriving');
    if (this.#draining) {
      this.connector.disconnect(event.connection, { now: true });
    } else if (this.#host.lifecycle.has(event.type)) {
      this.#runs.begin();
      void this.#askHandlers(event).finally(() => this.#runs.end());
    } else {
      this.#accept(event, false);
    }
  }

  async #askHandlers(event: RemoteConnectEvent): Promise<void> {
    const accepted = await this.#host.lifecycle.decide(event, this.#contextOf(event));
    if (accepted === undefined) this.connector.disconnect(event.connection, { now: true });
    // If the handlers have taken longer than acceptTimeout, or the server closes, it has no effect;
    // the event of the connection's end says so.
    else this.#accept(event, accepted.separate);
  }

  #accept(event: RemoteConnectEvent, separate: boolean): void {
    if (!event.finishAccept({ separate })) return;
    if (separate) this.#sessions.handOver(event.connection);
    else this.#sessions.find(event.connection)?.opened();
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
    const reason = isPikeError(error) ? error : undefined;
    const how = { finishQueues: true, deadline: 1_000 } as const;
    this.connector.disconnect(session.connection, how, reason);
  }

  #contextOf(event: LifecycleEvent<T>): PikeContext<T> {
    const { connection, type } = event;
    return new PikeContext<T>([connection, type, undefined, this.connector, this.peer(connection)]);
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
