import { Logger } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import { Observable } from 'rxjs';
import type { Connector } from '../../core/connector.js';
import { describeThrown, PikeError } from '../../core/errors.js';
import { readNumbers } from '../../core/options.js';
import { captureScope } from '../async-scope.js';
import { EventCall, RequestCall } from '../calls/call.js';
import type { ReplyMapping } from '../calls/call.js';
import { unsent } from '../calls/calls.js';
import { EventResult } from '../calls/event-result.js';
import { ConnectorObservers } from '../connector-observers.js';
import type { ObservedEvents } from '../connector-observers.js';
import { LogLimit } from '../log-limit.js';
import { showPattern } from '../packets/pattern.js';
import { ClientConnection } from './client-connection.js';
import type { ClientConnectionHost } from './client-connection.js';
import { withoutTokens } from '../injected-options.js';
import type { OptionSource, WithTokens } from '../injected-options.js';
import { CLIENT_LIMITS, readClientOptions } from './client-options.js';
import type { PikeClientOptions, PikeClientSettings } from './client-options.js';
import { EventFeeds } from './event-feeds.js';

/**
 * What `status` of a {@link PikeClient} emits, in the words of Nest's own clients: `'reconnecting'`
 * while a connection that was lost is being made again, `'disconnected'` when it was closed, could
 * not be made, or is not made again before the client is used.
 */
export type PikeClientStatus = 'connected' | 'disconnected' | 'reconnecting';

/** What a {@link PikeClient} is doing: as its `status`, and `'connecting'` for the first time since it was closed. */
export type PikeClientState = PikeClientStatus | 'connecting';

/** Options of one request. */
export interface SendOptions {
  /** As the client's `requestTimeout`, for this request, in ms; 0 for ever. Default: the client's. */
  timeout?: number;
}

/**
 * The client: `ClientsModule.register([{ name: 'MATH', customClass: PikeClient, options }])`, or
 * `new PikeClient(options)`. It connects when it is first used, once for all callers, and makes a
 * connection that was lost again, in the background, until it is closed. `T` is the type of the
 * converter's messages.
 *
 * A request or event that fails on the way does so with a `PikeError` whose `delivery` says whether
 * the server can have acted on it. (docs/client.md)
 */
export class PikeClient<T = unknown> extends ClientProxy<ObservedEvents<T>> {
  #settings: PikeClientSettings<T>;
  #readSettings: (() => PikeClientSettings<T>) | undefined;
  readonly #logger = new Logger(PikeClient.name);
  readonly #warnings = new LogLimit(MOST_LOGGED);
  readonly #observers = new ConnectorObservers<T>((error) => this.#logger.error(error));
  readonly #feeds = new EventFeeds((pattern) => this.normalizePattern(pattern as string));
  readonly #host: ClientConnectionHost<T> = {
    observe: (event) => this.#observers.observe(event),
    connected: (connection) => {
      if (connection === this.#current) this.#lastError = undefined;
      this.#changed(connection, 'connected');
    },
    reconnecting: (connection, reason) => {
      this.#warn(`The connection was lost, and is being made again: ${reason.message}`);
      this.#changed(connection, 'reconnecting');
    },
    ended: (connection) => {
      if (connection === this.#current) this.#lastError = connection.lastError;
      this.#forget(connection);
    },
    unsolicited: (connection, { pattern, data }) => {
      if (connection === this.#current) this.#feeds.deliver(pattern, data);
    },
    warn: (error) => this.#warn(describeThrown(error)),
  };
  readonly #scope = captureScope();
  /** By Nest's methods, which those who extend the client may override. */
  readonly #mapping: ReplyMapping = {
    response: (response) => this.serializeResponse(response),
    error: (err) => this.serializeError(err),
  };
  /** The present connection, from when it begins to connect. */
  #current: ClientConnection<T> | undefined;
  /** Why the last connection was given up. */
  #lastError: PikeError | undefined;
  /** Resolves when every connection that was closed, or given up, has ended. */
  #closing: Promise<unknown> = Promise.resolve();

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option */
  constructor(options: PikeClientOptions<T>) {
    super();
    this.#settings = readClientOptions(options);
  }

  /**
   * @internal Called by PikeModule: a client whose other options come from the application, and are
   * not known before its providers exist.
   */
  static register<T>(
    options: WithTokens<PikeClientOptions<T>>,
    source: OptionSource,
  ): PikeClient<T> {
    const client = new PikeClient<T>(withoutTokens<PikeClientOptions<T>>(options));
    client.#readSettings = () => readClientOptions<T>(options, source);
    return client;
  }

  /**
   * @internal Takes the options that come from the application, before the first connection.
   * @throws PikeError `PIKE_ERR_INVALID_OPTION`, `PIKE_ERR_NOT_INJECTED`, naming the option
   */
  completeSettings(): void {
    if (this.#readSettings === undefined) return;
    this.#settings = this.#readSettings();
    this.#readSettings = undefined;
  }

  /** What the client is doing at the moment. */
  get state(): PikeClientState {
    return this.#current === undefined ? 'disconnected' : STATES[this.#current.state];
  }

  /**
   * Why the client is not connected: how the last attempt to connect has failed, or the connection was
   * lost. `undefined` while it is connected, before it was first used, and when it was closed.
   */
  get lastError(): PikeError | undefined {
    return this.#current?.lastError ?? this.#lastError;
  }

  /** Emits the present status at once, if there has been any, and each change. */
  override get status(): Observable<PikeClientStatus> {
    return super.status as Observable<PikeClientStatus>;
  }

  /**
   * Connects, unless that is done or under way. While a lost connection is made again: waits for it.
   * @throws PikeError (rejection) `PIKE_ERR_CONNECT_FAILED`, `PIKE_ERR_CONNECT_TIMEOUT`,
   * `PIKE_ERR_CONNECT_ABORTED` if the client is closed meanwhile; `PIKE_ERR_NOT_INJECTED`
   */
  async connect(): Promise<void> {
    await this.#connection().connected();
  }

  /**
   * Sends what is queued (see the `shutdown` option) and ends the connection. Requests without a
   * reply fail, and so does what waits for a connection. Afterwards the client may be used again: it
   * connects anew. Resolves when every connection that was closed has ended.
   * @param signal the signal that ends the application, if one does: Nest gives its name to shutdown
   * hooks, and the `shutdown` option may name another way for it
   */
  async close(signal?: string): Promise<void> {
    const current = this.#current;
    if (current !== undefined) this.#forget(current, signal);
    this.#lastError = undefined;
    this.#feeds.complete();
    await Promise.all([this.#closing, current?.close(signal)]);
  }

  /** Calls back with each event of the connector of one type. */
  override on<Type extends keyof ObservedEvents<T>>(
    type: Type,
    callback: ObservedEvents<T>[Type],
  ): void {
    this.#observers.add(type, callback);
  }

  /**
   * The connector, from connect() to close().
   * @throws PikeError `PIKE_ERR_NOT_RUNNING` otherwise
   */
  unwrap<C = Connector<T>>(): C {
    if (this.#current === undefined) {
      throw new PikeError('PIKE_ERR_NOT_RUNNING', 'The client has no connector before connect().');
    }
    return this.#current.connector as C;
  }

  /**
   * Sends a request when subscribed to, each time; unsubscribing cancels it. Emits the replies.
   * @throws (by the Observable) the server's error, or a PikeError with `delivery`
   */
  override send<TResult = unknown, TInput = unknown>(
    pattern: unknown,
    data: TInput,
    { timeout }: SendOptions = {},
  ): Observable<TResult> {
    if (isNil(pattern) || isNil(data)) return super.send(pattern, data);
    return new Observable<TResult>((observer) => {
      if (timeout !== undefined) checkTimeout(timeout);
      const packet = this.#packetOf(pattern, data);
      return this.#request(new RequestCall<T>(packet, observer, this.#mapping), timeout);
    });
  }

  /**
   * Sends an event, at once. The Observable completes when it is sent. A failure to which nobody has
   * subscribed is logged.
   * @throws (by the Observable) a PikeError with `delivery`
   */
  override emit<TResult = unknown, TInput = unknown>(
    pattern: unknown,
    data: TInput,
  ): Observable<TResult> {
    if (isNil(pattern) || isNil(data)) return super.emit(pattern, data);
    const result = new EventResult<TResult>((error) =>
      this.#warn(
        `Nobody waits for the event ${shown(pattern)}, which failed: ${describeThrown(error)}`,
      ),
    );
    try {
      this.#give(new EventCall<T>(this.#packetOf(pattern, data), result));
    } catch (thrown) {
      result.fail(thrown);
    }
    return result.asObservable();
  }

  /**
   * The data of the events that the server sends, by pattern, which is matched as those of handlers
   * are: a text, or a map whatever the order of its keys. Hot: what comes when nobody has subscribed
   * is gone. It outlives lost connections, and completes on `close()`. Subscribing does not connect.
   */
  events<TData = unknown>(pattern: string | object): Observable<TData> {
    return this.#feeds.of(pattern) as Observable<TData>;
  }

  /** For those who extend the client: {@link send} does without. */
  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    const request = new RequestCall<T>(packet, {
      next: (response) => callback({ response }),
      error: (err) => callback({ err, isDisposed: true }),
      complete: () => callback({ isDisposed: true }),
    });
    this.#request(request);
    return () => request.unsubscribe();
  }

  protected dispatchEvent<Result>(packet: ReadPacket): Promise<Result> {
    return new Promise((resolve, failed) => {
      this.#give(new EventCall<T>(packet, { sent: () => resolve(undefined as Result), failed }));
    });
  }

  /** Nest 12 lets a hook add metadata to packets here; Nest 11 has neither. */
  #packetOf(pattern: unknown, data: unknown): ReadPacket {
    return typeof this.createPacket === 'function'
      ? this.createPacket(pattern, data)
      : { pattern, data };
  }

  #request(request: RequestCall<T>, timeout = this.#settings.requestTimeout): RequestCall<T> {
    this.#give(request);
    if (timeout > 0 && request.wanted) request.expireAfter(timeout);
    return request;
  }

  #give(call: RequestCall<T> | EventCall<T>): void {
    let connection;
    try {
      connection = this.#connection();
    } catch (thrown) {
      call.reject(unsent(thrown, 'PIKE_ERR_CONNECT_FAILED'));
      return;
    }
    if (call instanceof RequestCall) call.owner = connection;
    connection.give(call);
  }

  /** The present connection, or a new one. @throws what the `connector` option throws, or Nest has not resolved */
  #connection(): ClientConnection<T> {
    if (this.#current === undefined) this.completeSettings();
    // Whoever uses the client first has a context of its own, in which no other's replies may come.
    this.#current ??= this.#scope.runInAsyncScope(
      () => new ClientConnection<T>(this.#settings, this.#host),
    );
    return this.#current;
  }

  /** A connection is given up, or to be closed: the next use of the client makes another. */
  #forget(connection: ClientConnection<T>, signal?: string): void {
    if (this.#current !== connection) return;
    this.#current = undefined;
    this.#closing = Promise.allSettled([this.#closing, connection.close(signal)]);
    this._status$.next('disconnected');
  }

  #changed(connection: ClientConnection<T>, status: PikeClientStatus): void {
    if (this.#current === connection) this._status$.next(status);
  }

  /** Servers may cause any number of failures: they must not fill the log. */
  #warn(message: string): void {
    const addition = this.#warnings.pass();
    if (addition !== undefined) this.#logger.warn(message + addition);
  }
}

const STATES = {
  connecting: 'connecting',
  open: 'connected',
  reconnecting: 'reconnecting',
  closing: 'disconnected',
  closed: 'disconnected',
} as const satisfies Record<string, PikeClientState>;

/** How many entries may be logged in a minute. */
const MOST_LOGGED = 20;

const MOST_SHOWN_CHARACTERS = 200;

function shown(pattern: unknown): string {
  return JSON.stringify(showPattern(pattern).slice(0, MOST_SHOWN_CHARACTERS));
}

/** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
function checkTimeout(timeout: number): void {
  readNumbers('send', { timeout }, { timeout: CLIENT_LIMITS.requestTimeout });
}

function isNil(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}
