import { Logger } from '@nestjs/common';
import { PikeClient } from 'nestjs-pike';
import type { PikeClientOptions, PikeClientStatus } from 'nestjs-pike';
import type { Endpoint } from 'nestjs-pike/core';
import { filter, firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { RawListener } from '../support/raw-peer.js';
import type { RawPeer } from '../support/raw-peer.js';
import type { Sockets } from '../support/use-sockets.js';
import { PacketPeer } from './packet-peer.js';

// What the clients of these servers would log is what the tests are about.
Logger.overrideLogger(false);

/**
 * A server on raw sockets for the clients under test, which does exactly what it is told. It can be
 * stopped, and started again at the same place.
 */
export class RawServer {
  readonly at: Endpoint;
  #listener: RawListener | undefined;

  private constructor(listener: RawListener) {
    this.#listener = listener;
    this.at = listener.address;
  }

  /** @param reading whether it reads from a client before it is told to */
  static async start(sockets: Sockets, reading = true): Promise<RawServer> {
    const server = new RawServer(await RawListener.listen({ reading }));
    sockets.defer(() => server.stop());
    return server;
  }

  async restart(): Promise<void> {
    this.#listener = await RawListener.listen({ at: this.at });
  }

  /** The next client, which speaks the default protocol. */
  async accept(): Promise<PacketPeer> {
    return PacketPeer.over(await this.acceptRaw());
  }

  /** The next client, whatever it speaks. */
  async acceptRaw(): Promise<RawPeer> {
    if (this.#listener === undefined) throw new Error('It does not listen.');
    return this.#listener.accept();
  }

  async stop(): Promise<void> {
    const listener = this.#listener;
    this.#listener = undefined;
    await listener?.close();
  }
}

/** A client of a raw server that reconnects quickly, and does not wait long when it is closed. */
export function clientOf<T = unknown>(
  sockets: Sockets,
  server: RawServer,
  options: Partial<PikeClientOptions<T>> = {},
): PikeClient<T> {
  const client = new PikeClient<T>({
    endpoints: [server.at],
    reconnect: { minDelay: 1, maxDelay: 20 },
    lingerTimeout: 10,
    shutdown: { deadline: 50 },
    ...options,
  });
  sockets.defer(() => client.close());
  return client;
}

/** A client of the default protocol, connected; its server; and the server's side of the connection. */
export async function clientPair(
  sockets: Sockets,
  options: Partial<PikeClientOptions> = {},
  reading = true,
): Promise<{ server: RawServer; client: PikeClient; peer: PacketPeer }> {
  const { peer, ...rest } = await rawClientPair(sockets, options, reading);
  return { ...rest, peer: PacketPeer.over(peer) };
}

/** As {@link clientPair}, for a client of any protocol. */
export async function rawClientPair<T>(
  sockets: Sockets,
  options: Partial<PikeClientOptions<T>>,
  reading = true,
): Promise<{ server: RawServer; client: PikeClient<T>; peer: RawPeer }> {
  const server = await RawServer.start(sockets, reading);
  const client = clientOf(sockets, server, options);
  const [peer] = await Promise.all([server.acceptRaw(), client.connect()]);
  return { server, client, peer };
}

/** Everything that an Observable emits, or the error. */
export function outcomeOf(observable: Observable<unknown>): Promise<unknown> {
  return lastValueFrom(observable.pipe(toArray())).catch((error: unknown) => error);
}

/** Resolves when a client has a status. */
export function statusOf<T>(
  client: PikeClient<T>,
  wanted: PikeClientStatus,
): Promise<PikeClientStatus> {
  return firstValueFrom(client.status.pipe(filter((each) => each === wanted)));
}

/** Answers each request with its own data, from now on. */
export function echo(peer: PacketPeer): void {
  const answer = (): void => {
    for (const { id, data } of peer.replies.splice(0)) {
      if (id !== undefined) peer.send({ id, response: data, isDisposed: true });
    }
  };
  answer();
  peer.raw.socket.on('data', () => setImmediate(answer));
}

/** The data of everything that has come from a client, when `last` has. */
export async function dataUpTo(peer: PacketPeer, last: unknown): Promise<unknown[]> {
  await peer.reply(({ data }) => data === last);
  return peer.replies.map(({ data }) => data);
}
