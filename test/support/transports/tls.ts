import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { TLSSocket, connect, createSecureContext } from 'node:tls';
import { NetConnector } from 'nestjs-pike/core';
import { RawPeer, listenForSockets, resetAndDestroy } from '../raw-peer.js';
import type { RawPeerOptions } from '../raw-peer.js';
import { nextTurn } from '../turns.js';
import { findLoopback, tcp } from './tcp.js';
import type { Transport } from './transport.js';

/** A file of the certificates made for tests. */
export function pem(name: string): Buffer {
  return readFileSync(`test/fixtures/tls/${name}`);
}

/** The server's own, and the authority that clients trust: one connector does both. */
const CREDENTIALS = {
  key: pem('server.key'),
  cert: pem('server.pem'),
  ca: pem('ca.pem'),
  servername: 'localhost',
};
const CONTEXT = createSecureContext(CREDENTIALS);

export const tls: Transport = {
  name: 'TLS',
  facts: { ...tcp.facts, knowsAccepted: false, deafUntilAccepted: false },
  createConnector: (options) => new NetConnector({ tls: CREDENTIALS, ...options }),
  findPlace: findLoopback,
  async connectPeer(endpoint, options) {
    const tcpSocket = createConnection({ ...endpoint, allowHalfOpen: true });
    const socket = connect({ socket: tcpSocket, ca: CREDENTIALS.ca, servername: 'localhost' });
    const peer = peerOn(socket, tcpSocket, options);
    await once(socket, 'secureConnect');
    // The server's tickets, or its end, show that its side of the handshake is over, too.
    await Promise.race([once(socket, 'session'), peer.ended]);
    // Tickets come from within OpenSSL, where what is written is not sent.
    await nextTurn();
    return peer;
  },
  listen: (at, options, arrived) =>
    listenForSockets(at, {}, (tcpSocket) => {
      const socket = new TLSSocket(tcpSocket, { isServer: true, secureContext: CONTEXT });
      arrived(peerOn(socket, tcpSocket, options));
    }),
  // The handshake is what nobody answers.
  listenSilently: (at, arrived) => tcp.listen(at, { reading: false }, arrived),
};

function peerOn(socket: TLSSocket, tcpSocket: Socket, options?: RawPeerOptions): RawPeer {
  tcpSocket.on('error', () => {});
  return new RawPeer(socket, () => resetAndDestroy(tcpSocket, socket), options);
}
