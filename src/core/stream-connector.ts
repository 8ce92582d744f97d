import type { Duplex } from 'node:stream';
import { readConnectOptions, readConnectWaitingOptions } from './connect-options.js';
import type { ConnectSettings } from './connect-options.js';
import { Connection } from './connection.js';
import type { ConnectionEnds } from './connection.js';
import type {
  ConnectOptions,
  ConnectResult,
  ConnectWaitingOptions,
  Connector,
} from './connector.js';
import { afterChanges, publishSend, publishState } from './diagnostics.js';
import type { Endpoint } from './endpoint.js';
import { checkEndpoint } from './endpoint.js';
import { PikeError } from './errors.js';
import { EventQueue } from './event-queue.js';
import type { ConnectorEvent, FinishConnectEvent } from './events.js';
import type { Finish, FinishWay } from './finish.js';
import { readFinish } from './finish.js';
import { Link } from './link/link.js';
import {
  connectAborted,
  connectFailed,
  foreignConnection,
  shutDownEarly,
} from './link/link-errors.js';
import { LinkEvents } from './link/link-events.js';
import type { LinkOrigin, LinkOwner } from './link/link-origin.js';
import { checkType } from './options.js';
import type { ConnectorSettings } from './options.js';
import { ChunkPool } from './outbound/chunk-pool.js';
import { Patrol } from './patrol.js';
import type { AcceptedBytes } from './outbound/write-progress.js';

type Phase = 'new' | 'starting' | 'running' | 'failed' | 'shuttingDown' | 'shutDown';

/**
 * The connector over anything that makes duplex streams. A transport extends it by listening and
 * dialling; everything else, the events, the fates of messages and the ways to end, is here and in
 * the link of each connection.
 */
export abstract class StreamConnector<T> implements Connector<T>, LinkOwner<T> {
  /** @internal */
  readonly settings: ConnectorSettings<T>;
  /** @internal */
  readonly pool: ChunkPool;
  readonly #links = new Set<Link<T>>();
  /** Links that are gone, and whose events still wait in the shared queue: they take memory, too. */
  readonly #untaken = new Set<Link<T>>();
  /** Links whose events wait until their `onFinish` has returned. */
  readonly #heldBack = new Set<Link<T>>();
  readonly #patrol: Patrol;
  readonly #shared: EventQueue<T>;
  /** The way there, for all connections but separate ones. */
  readonly #toShared: LinkEvents<T>;
  #phase: Phase = 'new';
  #listening: Promise<void> = Promise.resolve();
  #shutdown: Promise<void> | undefined;
  #onAllGone: (() => void) | undefined;

  protected constructor(settings: ConnectorSettings<T>) {
    this.settings = settings;
    this.pool = new ChunkPool(settings.chunkBytes);
    this.#shared = this.#createQueue();
    this.#toShared = new LinkEvents(this.#shared, false);
    const { incompleteMessageTimeout, stallTimeout } = settings;
    this.#patrol = new Patrol(this.#links, [incompleteMessageTimeout, stallTimeout]);
  }

  abstract get address(): Endpoint | undefined;

  /** Listens, if the connector is told to; calls {@link arrived} for each peer. Every failure rejects. */
  protected abstract listen(): Promise<void>;

  /**
   * Stops listening; resolves once nothing listens. Not called before {@link listen} has settled;
   * called when nothing listens, it does nothing.
   */
  protected abstract stopAccepting(): Promise<void>;

  /** Begins to connect. @param connected to be called once, when the socket is connected */
  protected abstract dial(endpoint: Endpoint, connected: (ends: ConnectionEnds) => void): Duplex;

  /**
   * Begins to count what the system accepts from a socket of this transport, which is connected and
   * has been sent nothing.
   * @internal
   */
  abstract acceptedBytesOf(socket: Duplex): AcceptedBytes;

  get connections(): Iterable<Connection> {
    return Array.from(this.#links)
      .filter((link) => !link.ended)
      .map((link) => link.connection);
  }

  has(connection: Connection): boolean {
    const facts = Connection.factsOf(connection);
    return this.#isOurs(facts) && !facts.ended;
  }

  async run(): Promise<void> {
    if (this.#phase !== 'new') {
      throw new PikeError(
        'PIKE_ERR_ALREADY_RUNNING',
        'run() may be called once. A connector that was shut down is not used again: make a new one.',
      );
    }
    this.#phase = 'starting';
    this.#listening = this.listen();
    // shutdown() may have come meanwhile.
    const become = (phase: Phase): void => {
      if (this.#phase === 'starting') this.#phase = phase;
    };
    await this.#listening.catch((error: unknown) => {
      become('failed');
      throw error;
    });
    become('running');
  }

  connect(endpoint: Endpoint, options: ConnectOptions = {}): Connection {
    const settings = readConnectOptions(options, this.settings.connectTimeout);
    const events = settings.separate ? this.ownEvents() : this.#toShared;
    return this.#connect(endpoint, settings, events).connection;
  }

  async connectWaiting(
    endpoint: Endpoint,
    options: ConnectWaitingOptions = {},
  ): Promise<ConnectResult<T>> {
    const settings = readConnectWaitingOptions(options, this.settings.connectTimeout);
    const { separate } = settings;
    const event = await new Promise<FinishConnectEvent<T>>((onFinishConnect) => {
      // Events wait in a queue of the connection's own until onFinish has returned.
      const events = new LinkEvents(this.#createQueue(), separate, onFinishConnect);
      const link = this.#connect(endpoint, settings, events);
      if (!separate) this.#heldBack.add(link);
    });
    const { connection, success, queued, error } = event;
    const link = this.#linkOf(connection);
    try {
      await options.onFinish?.(connection, success);
    } catch (thrown) {
      link.disconnect('now', undefined);
      // There will be no result to say what has become of the messages given meanwhile.
      if (queued.length > 0) link.events.post(event);
      throw thrown;
    } finally {
      this.#letGo(link);
    }
    return { connection, success, queued, error };
  }

  disconnect(connection: Connection, how: Finish, reason?: PikeError): void {
    const { way, deadline } = readFinish(how);
    const link = this.#linkOf(connection);
    afterChanges(() => link.disconnect(way, deadline, reason));
  }

  send(connection: Connection, message: T): boolean {
    const link = this.#linkOf(connection);
    if (this.#phase === 'shutDown') {
      throw new PikeError(
        'PIKE_ERR_SHUT_DOWN',
        'The connector has been shut down: nothing can be sent.',
      );
    }
    publishSend(connection, message);
    return link.send(message);
  }

  async drained(connection: Connection): Promise<void> {
    return this.#linkOf(connection).outbox.drained();
  }

  async flushed(connection: Connection): Promise<void> {
    return this.#linkOf(connection).outbox.flushed();
  }

  withdraw(connection: Connection, message: T): boolean {
    return this.#linkOf(connection).outbox.withdraw(message);
  }

  pause(connection: Connection): void {
    this.#linkOf(connection).inbox.pause();
  }

  resume(connection: Connection): void {
    this.#linkOf(connection).inbox.resume();
  }

  receive(): Promise<ConnectorEvent<T> | undefined> {
    return this.#shared.receive();
  }

  async receiveFrom(connection: Connection): Promise<ConnectorEvent<T> | undefined> {
    return this.#separateLinkOf(connection).events.receive();
  }

  merge(connection: Connection): void {
    this.#separateLinkOf(connection).moveEvents(this.#toShared);
  }

  subscribe(listener: (event: ConnectorEvent<T>) => void): () => void {
    checkType('subscribe', 'listener', listener, 'function');
    return this.#shared.subscribe(listener);
  }

  async stopListening(): Promise<void> {
    // Whether listening has failed is for run() to say.
    await this.#listening.catch(() => undefined);
    await this.stopAccepting();
  }

  async shutdown(how: Finish): Promise<void> {
    const { way, deadline } = readFinish(how);
    this.#shutdown ??= this.#shutDown();
    afterChanges(() => this.#endAll(way, deadline));
    return this.#shutdown;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ConnectorEvent<T>, void, undefined> {
    for (;;) {
      const event = await this.receive();
      if (event === undefined) return;
      yield event;
    }
  }

  /** @internal */
  ownEvents(): LinkEvents<T> {
    return new LinkEvents(this.#createQueue(), true);
  }

  /** @internal */
  gone(link: Link<T>): void {
    this.#links.delete(link);
    if (this.#links.size === 0) this.#patrol.stop();
    if (!link.events.separate && link.pendingEvents > 0) this.#untaken.add(link);
    if (this.#links.size === 0) this.#onAllGone?.();
  }

  /**
   * A peer has arrived. The transport calls it with a socket that is not read yet.
   * @returns whether the peer may stay; otherwise the transport destroys the socket
   */
  protected arrived(socket: Duplex, ends: ConnectionEnds): boolean {
    if (this.#phase !== 'running' && this.#phase !== 'starting') return false;
    if (this.#links.size + this.#untaken.size >= this.settings.maxConnections) return false;
    const link = this.#createLink({
      inbound: true,
      remote: ends.remote,
      events: this.#toShared,
    });
    link.local = ends.local;
    link.tls = ends.tls;
    link.arrive(socket);
    return true;
  }

  #connect(
    endpoint: Endpoint,
    { timeout, signal }: ConnectSettings,
    events: LinkEvents<T>,
  ): Link<T> {
    this.#checkRunning();
    const remote = checkEndpoint(endpoint);
    const link = this.#createLink({ inbound: false, remote, events });
    const abort = (): void =>
      afterChanges(() => link.giveUpConnecting(connectAborted(signal?.reason)));
    if (signal?.aborted === true) {
      abort();
      return link;
    }
    const forget = (): void => signal?.removeEventListener('abort', abort);
    let socket: Duplex;
    try {
      socket = this.dial(remote, (ends) => {
        forget();
        link.local = ends.local;
        link.tls = ends.tls;
        link.remote = ends.remote ?? remote;
        link.connected();
      });
    } catch (thrown) {
      link.giveUpConnecting(connectFailed(remote, thrown));
      return link;
    }
    link.dial(socket, timeout);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal !== undefined) socket.once('close', forget);
    return link;
  }

  #createLink(origin: LinkOrigin<T>): Link<T> {
    const link = new Link(this, origin);
    this.#links.add(link);
    publishState(link.connection, link.state, undefined, undefined);
    this.#patrol.start();
    return link;
  }

  #createQueue(): EventQueue<T> {
    return new EventQueue<T>((event, change) => {
      const link = this.#linkOf(event.connection);
      link.pendingEventsChanged(change);
      if (link.pendingEvents === 0) this.#untaken.delete(link);
    }, this.settings.onError);
  }

  /** Lets events go to the shared queue that have waited for `onFinish`. */
  #letGo(link: Link<T>): void {
    if (this.#heldBack.delete(link)) link.moveEvents(this.#toShared);
  }

  #endAll(way: FinishWay, deadline: number | undefined): void {
    for (const link of this.#links) {
      if (link.state === 'connecting') link.giveUpConnecting(shutDownEarly());
      else link.disconnect(way, deadline);
    }
  }

  async #shutDown(): Promise<void> {
    this.#phase = 'shuttingDown';
    const allGone = new Promise<void>((resolve) => {
      this.#onAllGone = () => {
        if (this.#links.size === 0) resolve();
      };
    });
    // The connections are told to end in the same turn, behind this.
    await this.stopListening();
    this.#onAllGone?.();
    await allGone;
    // An onFinish that has not returned may never do so; what has happened meanwhile is told now.
    for (const link of this.#heldBack) this.#letGo(link);
    // A listener is told of the last events in a tick of their own: let it be told first.
    await new Promise<void>((resolve) => process.nextTick(resolve));
    this.#phase = 'shutDown';
    this.#shared.close();
  }

  #checkRunning(): void {
    if (this.#phase === 'running') return;
    if (this.#phase === 'new' || this.#phase === 'starting') {
      throw new PikeError('PIKE_ERR_NOT_RUNNING', 'Call run(), and await it, first.');
    }
    if (this.#phase === 'failed') {
      throw new PikeError('PIKE_ERR_NOT_RUNNING', 'run() has failed: make a new connector.');
    }
    throw new PikeError('PIKE_ERR_SHUT_DOWN', 'The connector is shut down: make a new one.');
  }

  #separateLinkOf(connection: Connection): Link<T> {
    const link = this.#linkOf(connection);
    if (link.events.separate) return link;
    throw new PikeError(
      'PIKE_ERR_NOT_SEPARATE',
      link.state === 'arriving'
        ? `Connection ${link.id} has not been accepted yet: await the event's accepted first.`
        : `Connection ${link.id} uses the shared queue. Connect, or finishAccept, with { separate: true }.`,
    );
  }

  #isOurs(facts: unknown): facts is Link<T> {
    return facts instanceof Link && facts.owner === this;
  }

  #linkOf(connection: Connection): Link<T> {
    const facts = Connection.factsOf(connection);
    if (this.#isOurs(facts)) return facts;
    throw foreignConnection(connection, facts);
  }
}
