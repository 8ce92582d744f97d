import { NetConnector } from 'nestjs-pike/core';
import { RawPeer, listenForSockets } from '../raw-peer.js';
import { startSilentHost } from '../silent-host.js';
import type { Place, Transport } from './transport.js';

export const tcp: Transport = {
  name: 'TCP',
  facts: {
    knowsAccepted: true,
    knowsAfterFailedWrite: false,
    resets: true,
    deafUntilAccepted: true,
    refusal: 'ECONNREFUSED',
    leavesUnanswered: true,
    overflow: 12_000_000,
  },
  createConnector: (options) => new NetConnector(options),
  findPlace: findLoopback,
  connectPeer: (endpoint, options) => RawPeer.connect(endpoint, options),
  listen: (at, options, arrived) =>
    listenForSockets(at, options, (socket) => arrived(RawPeer.over(socket, options))),
  listenSilently: (at) => startSilentHost(at),
};

/** A port of the loopback that the system picks. */
export async function findLoopback(): Promise<Place> {
  return { endpoint: { host: '127.0.0.1', port: 0 }, remove: async () => {} };
}
