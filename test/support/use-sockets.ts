import { afterEach } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { NetConnector } from 'nestjs-pike/core';
import type { Connection, ConnectorEvent, Endpoint, NetConnectorOptions } from 'nestjs-pike/core';
import { EventRecorder } from './event-recorder.js';
import { LineConverter } from './line-converter.js';
import { RawListener, RawPeer } from './raw-peer.js';

type Options = Partial<NetConnectorOptions<string>>;
type OnEvent = (event: ConnectorEvent<string>) => void;

/** A running connector that records its events, and where it listens. */
export interface Recorded {
  connector: NetConnector<string>;
  events: EventRecorder<string>;
}

/** One open connection of a connector, and its other side. */
export interface Pair extends Recorded {
  connection: Connection;
  peer: RawPeer;
}

/**
 * Makes connectors and raw peers for the tests of a suite, and closes after each test whatever it
 * has left open. Messages are lines, unless another converter is given.
 */
export class Sockets {
  readonly #closers: (() => Promise<unknown>)[] = [];

  /** To be done after the test; the last one first. */
  defer(close: () => Promise<unknown>): void {
    this.#closers.push(close);
  }

  async closeAll(): Promise<void> {
    for (const close of this.#closers.splice(0).reverse()) await close();
  }

  /** A connector that does not run yet and does not listen. */
  idle(options: Options = {}): NetConnector<string> {
    const connector = new NetConnector<string>({ converter: new LineConverter(), ...options });
    this.defer(() => connector.shutdown({ now: true }));
    return connector;
  }

  /** A running connector that nobody subscribes to. */
  async running(options: Options = {}): Promise<NetConnector<string>> {
    const connector = this.idle(options);
    await connector.run();
    return connector;
  }

  /** A running connector that does not listen. */
  async client(options: Options = {}, onEvent?: OnEvent): Promise<Recorded> {
    const connector = await this.running(options);
    return { connector, events: new EventRecorder(connector, onEvent) };
  }

  /** A running connector that listens on a free port of the loopback; by default it accepts all. */
  async server(options: Options = {}, onEvent?: OnEvent): Promise<Recorded> {
    return this.client({ port: 0, host: '127.0.0.1', ...options }, onEvent);
  }

  /** An inbound connection that is open. */
  async accepted(options: Options & { peerReads?: boolean } = {}): Promise<Pair> {
    const { peerReads = true, ...rest } = options;
    const server = await this.server(rest);
    const peer = await this.peer(addressOf(server.connector), { reading: peerReads });
    const { connection } = await server.events.next('remoteConnect');
    return { ...server, connection, peer };
  }

  /** An outbound connection that is open. */
  async dialled(options: Options & { peerReads?: boolean } = {}): Promise<Pair> {
    const { peerReads = true, ...rest } = options;
    const listener = await this.listener({ reading: peerReads });
    const client = await this.client(rest);
    const connection = client.connector.connect(listener.address);
    await client.events.next('finishConnect', connection);
    return { ...client, connection, peer: await listener.accept() };
  }

  async listener(options?: Parameters<typeof RawListener.listen>[0]): Promise<RawListener> {
    const listener = await RawListener.listen(options);
    this.defer(() => listener.close());
    return listener;
  }

  async peer(endpoint: Endpoint, options?: { reading?: boolean }): Promise<RawPeer> {
    const peer = await RawPeer.connect(endpoint, options);
    this.defer(() => peer.destroy());
    return peer;
  }

  /** A path for a unix-domain socket, in a directory of its own. */
  async socketPath(): Promise<string> {
    const folder = await mkdtemp(join(tmpdir(), 'pike-'));
    this.defer(() => rm(folder, { recursive: true }));
    return join(folder, 'socket');
  }
}

/** {@link Sockets} that are closed after each test of the file. */
export function useSockets(): Sockets {
  const sockets = new Sockets();
  afterEach(() => sockets.closeAll());
  return sockets;
}

/** Where a connector listens. */
export function addressOf(connector: { readonly address: Endpoint | undefined }): Endpoint {
  if (connector.address === undefined) throw new Error('The connector does not listen.');
  return connector.address;
}

/** A port of the loopback on which nobody listens. */
export async function unusedEndpoint(): Promise<Endpoint> {
  const listener = await RawListener.listen();
  const { address } = listener;
  await listener.close();
  return address;
}
