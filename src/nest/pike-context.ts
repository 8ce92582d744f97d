import { BaseRpcContext } from '@nestjs/microservices';
import type { Connection } from '../core/connection.js';
import type { Connector } from '../core/connector.js';

/** What a {@link PikeContext} holds: connection, pattern, metadata, connector. */
export type PikeContextArgs<T> = [
  connection: Connection,
  pattern: string,
  metadata: Readonly<Record<string, string>> | undefined,
  connector: Connector<T>,
];

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
}
