import { MEMORY_PIPE_BYTES, MemoryConnector } from 'nestjs-pike/testing';
import { MEMORY_NETWORK } from '../../../src/testing/memory-network.js';
import type { MemorySocket } from '../../../src/testing/memory-socket.js';
import { RawPeer } from '../raw-peer.js';
import type { RawPeerOptions } from '../raw-peer.js';
import { findLoopback } from './tcp.js';
import type { Transport } from './transport.js';

export const memory: Transport = {
  name: 'memory',
  facts: {
    knowsAccepted: true,
    knowsAfterFailedWrite: true,
    resets: true,
    deafUntilAccepted: true,
    refusal: 'ECONNREFUSED',
    leavesUnanswered: false,
    overflow: 4 * MEMORY_PIPE_BYTES,
  },
  createConnector: (options) => new MemoryConnector(options),
  findPlace: findLoopback,
  connectPeer: (endpoint, options) =>
    new Promise((resolve, reject) => {
      const socket = MEMORY_NETWORK.dial(endpoint, () => resolve(peer));
      const peer = peerOn(socket, options);
      socket.once('error', reject);
    }),
  async listen(at, options, arrived) {
    const listenOn = 'path' in at ? at : { port: at.port, host: at.host };
    const { address, close } = MEMORY_NETWORK.listen(listenOn, (socket) =>
      arrived(peerOn(socket, options)),
    );
    return { address, close: async () => close() };
  },
  async listenSilently() {
    const { address, close } = MEMORY_NETWORK.listen({ port: 0, host: undefined }, () => {});
    close();
    return { address, close: async () => {} };
  },
};

function peerOn(socket: MemorySocket, options: RawPeerOptions | undefined): RawPeer {
  return new RawPeer(socket, () => socket.resetAndDestroy(), options);
}
