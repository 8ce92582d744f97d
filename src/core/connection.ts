import type { Endpoint } from './endpoint.js';
import type { TlsPeer } from './tls-peer.js';

/** What is known of a socket once it is connected. */
export interface ConnectionEnds {
  remote?: Endpoint;
  local?: Endpoint;
  tls?: TlsPeer;
}

/** How reading from a connection goes. */
export interface InboundFacts {
  readonly bytesRead: number;
  readonly paused: boolean;
}

/** What the connector knows of a connection. */
export interface ConnectionFacts {
  readonly id: number;
  readonly inbound: boolean;
  readonly remote: Endpoint | undefined;
  readonly local: Endpoint | undefined;
  readonly tls?: TlsPeer | undefined;
  readonly reading?: InboundFacts;
  readonly events?: { readonly separate: boolean };
  readonly ended?: boolean;
}

/**
 * An opaque identifier of one socket, with read-only facts (Pike's README, Design). Everything that
 * can be done with a connection is a method of the connector that made it.
 */
export class Connection {
  readonly #facts: ConnectionFacts;

  /** @internal Connectors make connections. */
  constructor(facts: ConnectionFacts) {
    this.#facts = facts;
  }

  /** Unique within the process, counted from 1. */
  get id(): number {
    return this.#facts.id;
  }

  /** Whether the peer connected to us, rather than we to it. */
  get inbound(): boolean {
    return this.#facts.inbound;
  }

  /** The peer's end; of a connection that we dial, the endpoint asked for until it is connected. */
  get remote(): Endpoint | undefined {
    return this.#facts.remote;
  }

  /** Our end; `undefined` until connected. */
  get local(): Endpoint | undefined {
    return this.#facts.local;
  }

  /** Who the peer is, if the connection is secured by TLS; `undefined` until connected, and otherwise. */
  get tls(): TlsPeer | undefined {
    return this.#facts.tls;
  }

  /** How many bytes have arrived; what TLS adds to them does not count. */
  get bytesRead(): number {
    return this.#facts.reading?.bytesRead ?? 0;
  }

  /** Whether it is not read at present: not open, or what it has sent waits to be taken. */
  get paused(): boolean {
    return this.#facts.reading?.paused ?? false;
  }

  /** Whether its events go to a queue of their own, see `receiveFrom` and `merge` of the connector. */
  get separate(): boolean {
    return this.#facts.events?.separate ?? false;
  }

  /** Whether its last event has come, or is about to. */
  get ended(): boolean {
    return this.#facts.ended ?? false;
  }

  /** The facts that tell connections apart, for logs. Without `tls`: a certificate is long. */
  toJSON(): Pick<ConnectionFacts, 'id' | 'inbound' | 'remote' | 'local'> {
    return { id: this.id, inbound: this.inbound, remote: this.remote, local: this.local };
  }

  /**
   * What stands behind a connection, or `undefined` for anything else.
   * @internal
   */
  static factsOf(connection: unknown): ConnectionFacts | undefined {
    return typeof connection === 'object' && connection !== null && #facts in connection
      ? connection.#facts
      : undefined;
  }
}
