import type { ConnectionFacts } from '../connection.js';
import type { Endpoint } from '../endpoint.js';
import type { LinkEvents } from './link-events.js';
import type { ConnectorSettings } from '../options.js';
import type { ChunkPool } from '../outbound/chunk-pool.js';
import type { SocketExpert } from './wire.js';

/** What is known of a connection when it begins. */
export interface LinkOrigin<T> {
  inbound: boolean;
  remote: Endpoint | undefined;
  /** Where its events go. */
  events: LinkEvents<T>;
}

/** What a link shares with the others of its connector. */
export interface LinkOwner<T> extends SocketExpert {
  // Internal as in the class that has them: the published types leave both out, or neither.
  /** @internal */
  readonly settings: ConnectorSettings<T>;
  /** @internal */
  readonly pool: ChunkPool;
  /** @internal The way to a queue of a connection's own, which the application receives separately. */
  ownEvents(): LinkEvents<T>;
  /** @internal The link has ended and its socket is closed. */
  gone(link: ConnectionFacts): void;
}
