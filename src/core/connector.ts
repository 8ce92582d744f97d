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
  /**
   * Gives up connecting when aborted, as a failure to connect whose `cause` is the signal's reason;
   * aborted already, it does not begin. Has no effect once connected, TLS agreed on.
   */
  signal?: AbortSignal;
}

/** Options of {@link Connector.connectWaiting}. */
export interface ConnectWaitingOptions extends ConnectOptions {
  /**
   * Called with the result. The events of the connection wait until it has returned, or, with
   * `separate`, for `receiveFrom`, which it may call itself, as it may `merge`. If it throws or rejects,
   * the connection is disconnected with `now` and `connectWaiting` rejects. `shutdown` does not wait for
   * it: the events are delivered then.
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
 * A connector is used once: `run`, then anything, then `shutdown`. What is called at another time, or
 * with what it cannot take, has an outcome of its own, stated with each method: a method that returns
 * a promise rejects, any other throws at once, and nothing has been done then. Every method that takes
 * a connection refuses, with `PIKE_ERR_FOREIGN_CONNECTION`, whatever this connector has not made. One
 * that has ended is no mistake: its peer may have left just now.
 */
export interface Connector<T> {
  /**
   * Starts the connector; must have resolved before it connects. Listens if the connector was given
   * a port or a path. If `shutdown` is called meanwhile, it resolves all the same, and nothing listens.
   * @throws PikeError (rejection) `PIKE_ERR_LISTEN_FAILED`, with the system's error as `cause`: then
   * make a new connector; `PIKE_ERR_ALREADY_RUNNING` whenever it has been called before, or `shutdown`
   */
  run(): Promise<void>;

  /** Where the connector listens, with the real port when 0 was asked for; `undefined` if it does not. */
  readonly address: Endpoint | undefined;

  /** The connections whose last event has not come yet. */
  readonly connections: Iterable<Connection>;

  /** Whether a connection is one of {@link connections}; a foreign one, or what is none, is not. */
  has(connection: Connection): boolean;

  /**
   * Begins to connect. Messages may be sent at once: they wait. A FinishConnect event says how it went,
   * whatever the reason it failed for: it is never thrown.
   * @throws PikeError `PIKE_ERR_NOT_RUNNING` before `run` has resolved, or if it has rejected;
   * `PIKE_ERR_SHUT_DOWN` once `shutdown` has been called; `PIKE_ERR_INVALID_ENDPOINT`,
   * `PIKE_ERR_INVALID_OPTION`
   */
  connect(endpoint: Endpoint, options?: ConnectOptions): Connection;

  /**
   * Connects and waits for the result, which it returns instead of a FinishConnect event; a failure
   * to connect is a result, too. The event comes only if there is no result, `onFinish` having thrown,
   * and messages given meanwhile would be lost with it.
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

  /**
   * Resolves once no more than `lowWaterMark` messages wait, or the connection has ended.
   * @throws PikeError (rejection) `PIKE_ERR_FOREIGN_CONNECTION`
   */
  drained(connection: Connection): Promise<void>;

  /**
   * Resolves once everything given to `send` so far was sent; messages withdrawn meanwhile do not
   * count. Of a connection that has ended: at once, if everything ever given was sent.
   * @throws PikeError (rejection) `PIKE_ERR_MESSAGE_RETURNED` if any of it came back, and from then on
   * if the connection ended with it; `PIKE_ERR_FOREIGN_CONNECTION`
   */
  flushed(connection: Connection): Promise<void>;

  /**
   * Takes back a message of which no byte has left (the earliest, if it was given more than once).
   * @returns whether it was taken back; then no event mentions it. False if it was never given, or the
   * connection has ended
   * @throws PikeError `PIKE_ERR_FOREIGN_CONNECTION`
   */
  withdraw(connection: Connection, message: T): boolean;

  /**
   * Stops reading from a connection, so that its peer is slowed down by the transport. (As
   * `Readable.pause` of Node's streams.) Messages of what has been read already, 64 KiB or so, still
   * come. A connection that is paused is deaf: it notices neither that its peer ends or vanishes, nor
   * anything that the peer asks; it still sends, and ends when it is told to. May be called before
   * the connection is open, and again; of a connection that has ended it does nothing.
   * @throws PikeError `PIKE_ERR_FOREIGN_CONNECTION`
   */
  pause(connection: Connection): void;

  /**
   * Goes on reading after {@link pause}, however often that was called; otherwise does nothing.
   * @throws PikeError `PIKE_ERR_FOREIGN_CONNECTION`
   */
  resume(connection: Connection): void;

  /**
   * The next event of the shared queue; `undefined` once `shutdown` has resolved and the queue is
   * empty. Several calls at a time get an event each, in their order. May be called before `run`.
   * @throws PikeError (rejection) `PIKE_ERR_SUBSCRIBED`
   */
  receive(): Promise<ConnectorEvent<T> | undefined>;

  /**
   * The next event of a connection that is managed separately; `undefined` once it is merged, or its
   * last event has come and its queue is empty. Called several times at once, it gives the events in
   * the order of the calls. Who takes an event is the only one to see it: that the connection has
   * ended, for one, is then not told to the shared queue.
   * @throws PikeError (rejection) `PIKE_ERR_NOT_SEPARATE`, also after {@link merge};
   * `PIKE_ERR_FOREIGN_CONNECTION`
   */
  receiveFrom(connection: Connection): Promise<ConnectorEvent<T> | undefined>;

  /**
   * Hands a separate queue over to the shared one, order kept; a pending `receiveFrom` resolves
   * `undefined`. Works after the connection's end, too, for what has not been taken.
   * @throws PikeError `PIKE_ERR_NOT_SEPARATE`, also when called again; `PIKE_ERR_FOREIGN_CONNECTION`
   */
  merge(connection: Connection): void;

  /**
   * Calls `listener` with each event of the shared queue, at once and in order: the fast way. What it
   * throws goes to the `onError` option. May be called before `run`; what waits is delivered first.
   * @returns ends the subscription, also from within the listener; later events wait. Harmless when
   * called again
   * @throws PikeError `PIKE_ERR_SUBSCRIBED` when there is a subscription, or a pending `receive`;
   * `PIKE_ERR_INVALID_OPTION` unless the listener is a function
   */
  subscribe(listener: (event: ConnectorEvent<T>) => void): () => void;

  /**
   * Refuses new connections from now on and keeps the present ones. Resolves once nothing listens; while
   * `run` is under way, behind it. When nothing listens, before `run` too, it does nothing.
   */
  stopListening(): Promise<void>;

  /**
   * Ends every connection, each as `disconnect` would, and refuses new ones; those still connecting
   * or arriving are terminated. Resolves when all have ended: without a `deadline`, a peer or a
   * converter that never lets everything be sent keeps it waiting. Called again, it joins the first
   * call, which ends sooner if that is asked. May be called at any time: before `run`, after it has
   * failed, and from within a listener or a converter.
   * @throws PikeError (rejection) `PIKE_ERR_INVALID_FINISH`: nothing is shut down
   */
  shutdown(how: Finish): Promise<void>;

  /** `for await (const event of connector)`: as {@link receive}, until shutdown. */
  [Symbol.asyncIterator](): AsyncIterator<ConnectorEvent<T>>;
}
