import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { watchHandshakes } from '../../core/diagnostics.js';
import { showEndpoint } from '../../core/endpoint.js';
import type { PikeError } from '../../core/errors.js';
import type {
  ConnectorEvent,
  FinishConnectEvent,
  FinishDisconnectEvent,
  RemoteConnectEvent,
  RemoteDisconnectEvent,
} from '../../core/events.js';
import { NO_LEFTOVERS } from '../../core/events.js';
import { endReasonOf } from '../calls/end-reason.js';
import type { Closed } from '../calls/end-reason.js';
import { PikeContext } from '../pike-context.js';
import type { ContextPeer } from '../pike-context.js';
import { Dispatcher } from '../handling/dispatcher.js';
import type { HandlerAccess } from '../handling/dispatcher.js';
import type { Recipient } from '../push/broadcast.js';
import type { Groups } from '../push/groups.js';
import { Dialling } from './dialling.js';
import { drain } from './draining.js';
import type { LifecycleEvent, LifecycleHandlers } from './lifecycle-handlers.js';
import { INTERRUPTED } from '../handling/refusals.js';
import { Runs } from '../handling/runs.js';
import { within } from '../handling/within.js';
import type { PikeServerSettings } from './server-options.js';
import { faultOf } from '../session/fault.js';
import type { Session } from '../session/session.js';
import { Sessions } from '../session/sessions.js';
import type { ShutdownWay } from '../shutdown-options.js';

/**
 * What a server is doing: it listens; or it only connects, and is connected to one of its endpoints at
 * least, or to none; it shuts down; or it does nothing, not yet or not any more.
 */
export type PikeServerState = 'listening' | 'connected' | 'disconnected' | 'draining' | 'closed';

/** What a serving period needs of its server. */
export interface ServingHost<T> extends HandlerAccess<T> {
  readonly settings: PikeServerSettings<T>;
  readonly lifecycle: LifecycleHandlers<T>;
  readonly groups: Groups<Session<T>>;
  createConnector(): Connector<T>;
  /** {@link Serving.connected} may have changed. */
  connectedChanged(): void;
  /** Told of every event of the connector, first. */
  observe(event: ConnectorEvent<T>): void;
  /** A peer has misbehaved, or could not be sent what it waits for. */
  warn(error: unknown): void;
  /** A peer has not got through TLS. */
  handshakeFailed(error: PikeError): void;
  /** A handler, or other code of the application, failed in a way of which no peer is told. */
  report(error: unknown): void;
}

/** A server from `listen` to `close`: one connector, and what is known of each of its connections. */
export class Serving<T> {
  readonly connector: Connector<T>;
  readonly #host: ServingHost<T>;
  readonly #sessions: Sessions<T>;
  readonly #dialling: Dialling;
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
    const connector = host.createConnector();
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
    const { endpoints, reconnect } = host.settings;
    this.#dialling = new Dialling(endpoints, reconnect, {
      connect: (endpoint, signal) => connector.connect(endpoint, { signal }),
      warn: (error) => host.warn(error),
    });
    this.#dispatcher = new Dispatcher(connector, host, this.#runs);
  }

  async start(): Promise<void> {
    const endings = [
      this.connector.subscribe((event) => this.#happened(event)),
      watchHandshakes(this.connector, (error) => this.#host.handshakeFailed(error)),
    ];
    this.#unsubscribe = () => endings.forEach((end) => end());
    try {
      await this.connector.run();
      if (!this.#draining) this.#dialling.start();
    } catch (error) {
      this.#unsubscribe();
      throw error;
    }
  }

  /** Whether it listens, or is connected to one of the endpoints that it keeps a connection to. */
  get connected(): boolean {
    return this.connector.address !== undefined || this.#dialling.connected;
  }

  get state(): Exclude<PikeServerState, 'closed'> {
    if (this.#closed !== undefined) return 'draining';
    if (this.connector.address !== undefined) return 'listening';
    return this.#dialling.connected ? 'connected' : 'disconnected';
  }

  /** The connections that it serves; some may not be accepted yet. */
  get recipients(): Iterable<Recipient> {
    return this.#sessions;
  }

  /** The other end of a connection. */
  peer(connection: Connection): ContextPeer {
    return this.#sessions.of(connection);
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
          this.#dialling.stop();
          this.#dispatcher.refuse();
          for (const { answers } of this.#sessions) answers.refuseWaiting();
          return this.connector.stopListening();
        },
        handlersIdle: (ms) =>
          Promise.all([
            this.#runs.idle(ms),
            this.#lifecycleRuns.idle(ms),
            this.#eachWithin(ms, ({ deserializing }) => deserializing),
          ]),
        interrupt: (tell) => {
          const refusal = tell ? INTERRUPTED : undefined;
          for (const { answers } of this.#sessions) answers.stop(refusal);
          this.#dispatcher.stopEventStreams();
        },
        serialized: (ms) => this.#eachWithin(ms, ({ serializing }) => serializing),
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

  /** Waits for something of every session, for `ms` at most. */
  #eachWithin(ms: number, of: (session: Session<T>) => Promise<void> | undefined): Promise<void> {
    return within(ms, Promise.all(Array.from(this.#sessions, async (session) => of(session))));
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
        this.#warnOfFault(event);
        this.#sessions.ended(event.connection, event, endReasonOf(event, this.#closedReason));
        this.#dialling.ended(event.connection);
        this.#host.connectedChanged();
        break;
      case 'finishConnect':
        this.#finishConnect(event);
        this.#dialling.finished(event);
        this.#host.connectedChanged();
    }
    this.#announce(event);
  }

  get #closedReason(): Closed | undefined {
    return this.#draining ? SERVER_CLOSED : undefined;
  }

  /** Whose session it is, begun with the first that is heard of the connection. */
  #receiver(connection: Connection): Session<T> {
    return this.#sessions.find(connection) ?? this.#sessions.begin(connection, 'open');
  }

  #finishConnect({ connection, success, queued, error }: FinishConnectEvent<T>): void {
    if (success) {
      this.#receiver(connection);
      return;
    }
    const reason = endReasonOf({ type: 'finishDisconnect', error }, this.#closedReason);
    this.#sessions.ended(connection, { ...NO_LEFTOVERS, queued }, reason);
  }

  /** Says why a connection had to be ended. Of what was wrong with its packets, {@link #fail} has said it. */
  #warnOfFault({ type, connection, error }: ConnectionEnd<T>): void {
    if (type === 'remoteDisconnect' || error === undefined || this.#draining) return;
    if (this.#sessions.find(connection)?.state !== 'ended')
      this.#host.warn(ended(connection, error));
  }

  /** Accepts or refuses a peer. */
  #decide(event: RemoteConnectEvent): void {
    this.#sessions.begin(event.connection, 'arriving');
    if (this.#draining) {
      this.connector.disconnect(event.connection, { now: true });
    } else if (this.#host.lifecycle.has(event.type)) {
      this.#lifecycleRuns.begin();
      void this.#askHandlers(event).finally(() => this.#lifecycleRuns.end());
    } else {
      this.#accept(event, false);
    }
  }

  async #askHandlers(event: RemoteConnectEvent): Promise<void> {
    const accepted = await this.#host.lifecycle.decide(event, this.#contextOf(event));
    if (accepted === undefined || this.#draining) {
      this.connector.disconnect(event.connection, { now: true });
    } else {
      // If the handlers have taken longer than acceptTimeout it has no effect; the event of the
      // connection's end says so.
      this.#accept(event, accepted.separate);
    }
  }

  #accept(event: RemoteConnectEvent, separate: boolean): void {
    if (!event.finishAccept({ separate })) return;
    if (separate) this.#sessions.handOver(event.connection);
    else this.#sessions.find(event.connection)?.opened();
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
    const how = { finishQueues: true, deadline: 1_000 } as const;
    this.connector.disconnect(session.connection, how, faultOf(error));
  }

  #contextOf(event: LifecycleEvent<T>): PikeContext<T> {
    const { connection, type } = event;
    return new PikeContext<T>([connection, type, undefined, this.connector, this.peer(connection)]);
  }
}

/** What our own calls fail with when the server closes. */
const SERVER_CLOSED: Closed = { code: 'PIKE_ERR_SHUT_DOWN', message: 'The server was closed.' };

type ConnectionEnd<T> = FinishDisconnectEvent<T> | RemoteDisconnectEvent<T>;

function ended({ id, remote }: Connection, error: Error): Error {
  const peer = remote === undefined ? '' : ` of ${showEndpoint(remote)}`;
  // A converter may tell what it was sent: a peer must not write lines of its own into the log.
  const why = error.message.slice(0, MOST_SHOWN_CHARACTERS).replace(/\p{Cc}/gu, ' ');
  return new Error(`Connection ${id}${peer} was ended: ${why}`, { cause: error });
}

const MOST_SHOWN_CHARACTERS = 500;

function eventsRefused(count: number): Error {
  return new Error(
    `${count} events came while the server was shutting down, and were not handled.`,
  );
}
