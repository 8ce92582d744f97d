import type { Connection } from './connection.js';
import type { Endpoint } from './endpoint.js';
import type { PikeError } from './errors.js';
import type { ConnectorEvent } from './events.js';
import type { Finish } from './finish.js';

/** Options of {@link Connector.connect}. */
export interface ConnectOptions {
  /** Whether the events of the connection go to a queue of its own, see `receiveFrom`. Default: false. */
  separate?: boolean;
  /** How long connecting may take, in ms. Default: the connector's `connectTimeout`. */
  timeout?: number;
  /** Gives up connecting when aborted. Has no effect once connected. */
  signal?: AbortSignal;
}

/** Options of {@link Connector.connectWaiting}. */
export interface ConnectWaitingOptions extends ConnectOptions {
  /**
   * Called with the result. The events of the connection wait until it has returned; if it throws
   * or rejects, the connection is disconnected with `now` and `connectWaiting` rejects.
   */
  onFinish?: (connection: Connection, success: boolean) => void | Promise<void>;
}

/** The result of {@link Connector.connectWaiting}. */
export interface ConnectResult<T> {
  connection: Connection;
  success: boolean;
  /** After a failure: the messages given to `send` meanwhile. */
  queued: readonly T[];
  /** After a failure: why. */
  error?: Error;
}

/**
 * The hub through which connections are managed and messages are sent and received (Pike's README,
 * Connectors). `T` is the type of the messages; the converter decides how they look on the wire.
 *
 * A connector is used once: `run`, then anything, then `shutdown`.
 */
export interface Connector<T> {
  /**
   * Starts the connector; must have resolved before anything else is called. Listens if the
   * connector was given a port or a path.
   * @throws PikeError (rejection) `PIKE_ERR_LISTEN_FAILED`, with the system's error as `cause`;
   * `PIKE_ERR_ALREADY_RUNNING`
   */
  run(): Promise<void>;

  /** Where the connector listens, with the real port when 0 was asked for; `undefined` if it does not. */
  readonly address: Endpoint | undefined;

  /** The connections whose last event has not come yet. */
  readonly connections: Iterable<Connection>;

  /**
   * Begins to connect. Messages may be sent at once: they wait. A FinishConnect event says how it went.
   * @throws PikeError `PIKE_ERR_NOT_RUNNING`, `PIKE_ERR_SHUT_DOWN`, `PIKE_ERR_INVALID_ENDPOINT`,
   * `PIKE_ERR_INVALID_OPTION`
   */
  connect(endpoint: Endpoint, options?: ConnectOptions): Connection;

  /**
   * Connects and waits for the result, which it returns instead of a FinishConnect event.
   * @throws PikeError (rejection) as {@link connect}; whatever `onFinish` throws
   */
  connectWaiting(endpoint: Endpoint, options?: ConnectWaitingOptions): Promise<ConnectResult<T>>;

  /**
   * Begins to disconnect; a FinishDisconnect event says what was not sent. Called again, the way
   * that ends sooner counts. Of a connection that has ended: does nothing.
   * @param reason the `error` of that event, if there is a fault to tell of. Default: none.
   * @throws PikeError `PIKE_ERR_INVALID_FINISH`, `PIKE_ERR_FOREIGN_CONNECTION`
   */
  disconnect(connection: Connection, how: Finish, reason?: PikeError): void;

  /**
   * Queues a message. It is serialized when the connection can take it, so do not change it
   * afterwards. Whatever happens, it is either wholly handed to the operating system or comes back
   * in exactly one event.
   * @returns false when more messages wait than `highWaterMark`, or the message was rejected: stop,
   * and go on after {@link drained}. (As `Writable.write` of Node's streams.)
   * @throws PikeError `PIKE_ERR_SHUT_DOWN` once `shutdown` has resolved; `PIKE_ERR_FOREIGN_CONNECTION`
   */
  send(connection: Connection, message: T): boolean;

  /** Resolves once no more than `lowWaterMark` messages wait, or the connection has ended. */
  drained(connection: Connection): Promise<void>;

  /**
   * Resolves once everything given to `send` so far was sent; messages withdrawn meanwhile do not count.
   * @throws PikeError (rejection) `PIKE_ERR_MESSAGE_RETURNED` if any of it came back
   */
  flushed(connection: Connection): Promise<void>;

  /**
   * Takes back a message of which no byte has left (the earliest, if it was given more than once).
   * @returns whether it was taken back; then no event mentions it
   */
  withdraw(connection: Connection, message: T): boolean;

  /**
   * The next event of the shared queue; `undefined` once `shutdown` has resolved and the queue is empty.
   * @throws PikeError (rejection) `PIKE_ERR_SUBSCRIBED`
   */
  receive(): Promise<ConnectorEvent<T> | undefined>;

  /**
   * The next event of a connection that is managed separately; `undefined` once it is merged, or has
   * ended and its queue is empty.
   * @throws PikeError (rejection) `PIKE_ERR_NOT_SEPARATE`
   */
  receiveFrom(connection: Connection): Promise<ConnectorEvent<T> | undefined>;

  /**
   * Hands a separate queue over to the shared one, order kept; a pending `receiveFrom` resolves `undefined`.
   * @throws PikeError `PIKE_ERR_NOT_SEPARATE`
   */
  merge(connection: Connection): void;

  /**
   * Calls `listener` with each event of the shared queue, at once and in order: the fast way. What it
   * throws goes to the `onError` option.
   * @returns ends the subscription
   * @throws PikeError `PIKE_ERR_SUBSCRIBED` when there is a subscription, or a pending `receive`
   */
  subscribe(listener: (event: ConnectorEvent<T>) => void): () => void;

  /** Refuses new connections from now on and keeps the present ones. Resolves once nothing listens. */
  stopListening(): Promise<void>;

  /**
   * Ends every connection, each as `disconnect` would, and refuses new ones; those still connecting
   * or arriving are terminated. Resolves when all have ended. Called again, it joins the first call,
   * which ends sooner if that is asked.
   * @throws PikeError (rejection) `PIKE_ERR_INVALID_FINISH`
   */
  shutdown(how: Finish): Promise<void>;

  /** `for await (const event of connector)`: as {@link receive}, until shutdown. */
  [Symbol.asyncIterator](): AsyncIterator<ConnectorEvent<T>>;
}
