import { Logger } from '@nestjs/common';
import { ClientProxy } from '@nestjs/microservices';
import type { ReadPacket, WritePacket } from '@nestjs/microservices';
import { AsyncSubject, Observable } from 'rxjs';
import type { Observer } from 'rxjs';
import type { Connector } from '../../core/connector.js';
import { PikeError, toError } from '../../core/errors.js';
import type { ConnectorEvent } from '../../core/events.js';
import { ConnectorObservers } from '../connector-observers.js';
import type { ObservedEvents } from '../connector-observers.js';
import { ClientConnection } from './client-connection.js';
import { withoutTokens } from '../injected-options.js';
import type { OptionSource, WithTokens } from '../injected-options.js';
import { readClientOptions } from './client-options.js';
import type { PikeClientOptions, PikeClientSettings } from './client-options.js';
import { hasError } from '../calls/correlator.js';

/** What `status` of a {@link PikeClient} emits. */
export type PikeClientStatus = 'connected' | 'disconnected';

/**
 * The client: `ClientsModule.register([{ name: 'MATH', customClass: PikeClient, options }])`, or
 * `new PikeClient(options)`. It connects when it is first used, once for all callers, and again
 * after the connection has ended. `T` is the type of the converter's messages.
 *
 * A request or event that fails on the way does so with a `PikeError` whose `delivery` says whether
 * the server can have acted on it.
 */
export class PikeClient<T = unknown> extends ClientProxy<ObservedEvents<T>> {
  #settings: PikeClientSettings<T>;
  #readSettings: (() => PikeClientSettings<T>) | undefined;
  readonly #logger = new Logger(PikeClient.name);
  readonly #observers = new ConnectorObservers<T>((error) => this.#logger.error(error));
  /** The present connection, from when it begins to connect. */
  #current: ClientConnection<T> | undefined;
  /** Settles when the present connection is open. */
  #opening: Promise<void> | undefined;
  #open = false;
  /** Settles when the connection that was closed last has ended. */
  #closing: Promise<void> | undefined;

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

  /** Emits whether the client is connected, at once and at each change. */
  override get status(): Observable<PikeClientStatus> {
    return super.status as Observable<PikeClientStatus>;
  }

  /**
   * Connects, unless that is done or under way.
   * @throws PikeError (rejection) `PIKE_ERR_CONNECT_FAILED`, `PIKE_ERR_CONNECT_TIMEOUT`,
   * `PIKE_ERR_CONNECT_ABORTED` if the client is closed meanwhile; `PIKE_ERR_NOT_INJECTED`
   */
  connect(): Promise<void> {
    if (this.#opening !== undefined) return this.#opening;
    try {
      this.completeSettings();
    } catch (error) {
      return Promise.reject(toError(error));
    }
    this.#opening = this.#connect();
    return this.#opening;
  }

  /**
   * Sends what is queued (see the `shutdown` option) and ends the connection. Requests without a
   * reply fail. Afterwards the client may be used again: it connects anew.
   * @param signal the signal that ends the application, if one does: Nest gives its name to shutdown
   * hooks, and the `shutdown` option may name another way for it
   */
  async close(signal?: string): Promise<void> {
    const current = this.#current;
    if (current !== undefined) {
      this.#forget(current);
      this.#closing = current.close(signal);
    }
    await this.#closing;
  }

  /** Calls back with each event of the connector of one type. */
  override on<Type extends keyof ObservedEvents<T>>(
    type: Type,
    callback: ObservedEvents<T>[Type],
  ): void {
    this.#observers.add(type, callback);
  }

  /**
   * The connector of the present connection.
   * @throws PikeError `PIKE_ERR_NOT_RUNNING` unless connected
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
  ): Observable<TResult> {
    if (isNil(pattern) || isNil(data)) return super.send(pattern, data);
    return new Observable<TResult>((observer) => {
      const publish = (): (() => void) =>
        this.publish(this.#packetOf(pattern, data), this.createObserver(observer));
      if (this.#open) return publish();
      let cancel: (() => void) | undefined;
      let wanted = true;
      this.connect()
        .then(() => {
          if (wanted) cancel = publish();
        })
        .catch((error: unknown) => observer.error(error));
      return () => {
        wanted = false;
        cancel?.();
      };
    });
  }

  /**
   * Sends an event, at once. The Observable completes when it is sent.
   * @throws (by the Observable) a PikeError with `delivery`
   */
  override emit<TResult = unknown, TInput = unknown>(
    pattern: unknown,
    data: TInput,
  ): Observable<TResult> {
    if (isNil(pattern) || isNil(data)) return super.emit(pattern, data);
    const outcome = new AsyncSubject<TResult>();
    const sent = this.#emit<TResult>(pattern, data);
    sent.then(
      (result) => {
        outcome.next(result);
        outcome.complete();
      },
      (error: unknown) => outcome.error(error),
    );
    return outcome.asObservable();
  }

  protected publish(packet: ReadPacket, callback: (packet: WritePacket) => void): () => void {
    if (this.#current === undefined) {
      callback({ err: notConnected() });
      return () => undefined;
    }
    return this.#current.request(packet, callback);
  }

  protected async dispatchEvent<Result>(packet: ReadPacket): Promise<Result> {
    if (this.#current === undefined) throw notConnected();
    await this.#current.emit(packet);
    return undefined as Result;
  }

  async #emit<TResult>(pattern: unknown, data: unknown): Promise<TResult> {
    if (!this.#open) await this.connect();
    return this.dispatchEvent<TResult>(this.#packetOf(pattern, data));
  }

  /** Nest takes an error for one only if it is truthy; a protocol may have others. */
  protected override createObserver<Result>(
    observer: Observer<Result>,
  ): (packet: WritePacket) => void {
    const observe = super.createObserver(observer);
    return (packet) => {
      if (hasError(packet)) observer.error(this.serializeError(packet.err));
      else observe(packet);
    };
  }

  /** Nest 12 lets a hook add metadata to packets here; Nest 11 has neither. */
  #packetOf(pattern: unknown, data: unknown): ReadPacket {
    return typeof this.createPacket === 'function'
      ? this.createPacket(pattern, data)
      : { pattern, data };
  }

  async #connect(): Promise<void> {
    const connection = new ClientConnection<T>(this.#settings, {
      observe: (event: ConnectorEvent<T>) => this.#observers.observe(event),
      ended: (ended) => this.#forget(ended),
      warn: (error) => this.#logger.warn(error instanceof Error ? error.message : error),
    });
    this.#current = connection;
    try {
      await connection.open();
    } catch (error) {
      this.#forget(connection);
      throw error;
    }
    if (this.#current !== connection) {
      throw new PikeError(
        'PIKE_ERR_CONNECT_ABORTED',
        'The connection ended, or the client was closed, while it was connecting.',
        {
          delivery: 'unsent',
        },
      );
    }
    this.#open = true;
    this.#status('connected');
  }

  /** A connection has ended, or is closed: the next use of the client makes another. */
  #forget(connection: ClientConnection<T> | undefined): void {
    if (connection === undefined || this.#current !== connection) return;
    this.#current = undefined;
    this.#opening = undefined;
    if (this.#open) this.#status('disconnected');
    this.#open = false;
  }

  #status(status: PikeClientStatus): void {
    this._status$.next(status);
  }
}

function isNil(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function notConnected(): PikeError {
  return new PikeError('PIKE_ERR_NOT_RUNNING', 'The client is not connected.', {
    delivery: 'unsent',
  });
}
