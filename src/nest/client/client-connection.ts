import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import type { Endpoint } from '../../core/endpoint.js';
import { PikeError } from '../../core/errors.js';
import type { Delivery } from '../../core/errors.js';
import type {
  ConnectorEvent,
  FinishDisconnectEvent,
  RemoteDisconnectEvent,
} from '../../core/events.js';
import type { Finish } from '../../core/finish.js';
import { endError } from '../calls/call.js';
import type { Call, RequestCall, RequestOwner } from '../calls/call.js';
import { unsent } from '../calls/calls.js';
import type { Calls } from '../calls/calls.js';
import { endReasonOf } from '../calls/end-reason.js';
import type { Closed } from '../calls/end-reason.js';
import { Dialler } from '../dialling/dialler.js';
import type { IncomingPacket } from '../packets/packets.js';
import type { Session } from '../session/session.js';
import type { Sessions } from '../session/sessions.js';
import { shutdownWayOf } from '../shutdown-options.js';
import type { PikeClientSettings } from './client-options.js';
import { createClientSessions } from './client-sessions.js';
import { OfflineQueue } from './offline-queue.js';

/** What a connection tells its client. */
export interface ClientConnectionHost<T> {
  /** Told of every event of the connector, first. */
  observe(event: ConnectorEvent<T>): void;
  /** It is connected, for the first time or again. */
  connected(connection: ClientConnection<T>): void;
  /** It was lost, and is being made again. */
  reconnecting(connection: ClientConnection<T>, reason: PikeError): void;
  /** It could not be made, or not be made again: it is of no use any more. */
  ended(connection: ClientConnection<T>): void;
  /** The server has sent an event. */
  unsolicited(connection: ClientConnection<T>, packet: IncomingPacket): void;
  /** Something failed that no caller waits for. */
  warn(error: unknown): void;
}

/**
 * connecting   → open: connected; closed: no endpoint could be connected to
 * open         → reconnecting: lost; closed: lost, and not made again
 * reconnecting → open; closed: given up
 * each of them → closing: close() was called; → closed: the connector has shut down
 */
type State = 'connecting' | 'open' | 'reconnecting' | 'closing' | 'closed';

/** Who has called connect() and is not told yet. */
interface Waiter {
  resolve: () => void;
  reject: (error: PikeError) => void;
}

/**
 * The connection of a client from `connect()` to `close()`, made again whenever it is lost, and what
 * waits for it meanwhile. One connector makes all of its connections.
 */
export class ClientConnection<T> implements RequestOwner<T> {
  readonly connector: Connector<T>;
  readonly #settings: PikeClientSettings<T>;
  readonly #host: ClientConnectionHost<T>;
  readonly #dialler: Dialler;
  readonly #offline: OfflineQueue<Call<T>>;
  readonly #sessions: Sessions<T>;
  #state: State = 'connecting';
  #waiters: Waiter[] = [];
  /** That of the present connection, or of the last. */
  #session: Session<T> | undefined;
  /** Those of the present connection, once everything that has waited for it is given to them. */
  #calls: Calls<T> | undefined;
  /** Why there is no connection. */
  #lastError: PikeError | undefined;
  #closed: Promise<void> | undefined;

  /** @throws what making the connector throws */
  constructor(settings: PikeClientSettings<T>, host: ClientConnectionHost<T>) {
    this.#settings = settings;
    this.#host = host;
    this.connector = settings.createConnector((error) => host.warn(error));
    this.#sessions = createClientSessions(this.connector, settings, {
      warn: (error) => host.warn(error),
      unsolicited: (packet) => host.unsolicited(this, packet),
    });
    this.#dialler = new Dialler(settings.endpoints, settings.reconnect, (endpoint, signal) =>
      this.#dial(endpoint, signal),
    );
    this.#offline = new OfflineQueue(settings.offlineTimeout, (call) =>
      call.reject(this.#offlineTooLong()),
    );
    void this.#start();
  }

  get state(): State {
    return this.#state;
  }

  /** Why there is no connection; `undefined` if there is one, or nothing has failed yet. */
  get lastError(): PikeError | undefined {
    return this.#lastError;
  }

  /**
   * Resolves when it is connected.
   * @throws PikeError (rejection) that of connecting, if it could not be made, or `PIKE_ERR_CONNECT_ABORTED`
   */
  connected(): Promise<void> {
    if (this.#state === 'open') return Promise.resolve();
    if (this.#closed !== undefined) return Promise.reject(closedEarly());
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** Sends a request or an event: now, or when it is connected. */
  give(call: Call<T>): void {
    if (this.#calls === undefined) this.#wait(call);
    else this.#calls.give(call);
  }

  /** Nobody waits for the replies to a request any more. */
  giveUp(request: RequestCall<T>): Delivery {
    if (this.#offline.delete(request)) return 'unsent';
    return this.#session?.calls.giveUp(request) ?? 'unsent';
  }

  /** Ends it, for good; resolves when it has ended. @param signal if one is the reason */
  close(signal?: string): Promise<void> {
    this.#closed ??= this.#close(signal);
    return this.#closed;
  }

  async #close(signal: string | undefined): Promise<void> {
    const { mode, deadline } = shutdownWayOf(this.#settings.shutdown, signal);
    this.#become('closing');
    this.#dialler.stop();
    this.#tellWaiters(closedEarly());
    this.#failOffline(closed());
    await this.connector.shutdown({ [mode]: true, deadline } as Finish);
    this.#become('closed');
  }

  /** The one mutator of the state. */
  #become(state: State): void {
    this.#state = state;
    if (state !== 'open') this.#calls = undefined;
  }

  async #start(): Promise<void> {
    try {
      await this.connector.run();
      this.connector.subscribe((event) => this.#happened(event));
      await this.#dialler.connect();
    } catch (thrown) {
      this.#over(unsent(thrown, 'PIKE_ERR_CONNECT_FAILED'));
    }
  }

  async #reconnect(): Promise<void> {
    try {
      await this.#dialler.reconnect((error) => (this.#lastError = error));
    } catch (thrown) {
      this.#over(unsent(thrown, 'PIKE_ERR_CONNECT_FAILED'));
    }
  }

  async #dial(endpoint: Endpoint, signal: AbortSignal): Promise<void> {
    const { error } = await this.connector.connectWaiting(endpoint, {
      signal,
      onFinish: (connection, connected) => {
        if (connected) this.#opened(connection);
      },
    });
    if (error !== undefined) throw error;
  }

  #opened(connection: Connection): void {
    if (this.#state !== 'connecting' && this.#state !== 'reconnecting') return;
    const session = this.#sessions.begin(connection, 'open');
    this.#session = session;
    this.#lastError = undefined;
    this.#become('open');
    // What has waited goes first; what a caller gives meanwhile goes behind.
    for (let call = this.#offline.shift(); call !== undefined; call = this.#offline.shift()) {
      session.calls.give(call);
    }
    if (!this.#isOpen) return;
    this.#calls = session.calls;
    this.#host.connected(this);
    this.#tellWaiters(undefined);
  }

  /** A getter, since callers that are told of a failure may close the client. */
  get #isOpen(): boolean {
    return this.#state === 'open';
  }

  #happened(event: ConnectorEvent<T>): void {
    this.#host.observe(event);
    const session = this.#session;
    // The application may have further connections of the same connector.
    if (session === undefined || event.connection !== session.connection) return;
    switch (event.type) {
      case 'messageReceived':
        session.received(event.message);
        return;
      case 'rejectedMessage':
        if (session.rejected(event.message, event.error)) return;
        // Of a connection that has ended, its last event says enough.
        if (event.error.code !== 'PIKE_ERR_DISCONNECTED') this.#host.warn(event.error);
        return;
      case 'finishDisconnect':
      case 'remoteDisconnect':
        this.#disconnected(event);
        break;
      case 'finishConnect':
      case 'remoteConnect':
    }
  }

  #disconnected(event: FinishDisconnectEvent<T> | RemoteDisconnectEvent<T>): void {
    const { connection } = event;
    const sessions = this.#sessions;
    if (this.#state !== 'open') {
      sessions.ended(connection, event, endReasonOf(event, CLIENT_CLOSED));
      return;
    }
    const reason = endReasonOf(event, undefined);
    const { reconnect, retryUnsent } = this.#settings;
    if (reconnect.attempts === 0) {
      sessions.ended(connection, event, reason);
      this.#over(endError(reason, 'unsent'));
      return;
    }
    this.#become('reconnecting');
    const lost = new PikeError(reason.code, reason.message, { cause: reason.cause });
    this.#lastError = lost;
    const resend = retryUnsent ? (calls: readonly Call<T>[]) => this.#putBack(calls) : undefined;
    sessions.ended(connection, event, reason, resend);
    void this.#reconnect();
    this.#host.reconnecting(this, lost);
  }

  #wait(call: Call<T>): void {
    const { maxOfflineMessages } = this.#settings;
    switch (this.#state) {
      case 'connecting':
      case 'open':
        // It does not take longer than connecting may take, or than giving what has come before.
        this.#offline.add(call, false);
        return;
      case 'reconnecting':
        if (this.#offline.length < maxOfflineMessages) this.#offline.add(call);
        else call.reject(queueFull(maxOfflineMessages, this.#lastError));
        return;
      case 'closing':
      case 'closed':
        call.reject(closed());
    }
  }

  /** Has come back from the connection that was lost: unsent, and worth sending again. */
  #putBack(calls: readonly Call<T>[]): void {
    if (this.#state === 'reconnecting') this.#offline.putBack(calls);
    else for (const call of calls) call.reject(closed());
  }

  /** It cannot be made, or not again. */
  #over(error: PikeError): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#lastError = error;
    this.#become('closed');
    this.#dialler.stop();
    this.#closed = this.#discard();
    // First, so that callers who try again at once are not given to this one.
    this.#host.ended(this);
    this.#tellWaiters(error);
    this.#failOffline(error);
  }

  async #discard(): Promise<void> {
    try {
      await this.connector.shutdown({ now: true });
    } catch (thrown) {
      this.#host.warn(thrown);
    }
  }

  #failOffline(error: PikeError): void {
    for (let call = this.#offline.shift(); call !== undefined; call = this.#offline.shift()) {
      call.reject(error);
    }
  }

  #tellWaiters(error: PikeError | undefined): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { resolve, reject } of waiters) {
      if (error === undefined) resolve();
      else reject(error);
    }
  }

  #offlineTooLong(): PikeError {
    return new PikeError(
      'PIKE_ERR_OFFLINE_TIMEOUT',
      `The client was not connected again within ${this.#settings.offlineTimeout} ms (offlineTimeout).`,
      { cause: this.#lastError, delivery: 'unsent' },
    );
  }
}

/** What calls fail with that a client is closed before. */
const CLIENT_CLOSED: Closed = { code: 'PIKE_ERR_CLIENT_CLOSED', message: 'The client was closed.' };

function closed(): PikeError {
  return endError({ ...CLIENT_CLOSED, cause: undefined }, 'unsent');
}

/** The client was closed before it was connected. */
function closedEarly(): PikeError {
  return new PikeError('PIKE_ERR_CONNECT_ABORTED', 'The client was closed while connecting.', {
    delivery: 'unsent',
  });
}

function queueFull(most: number, cause: PikeError | undefined): PikeError {
  return new PikeError(
    'PIKE_ERR_QUEUE_FULL',
    `The client is not connected, and ${most} messages wait already (maxOfflineMessages).`,
    { cause, delivery: 'unsent' },
  );
}
