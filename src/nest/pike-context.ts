import { BaseRpcContext } from '@nestjs/microservices';
import type { Observable } from 'rxjs';
import type { Connection } from '../core/connection.js';
import type { Connector } from '../core/connector.js';
import type { Group } from './push/group.js';
import type { PeerVerbs } from './push/peer-verbs.js';

/** What a {@link PikeContext} holds: connection, pattern, metadata, connector, peer. */
export type PikeContextArgs<T> = [
  connection: Connection,
  pattern: string,
  metadata: Readonly<Record<string, string>> | undefined,
  connector: Connector<T>,
  peer: ContextPeer,
];

/** The other end of a connection, as a {@link PikeContext} speaks to it. */
export interface ContextPeer extends PeerVerbs {
  /** A group of the server that the connection belongs to. */
  group(name: string): Group;
}

/** The second argument of every handler: `@Ctx() context: PikeContext`. */
export class PikeContext<T = unknown> extends BaseRpcContext<PikeContextArgs<T>> {
  /** The connection that the message, or the event, came from. */
  getConnection(): Connection {
    return this.args[0];
  }

  /** The pattern as the peer gave it; an object as JSON. Of a lifecycle event: its type. */
  getPattern(): string {
    return this.args[1];
  }

  /** What the client attached to the packet, if anything. */
  getMetadata(): Readonly<Record<string, string>> | undefined {
    return this.args[2];
  }

  /** The connector, for everything that can be done with the connection. */
  getConnector(): Connector<T> {
    return this.args[3];
  }

  /**
   * Sends an event on the connection, at once; with `correlation: 'order'`, ahead of the reply to the
   * request at hand and behind those to the ones before. The Observable completes when it is sent.
   * @throws (by the Observable) a PikeError with `delivery`; it is logged if nobody has subscribed
   */
  emit(pattern: string | object, data: unknown): Observable<void> {
    return this.args[4].emit(pattern, data);
  }

  /**
   * Sends a request on the connection when subscribed to, each time; unsubscribing cancels it. Emits
   * the replies. The peer must have handlers: a `PikeServer` with the `connect` option has.
   * @throws PikeError `PIKE_ERR_NO_REQUESTS` with `correlation: 'order'`; (by the Observable) the
   * peer's error, or a PikeError with `delivery`
   */
  send<Result = unknown>(pattern: string | object, data: unknown): Observable<Result> {
    return this.args[4].send(pattern, data);
  }

  /**
   * Adds the connection to a group, which it leaves by itself when it ends.
   * @returns whether it is in the group now: false if it has ended
   * @throws PikeError `PIKE_ERR_INVALID_OPTION` unless the name is a string
   */
  join(group: string): boolean {
    return this.args[4].join(group);
  }

  /** Takes the connection out of a group. @returns whether it was in it */
  leave(group: string): boolean {
    return this.args[4].leave(group);
  }

  /** A group of the server, to broadcast to. @throws PikeError `PIKE_ERR_INVALID_OPTION` unless the name is a string */
  group(name: string): Group {
    return this.args[4].group(name);
  }
}
