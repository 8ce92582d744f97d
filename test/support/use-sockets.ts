import { afterEach } from '@jest/globals';
import type {
  Connection,
  Connector,
  ConnectorEvent,
  Endpoint,
  NetConnectorOptions,
  RemoteConnectEvent,
} from 'nestjs-pike/core';
import { Books } from './books.js';
import { acceptNobody, EventRecorder } from './event-recorder.js';
import { LineConverter } from './line-converter.js';
import { expectOrderOfEvents } from './one-life.js';
import { RawListener } from './raw-peer.js';
import type { RawPeer, RawPeerOptions } from './raw-peer.js';
import { SlowConverter } from './slow-converter.js';
import { tcp } from './transports/tcp.js';
import type { Transport } from './transports/transport.js';
import { unix } from './transports/unix.js';

type Options = Partial<NetConnectorOptions<string>>;
type OnEvent = (event: ConnectorEvent<string>) => void;

/** A running connector that records its events, and the books on its messages. */
export interface Recorded {
  connector: Connector<string>;
  events: EventRecorder<string>;
  books: Books;
}

/** One open connection of a connector, and its other side. */
export interface Pair extends Recorded {
  connection: Connection;
  peer: RawPeer;
}

/** A peer that waits for `finishAccept`. */
export interface Arrival extends Recorded {
  event: RemoteConnectEvent;
  peer: RawPeer;
}

/**
 * Makes connectors and raw peers for the tests of a suite, and closes after each test whatever it
 * has left open. Then it holds every connector to the order of its events, and every message to one
 * fate. Messages are lines, unless another converter is given.
 */
export class Sockets {
  readonly transport: Transport;
  readonly #closers: (() => Promise<unknown>)[] = [];
  readonly #recorded: Recorded[] = [];

  constructor(transport: Transport) {
    this.transport = transport;
  }

  /** To be done after the test; the last one first. */
  defer(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
    for (const { books, events } of this.#recorded.splice(0)) {
      books.check();
      expectOrderOfEvents(events.all);
    }
  }

  /** A connector that does not run yet and does not listen. */
  idle(options: Options = {}): Connector<string> {
    const connector = this.transport.createConnector<string>({
      converter: new LineConverter(),
      ...options,
    });
    this.defer(() => connector.shutdown({ now: true }));
    return connector;
  }

  /** A running connector that nobody subscribes to. */
  async running(options: Options = {}): Promise<Connector<string>> {
    const connector = this.idle(options);
    await connector.run();
    return connector;
  }

  /** A running connector that listens, and that nobody subscribes to. */
  async listening(options: Options = {}): Promise<Connector<string>> {
    return this.running({ ...(await this.place()), ...options });
  }

  /** A running connector that does not listen. */
  async client(options: Options = {}, onEvent?: OnEvent): Promise<Recorded> {
    const connector = await this.running(options);
    const events = new EventRecorder(connector, onEvent);
    const recorded = { connector, events, books: new Books(connector, events.all) };
    this.#recorded.push(recorded);
    return recorded;
  }

  /** A running connector that listens where there is room; by default it accepts all. */
  async server(options: Options = {}, onEvent?: OnEvent): Promise<Recorded> {
    return this.client({ ...(await this.place()), ...options }, onEvent);
  }

  /** An inbound connection that is open. */
  async accepted({ peerReads, ...options }: Options & { peerReads?: boolean } = {}): Promise<Pair> {
    const server = await this.server(options);
    const peer = await this.peer(addressOf(server.connector), { reading: peerReads });
    const { connection } = await server.events.next('remoteConnect');
    return { ...server, connection, peer };
  }

  /** A peer that has arrived, and that nobody has accepted. */
  async arrived(options: Options = {}): Promise<Arrival> {
    const server = await this.server(options, acceptNobody);
    const peer = await this.peer(addressOf(server.connector));
    return { ...server, peer, event: await server.events.next('remoteConnect') };
  }

  /** An inbound connection that is open, and whose deserializer waits until the test calls back. */
  async slow(options: { allowHalfOpen?: boolean } = {}): Promise<Pair & { slow: SlowConverter }> {
    const slow = new SlowConverter();
    return { ...(await this.accepted({ ...options, converter: slow.converter })), slow };
  }

  /** An outbound connection that is open. */
  async dialled({ peerReads, ...options }: Options & { peerReads?: boolean } = {}): Promise<Pair> {
    const listener = await this.listener({ reading: peerReads });
    const client = await this.client(options);
    const connection = client.connector.connect(listener.address);
    await client.events.next('finishConnect', connection);
    return { ...client, connection, peer: await listener.accept() };
  }

  /** An inbound connection whose peer does not read, and that has been given more than the system takes. */
  async clogged(options: Options = {}): Promise<Pair> {
    const pair = await this.accepted({ ...options, peerReads: false });
    this.clog(pair);
    return pair;
  }

  /** Gives a connection more than the system takes for a peer that does not read, in twenty messages. */
  clog({ connector, connection, books }: Omit<Pair, 'peer'>): void {
    const bytes = Math.ceil(this.transport.facts.overflow / CLOGGING_MESSAGES);
    const first = books.given(connection).length;
    for (let i = first; i < first + CLOGGING_MESSAGES; i++) {
      connector.send(connection, `${i} `.padEnd(bytes, 'x'));
    }
  }

  /** A raw listener, where there is room or at `at`. */
  async listener({
    at,
    ...options
  }: RawPeerOptions & { at?: Endpoint } = {}): Promise<RawListener> {
    const where = at ?? (await this.place());
    const listener = await RawListener.start((arrived) =>
      this.transport.listen(where, options, arrived),
    );
    this.defer(() => listener.close());
    return listener;
  }

  /** A raw peer that has connected. */
  async peer(endpoint: Endpoint, options?: RawPeerOptions): Promise<RawPeer> {
    const peer = await this.transport.connectPeer(endpoint, options);
    this.defer(() => peer.destroy());
    return peer;
  }

  /** Resolves when a peer that tries to connect has got nowhere; rejects if it is let in. */
  async refused(endpoint: Endpoint): Promise<void> {
    const peer = await this.peer(endpoint).catch(() => undefined);
    await peer?.ended;
  }

  /** A place to listen at. */
  async place(): Promise<Endpoint> {
    const { endpoint, remove } = await this.transport.findPlace();
    this.defer(remove);
    return endpoint;
  }

  /** An endpoint at which nobody listens, though somebody did. */
  async unusedEndpoint(): Promise<Endpoint> {
    const listener = await this.listener();
    await listener.close();
    return listener.address;
  }

  /** An endpoint that leaves attempts to connect unanswered, as far as the transport can. */
  async silentEndpoint(): Promise<Endpoint> {
    const where = await this.place();
    const listener = await RawListener.start((arrived) =>
      this.transport.listenSilently(where, arrived),
    );
    this.defer(() => listener.close());
    return listener.address;
  }

  /** A path for a unix-domain socket, in a directory of its own. */
  async socketPath(): Promise<string> {
    const { endpoint, remove } = await unix.findPlace();
    this.defer(remove);
    return (endpoint as { path: string }).path;
  }
}

const CLOGGING_MESSAGES = 20;

/** {@link Sockets} that are closed after each test of the file, or of the `describe` that calls it. */
export function useSockets(transport: Transport = tcp): Sockets {
  const sockets = new Sockets(transport);
  afterEach(() => sockets.closeAll());
  return sockets;
}

/** Where a connector listens. */
export function addressOf(connector: { readonly address: Endpoint | undefined }): Endpoint {
  if (connector.address === undefined) throw new Error('The connector does not listen.');
  return connector.address;
}
