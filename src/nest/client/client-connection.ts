import type { Connector } from '../../core/connector.js';
import { PikeError } from '../../core/errors.js';
import type { ConnectorEvent } from '../../core/events.js';
import type { Finish } from '../../core/finish.js';
import { unsent } from '../calls/calls.js';
import { endReasonOf } from '../calls/end-reason.js';
import type { Closed } from '../calls/end-reason.js';
import { Dispatcher } from '../handling/dispatcher.js';
import { Runs } from '../handling/runs.js';
import type { IncomingReply, OutgoingPacket } from '../packets/packets.js';
import { Groups } from '../push/groups.js';
import { Sessions } from '../session/sessions.js';
import type { Session, SessionOwner } from '../session/session.js';
import type { PikeClientSettings } from './client-options.js';

/** What a connection tells its client. */
export interface ClientConnectionHost<T> {
  /** Told of every event of the connector, first. */
  observe(event: ConnectorEvent<T>): void;
  /** The connection has ended. */
  ended(connection: ClientConnection<T>): void;
  /** Something failed that no caller waits for. */
  warn(error: unknown): void;
}

/** One connection of a client, from connecting to its end, and everything that waits on it. */
export class ClientConnection<T> {
  readonly connector: Connector<T>;
  readonly #settings: PikeClientSettings<T>;
  readonly #host: ClientConnectionHost<T>;
  readonly #giveUp = new AbortController();
  readonly #sessions: Sessions<T>;
  #session: Session<T> | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: PikeClientSettings<T>, host: ClientConnectionHost<T>) {
    this.#settings = settings;
    this.#host = host;
    this.connector = settings.createConnector((error) => host.warn(error));
    this.#sessions = new Sessions(this.#sessionOwner());
  }

  /** @throws PikeError (rejection) `PIKE_ERR_CONNECT_FAILED`, `PIKE_ERR_CONNECT_TIMEOUT`, `PIKE_ERR_CONNECT_ABORTED` */
  async open(): Promise<void> {
    const { connector } = this;
    connector.subscribe((event) => this.#happened(event));
    await connector.run();
    if (this.#closing !== undefined) throw closedEarly();
    const { signal } = this.#giveUp;
    const result = await connector.connectWaiting(this.#settings.endpoint, {
      signal,
      onFinish: (connection, success) => {
        if (success) this.#session = this.#sessions.begin(connection, 'open');
      },
    });
    if (result.success) return;
    await connector.shutdown({ now: true });
    throw unsent(result.error);
  }

  /** Sends a request. @returns gives it up: its replies are no longer wanted */
  request(packet: OutgoingPacket, onReply: (reply: IncomingReply) => void): () => void {
    return this.#opened.calls.request(packet, onReply);
  }

  /** Sends an event. Resolves once it is sent. @throws PikeError (rejection) with `delivery` if it is not */
  emit(packet: OutgoingPacket): Promise<void> {
    return this.#opened.calls.emit(packet);
  }

  /** Ends the connection; resolves when it has ended. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { mode, deadline } = this.#settings.shutdown;
    this.#giveUp.abort();
    await this.connector.shutdown({ [mode]: true, deadline } as Finish);
  }

  get #opened(): Session<T> {
    if (this.#session === undefined) throw new Error('open() has not resolved.');
    return this.#session;
  }

  #sessionOwner(): SessionOwner<T> {
    const { connector } = this;
    const warn = (error: unknown): void => this.#host.warn(error);
    const answers = this.#settings.correlation === 'id';
    const dispatcher = new Dispatcher(connector, NO_HANDLERS, new Runs());
    return {
      connector,
      settings: this.#settings,
      groups: new Groups(),
      // Where replies come in order a server cannot ask: what it sends unasked is an event.
      dispatch: (session, packet) =>
        dispatcher.dispatch(session, answers ? packet : { ...packet, id: undefined }),
      fail: (session, error) => {
        warn(error);
        session.end();
        connector.disconnect(session.connection, { now: true });
      },
      warn,
      report: warn,
    };
  }

  #happened(event: ConnectorEvent<T>): void {
    this.#host.observe(event);
    const session = this.#session;
    switch (event.type) {
      case 'messageReceived':
        session?.received(event.message);
        return;
      case 'rejectedMessage':
        if (session?.rejected(event.message, event.error) !== true) this.#host.warn(event.error);
        return;
      case 'finishDisconnect':
      case 'remoteDisconnect':
        this.#host.ended(this);
        this.#sessions.ended(
          event,
          endReasonOf(event, this.#closing === undefined ? undefined : CLIENT_CLOSED),
        );
        // The connector serves one connection: it goes with it.
        void this.connector.shutdown({ now: true });
        break;
      case 'finishConnect':
      case 'remoteConnect':
    }
  }
}

/** A client has no handlers: what the server asks of it is answered so. */
const NO_HANDLERS = {
  findHandler: () => null,
  noEventHandler: () => undefined,
  process: () => undefined,
  report: () => undefined,
};

/** What calls fail with that a client is closed before. */
const CLIENT_CLOSED: Closed = { code: 'PIKE_ERR_CLIENT_CLOSED', message: 'The client was closed.' };

/** The client was closed before it was connected. */
function closedEarly(): PikeError {
  return new PikeError('PIKE_ERR_CONNECT_ABORTED', 'The client was closed while connecting.', {
    delivery: 'unsent',
  });
}
