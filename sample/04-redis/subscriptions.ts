import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';
import type { Connection } from 'nestjs-pike';

/** To how many channels a connection may subscribe. */
const MOST_CHANNELS = 1_000;

/** Which connection has subscribed to which channels. */
@Injectable()
export class Subscriptions {
  /** Nothing is to be done when a connection ends: what nobody holds on to is forgotten. */
  readonly #channels = new WeakMap<Connection, Set<string>>();

  count(connection: Connection): number {
    return this.#channels.get(connection)?.size ?? 0;
  }

  /** The channels of a connection, in the order of its subscriptions. */
  of(connection: Connection): string[] {
    return [...(this.#channels.get(connection) ?? [])];
  }

  /** @throws RpcException if a connection may not subscribe to so many channels more */
  checkRoom(connection: Connection, more: number): void {
    if (this.count(connection) + more <= MOST_CHANNELS) return;
    throw new RpcException(`ERR a connection may subscribe to ${MOST_CHANNELS} channels`);
  }

  add(connection: Connection, channel: string): void {
    const channels = this.#channels.get(connection) ?? new Set();
    this.#channels.set(connection, channels.add(channel));
  }

  remove(connection: Connection, channel: string): void {
    this.#channels.get(connection)?.delete(channel);
  }
}
