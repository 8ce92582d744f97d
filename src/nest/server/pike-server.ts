import type { SecureContextOptions } from 'node:tls';
import { Server } from '@nestjs/microservices';
import type { CustomTransportStrategy, MessageHandler } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import type { Endpoint } from '../../core/endpoint.js';
import { PikeError, describeThrown, isPikeError } from '../../core/errors.js';
import type { ConnectorEvent } from '../../core/events.js';
import { ConnectorObservers } from '../connector-observers.js';
import type { ObservedEvents } from '../connector-observers.js';
import { lifecycleTypeOf } from '../lifecycle.js';
import type { LifecycleOptions } from '../lifecycle.js';
import { LogLimit } from '../log-limit.js';
import type { PikeContext } from '../pike-context.js';
import { AbsentPeer } from '../push/absent-peer.js';
import { broadcast } from '../push/broadcast.js';
import type { BroadcastOptions, BroadcastResult } from '../push/broadcast.js';
import { Group } from '../push/group.js';
import { Groups } from '../push/groups.js';
import type { PeerVerbs } from '../push/peer-verbs.js';
import type { Session } from '../session/session.js';
import { PIKE_TRANSPORT } from '../transport.js';
import { Certificates } from './certificates.js';
import { LifecycleHandlers } from './lifecycle-handlers.js';
import { soloHandler } from '../handling/event-handlers.js';
import { runHooked } from '../handling/processing.js';
import type { Processing, ProcessingEndHook, ProcessingStartHook } from '../handling/processing.js';
import { Router } from '../handling/router.js';
import type { OptionSource } from '../injected-options.js';
import { readShutdownWay, shutdownWayOf } from '../shutdown-options.js';
import type { PikeShutdownWay } from '../shutdown-options.js';
import { checkServerOptions, readServerOptions } from './server-options.js';
import type { PikeServerOptions, PikeServerSettings } from './server-options.js';
import { Serving } from './serving.js';
import type { PikeServerState } from './serving.js';

/** What `status` of a {@link PikeServer} emits: whether it listens or, if it only connects, is connected. */
export type PikeServerStatus = 'connected' | 'disconnected';

const BRAND = Symbol.for('nestjs-pike.PikeServer');

/** Whether a value is a {@link PikeServer}, also of another copy of this package. */
export function isPikeServer(value: unknown): value is PikeServer {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/**
 * The transport strategy: `NestFactory.createMicroservice(AppModule, { strategy: new PikeServer(options) })`.
 *
 * Received messages reach `@MessagePattern` and `@EventPattern` handlers; what happens to connections
 * reaches the handlers of `PikeLifecycle` patterns. `T` is the type of the converter's messages.
 */
export class PikeServer<T = unknown>
  extends Server<ObservedEvents<T>, PikeServerStatus>
  implements CustomTransportStrategy
{
  // A plain field: Nest 12 defines one in the base class, which would hide an accessor.
  override transportId: symbol = PIKE_TRANSPORT;
  /** Failures of event handlers are logged here; Nest would log every peer that a guard refuses. */
  override readonly propagatesEventHandlerErrors = true;
  /** @internal */
  readonly [BRAND] = true;
  /** @internal */
  settings: PikeServerSettings<T>;
  /** @internal */
  readonly lifecycle = new LifecycleHandlers<T>((error, type) =>
    this.#lifecycleFailed(error, type),
  );
  /** @internal */
  readonly groups = new Groups<Session<T>>();
  readonly #router = new Router((pattern) => this.getHandlerByPattern(pattern));
  readonly #observers = new ConnectorObservers<T>((error) => this.logger.error(error));
  readonly #unknownEvents = new Set<string>();
  readonly #warnings = new LogLimit(MOST_LOGGED);
  readonly #failures = new LogLimit(MOST_LOGGED);
  readonly #refusals = new LogLimit(MOST_LOGGED);
  readonly #handshakes = new LogLimit(MOST_LOGGED);
  readonly #certificates = new Certificates();
  readonly #options: PikeServerOptions<T>;
  #application: OptionSource | undefined;
  #signal: string | undefined;
  #startHook: ProcessingStartHook | undefined;
  #endHook: ProcessingEndHook | undefined;
  #serving: Serving<T> | undefined;

  /** @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option */
  constructor(options: PikeServerOptions<T>) {
    super();
    this.#options = options;
    this.settings = checkServerOptions(options);
  }

  /** Where the server listens, with the real port when 0 was asked for; `undefined` if it does not. */
  get address(): Endpoint | undefined {
    return this.#serving?.connector.address;
  }

  /** What the server is doing at the moment. */
  get state(): PikeServerState {
    return this.#serving?.state ?? 'closed';
  }

  /**
   * Called by Nest. Every failure goes to the callback; but that an endpoint to `connect` to cannot be
   * reached is none: it is tried again until it can.
   */
  listen(callback: (error?: unknown) => void): void {
    if (this.#serving !== undefined) {
      callback(new PikeError('PIKE_ERR_ALREADY_RUNNING', 'The server listens already.'));
      return;
    }
    void this.#listen(callback);
  }

  /**
   * Shuts the server down, as {@link close} does, for those who want it drained before Nest calls
   * any shutdown hook. Resolves when nothing of it is left. Called again, or together with `close`,
   * it joins what is under way. Of a server that does not listen it does nothing.
   * @param how what is left out is as the `shutdown` option says, for the signal if there was one
   * @throws PikeError (rejection) `PIKE_ERR_INVALID_OPTION`
   */
  async drain(how: PikeShutdownWay = {}): Promise<void> {
    const standard = shutdownWayOf(this.settings.shutdown, this.#signal);
    const way = readShutdownWay('PikeServer.drain', 'how', how, standard);
    const serving = this.#serving;
    if (serving === undefined) return;
    await serving.close(way);
    if (this.#serving !== serving) return;
    this.#serving = undefined;
    this._status$.next('disconnected');
  }

  /**
   * Called by Nest: stops listening, refuses new requests and events, waits for running handlers,
   * sends what they have answered, ends every connection, and waits for the handlers of their last
   * events, all by the `shutdown` option. Called again, joins.
   */
  close(): Promise<void> {
    return this.drain();
  }

  /** Calls back with each event of the connector of one type, before any handler is called. */
  on<Type extends keyof ObservedEvents<T>>(type: Type, callback: ObservedEvents<T>[Type]): void {
    this.#observers.add(type, callback);
  }

  /**
   * The connector.
   * @throws PikeError `PIKE_ERR_NOT_RUNNING` unless the server listens
   */
  unwrap<C = Connector<T>>(): C {
    if (this.#serving === undefined) {
      throw new PikeError('PIKE_ERR_NOT_RUNNING', 'The server has no connector before listen().');
    }
    return this.#serving.connector as C;
  }

  /**
   * Exchanges certificates without a restart: see `setSecureContext` of `NetConnector`. May be called at any time;
   * it holds when the server listens next, too.
   * @throws PikeError `PIKE_ERR_INVALID_OPTION` if they cannot be used, and then nothing is exchanged; or if the
   * server speaks no TLS
   */
  setSecureContext(options: SecureContextOptions): void {
    this.#certificates.exchange(this.#serving?.connector ?? this.createConnector(), options);
  }

  /**
   * Sends an event on a connection, at once; with `correlation: 'order'`, behind the replies to the requests
   * that have come before it. The Observable completes when it is sent.
   * @throws (by the Observable) a PikeError with `delivery`; it is logged if nobody has subscribed
   */
  emitTo(connection: Connection, pattern: string | object, data: unknown): Observable<void> {
    return this.#peer(connection).emit(pattern, data);
  }

  /**
   * Sends a request on a connection when subscribed to, each time; unsubscribing cancels it. Emits the
   * replies. The peer must have handlers: a `PikeServer` with the `connect` option has. One that never
   * answers is waited for until the connection ends: `pipe(timeout(ms))`.
   * @throws PikeError `PIKE_ERR_NO_REQUESTS` with `correlation: 'order'`; (by the Observable) the
   * peer's error, or a PikeError with `delivery`
   */
  sendTo<Result = unknown>(
    connection: Connection,
    pattern: string | object,
    data: unknown,
  ): Observable<Result> {
    return this.#peer(connection).send(pattern, data);
  }

  /**
   * Sends an event on every connection, at once; those aside that are not accepted yet, or that are
   * managed separately. The Observable emits what has become of it, once that is known of all, and
   * never fails; what nobody has subscribed to is logged, if it was not sent on all of them.
   */
  broadcast(
    pattern: string | object,
    data: unknown,
    options: BroadcastOptions = {},
  ): Observable<BroadcastResult> {
    const recipients = this.#serving?.recipients ?? [];
    return broadcast(recipients, { pattern, data }, options, (error) => this.warn(error));
  }

  /**
   * Adds a connection to a group, which it leaves by itself when it ends.
   * @returns whether it is in the group now: false if it has ended
   * @throws PikeError `PIKE_ERR_INVALID_OPTION` unless the name is a string
   */
  join(connection: Connection, group: string): boolean {
    return this.#peer(connection).join(group);
  }

  /** Takes a connection out of a group. @returns whether it was in it */
  leave(connection: Connection, group: string): boolean {
    return this.#peer(connection).leave(group);
  }

  /** A group, to broadcast to. @throws PikeError `PIKE_ERR_INVALID_OPTION` unless the name is a string */
  group(name: string): Group {
    return new Group(name, this.groups, (error) => this.warn(error));
  }

  /** Called by Nest for each handler. Those of lifecycle patterns are kept where no packet can reach them. */
  override addHandler(
    pattern: unknown,
    callback: MessageHandler,
    isEventHandler = false,
    extras: Record<string, unknown> = {},
  ): void {
    const type = lifecycleTypeOf(pattern);
    if (type === undefined) {
      const handler = isEventHandler ? soloHandler(callback) : callback;
      super.addHandler(pattern, handler, isEventHandler, extras);
      this.#router.clear();
      return;
    }
    const { server }: LifecycleOptions = extras;
    if (server === undefined || server === this.settings.name) this.lifecycle.add(type, callback);
  }

  /** Sets what is called with each message before its handler, and runs that. It may be asynchronous. */
  override setOnProcessingStartHook(hook: ProcessingStartHook): void {
    this.#startHook = hook;
  }

  /** Sets what is called once when everything is over that a message has set off. */
  override setOnProcessingEndHook(hook: ProcessingEndHook): void {
    this.#endHook = hook;
  }

  /** @internal Called by PikeModule: the application that the server belongs to. */
  joinApplication(application: OptionSource): void {
    this.#application = application;
  }

  /** @internal Called by PikeModule: the signal that ends the application. */
  learnSignal(signal: string | undefined): void {
    this.#signal = signal;
  }

  /** @internal */
  findHandler(pattern: string): MessageHandler | null {
    return this.#router.find(pattern);
  }

  /** @internal */
  spelled(pattern: string): string {
    return this.messageHandlers.has(pattern) ? pattern : this.getRouteFromPattern(pattern);
  }

  /** @internal Hooks cost a promise per message, so they are run only if there are any. */
  get hooked(): boolean {
    return this.#startHook !== undefined || this.#endHook !== undefined;
  }

  /** @internal */
  process(context: PikeContext<T>, processing: Processing): void {
    const { transportId } = this;
    const hooks = {
      start: (start: () => Promise<void>) =>
        this.#startHook === undefined ? start() : this.#startHook(transportId, context, start),
      end: () => this.#endHook?.(transportId, context),
    };
    void runHooked(hooks, processing, (thrown) => this.report(thrown));
  }

  /** @internal */
  createConnector(): Connector<T> {
    const connector = this.settings.createConnector((error) => this.report(error));
    return this.#certificates.bringTo(connector);
  }

  /** @internal Whoever looks whether a port is open fails a handshake: nothing to worry about. */
  handshakeFailed({ message }: PikeError): void {
    const addition = this.#handshakes.pass();
    if (addition !== undefined) this.logger.debug?.(message + addition);
  }

  /** @internal */
  connectedChanged(): void {
    if (this.#serving === undefined) return;
    this._status$.next(this.#serving.connected ? 'connected' : 'disconnected');
  }

  /** @internal */
  observe(event: ConnectorEvent<T>): void {
    this.#observers.observe(event);
  }

  /** @internal A peer may send any number of events, so each unknown pattern is logged once, and not for ever. */
  noEventHandler(pattern: string): void {
    // As JSON: a peer must not write lines of its own into the log.
    const shown = JSON.stringify(pattern.slice(0, MOST_SHOWN_CHARACTERS));
    if (this.#unknownEvents.has(shown) || this.#unknownEvents.size >= MOST_UNKNOWN_EVENTS) return;
    this.#unknownEvents.add(shown);
    this.logger.error(
      `There is no matching event handler defined in the remote service. Event pattern: ${shown}`,
    );
  }

  /** @internal */
  report(error: unknown): void {
    const addition = this.#failures.pass();
    if (addition === undefined) return;
    this.logger.error(error);
    if (addition !== '') this.logger.error(addition);
  }

  /** @internal */
  warn(error: unknown): void {
    const addition = this.#warnings.pass();
    if (addition !== undefined) this.logger.warn(describeThrown(error) + addition);
  }

  async #listen(callback: (error?: unknown) => void): Promise<void> {
    try {
      this.settings = readServerOptions(this.#options, this.#application);
      this.#serving = new Serving<T>(this);
      await this.#serving.start();
    } catch (error) {
      this.#serving = undefined;
      callback(error);
      return;
    }
    this.connectedChanged();
    callback();
  }

  #peer(connection: Connection): PeerVerbs {
    return this.#serving?.peer(connection) ?? new AbsentPeer((error) => this.warn(error));
  }

  #lifecycleFailed(error: unknown, type: string): void {
    // Refusing a peer is what a guard or a handler of RemoteConnect is for: nothing to worry about.
    if (type !== 'remoteConnect' || isPikeError(error)) this.report(error);
    else if (this.#refusals.pass() !== undefined) this.logger.debug?.(error);
  }
}

const MOST_UNKNOWN_EVENTS = 100;
const MOST_SHOWN_CHARACTERS = 200;
/** How many entries of one kind may be logged in a minute. */
const MOST_LOGGED = 20;
