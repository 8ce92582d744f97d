import type { Connector, Endpoint, NetConnectorOptions } from 'nestjs-pike/core';
import type { Listening, RawPeer, RawPeerOptions } from '../raw-peer.js';

/** In what one transport rightly differs from another: the contract asks for these, and skips nothing. */
export interface TransportFacts {
  /**
   * Whether it is known to the byte how much the system has accepted. If not, every message of the
   * chunk in flight is uncertain when the connection ends.
   */
  readonly knowsAccepted: boolean;
  /** Whether it is known also after a write has failed. */
  readonly knowsAfterFailedWrite: boolean;
  /** Whether a peer can break the connection off. If not, it can only close. */
  readonly resets: boolean;
  /** Whether a peer that breaks the connection off goes unnoticed until it is accepted. */
  readonly deafUntilAccepted: boolean;
  /** The code of the system's error where nobody listens. */
  readonly refusal: 'ECONNREFUSED' | 'ENOENT';
  /** Whether an attempt to connect may go unanswered. If not, it fails or succeeds at once. */
  readonly leavesUnanswered: boolean;
  /** More bytes than it holds for a peer that does not read. */
  readonly overflow: number;
}

/** A free place to listen at. */
export interface Place {
  endpoint: Endpoint;
  /** Tidies up when nothing listens there any more. */
  remove: () => Promise<void>;
}

/** What a connector stands on, as the contract suite needs it. */
export interface Transport {
  readonly name: string;
  readonly facts: TransportFacts;
  /** A connector over it, which does not run yet. */
  createConnector<T>(options: NetConnectorOptions<T>): Connector<T>;
  /** Where to listen: at an endpoint that is free, or whose port 0 will be replaced by a free one. */
  findPlace(): Promise<Place>;
  /** A raw peer that has connected. Rejects with the system's error if it cannot. */
  connectPeer(endpoint: Endpoint, options?: RawPeerOptions): Promise<RawPeer>;
  /** Listens, without a connector. @param arrived called with each peer that has connected */
  listen(
    at: Endpoint,
    options: RawPeerOptions,
    arrived: (peer: RawPeer) => void,
  ): Promise<Listening>;
  /**
   * Listens, and leaves attempts to connect unanswered, as far as the transport can; see the facts.
   * @param arrived called with each peer that got as far as that
   */
  listenSilently(at: Endpoint, arrived: (peer: RawPeer) => void): Promise<Listening>;
}
