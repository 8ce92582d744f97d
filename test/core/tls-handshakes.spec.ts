// Prevents: a peer that never ends its handshake keeps a connector, and its process, from ending; a peer whose
// handshake is done is cut off with those; nobody learns why peers do not get through.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Finish, HandshakeDiagnostics, NetTlsOptions } from 'nestjs-pike/core';
import { eventually } from '../support/eventually.js';
import { pem } from '../support/transports/tls.js';
import type { Recorded } from '../support/use-sockets.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();

const CA = pem('ca.pem');
const SERVER = { key: pem('server.key'), cert: pem('server.pem') };
const MUTUAL = { ...SERVER, ca: CA, requestCert: true };
const STRANGER = { key: pem('stranger.key'), cert: pem('stranger.pem') };
/** The beginning of a message of the handshake. */
const BEGUN = Buffer.from('1603010200', 'hex');

const PLACES: [string, (options: object) => Promise<Recorded>][] = [
  ['TCP', (options) => sockets.server(options)],
  [
    'a unix-domain socket',
    async (options) => sockets.client({ path: await sockets.socketPath(), ...options }),
  ],
];

describe.each(PLACES)('a handshake over %s', (_, serve) => {
  it('that never ends is given up after acceptTimeout', async () => {
    const server = await serve({ tls: SERVER, acceptTimeout: 100 });
    const peers = await Promise.all([1, 2].map(() => sockets.peer(addressOf(server.connector))));
    peers[1]?.write(BEGUN);
    await Promise.all(peers.map(({ ended }) => ended));
    expect(server.events.all).toEqual([]);
  });

  it.each<[string, Finish]>([
    ['now', { now: true }],
    ['finishing messages', { finishMessages: true }],
    ['finishing queues', { finishQueues: true }],
  ])('ends with a shutdown, %s, which leaves those alone that are done', async (__, how) => {
    const server = await serve({ tls: SERVER });
    const endpoint = addressOf(server.connector);
    const peers = await Promise.all([1, 2, 3].map(() => sockets.peer(endpoint)));
    peers[1]?.write(BEGUN);
    const client = await sockets.client({ tls: { ca: CA, servername: 'localhost' } });
    const { connection } = await client.connector.connectWaiting(endpoint);
    client.connector.send(connection, 'done with the handshake');
    const { connection: inbound } = await server.events.next('messageReceived');
    server.connector.send(inbound, 'x'.repeat(1_000_000));

    await server.connector.shutdown(how);

    await Promise.all(peers.map(({ ended }) => ended));
    expect(server.events.types()).toEqual(['remoteConnect', 'messageReceived', 'finishDisconnect']);
    if ('finishQueues' in how) await client.events.next('messageReceived');
  });
});

describe('a handshake that fails', () => {
  let told: HandshakeDiagnostics[];
  const tell = (message: unknown) => told.push(message as HandshakeDiagnostics);
  beforeEach(() => {
    told = [];
    subscribe('nestjs-pike:handshake', tell);
  });
  afterEach(() => {
    unsubscribe('nestjs-pike:handshake', tell);
  });

  async function shake(tls: NetTlsOptions, options: object): Promise<Recorded> {
    const server = await sockets.server({ tls });
    const { port } = addressOf(server.connector) as { port: number };
    const socket = tlsConnect({ port, host: '127.0.0.1', ca: CA, ...options });
    socket.on('error', () => undefined).resume();
    sockets.defer(async () => socket.destroy());
    await eventually(() => told.length > 0);
    return server;
  }

  it.each<[string, NetTlsOptions, object, RegExp]>([
    ['no certificate', MUTUAL, {}, /peer did not return a certificate/],
    ['one of a stranger', MUTUAL, STRANGER, /SELF_SIGNED|UNABLE_TO|DEPTH_ZERO/],
    [
      'no version that is taken',
      { ...SERVER, minVersion: 'TLSv1.3' },
      { maxVersion: 'TLSv1.2' },
      /unsupported protocol|version/,
    ],
  ])('tells why, and whose it was, of a client that has %s', async (_, tls, options, why) => {
    const { connector, events } = await shake(tls, options);

    expect(told).toEqual([
      {
        error: expect.objectContaining({
          name: 'PikeError',
          code: 'PIKE_ERR_HANDSHAKE_FAILED',
          message: expect.stringMatching(why),
          cause: expect.objectContaining({ code: expect.any(String) }),
        }),
        remote: { host: '127.0.0.1', port: expect.any(Number) },
        local: connector.address,
      },
    ]);
    const [{ error, remote }] = told as [HandshakeDiagnostics];
    expect(error.message).toContain(`127.0.0.1:${(remote as { port: number }).port}`);
    expect(events.all).toEqual([]);
  });

  it('is told of peers that speak something else, go away, or take too long, once of each', async () => {
    const { connector } = await sockets.server({ tls: SERVER, acceptTimeout: 200 });
    const peers = await Promise.all([1, 2, 3].map(() => sockets.peer(addressOf(connector))));
    peers[0]?.write('GET / HTTP/1.1\r\n\r\n');
    peers[1]?.reset();

    await Promise.all(peers.map(({ ended }) => ended));
    await eventually(() => told.length === 3);

    expect(new Set(told.map(({ error }) => (error.cause as { code: string }).code))).toEqual(
      new Set(['ERR_SSL_HTTP_REQUEST', 'ECONNRESET', 'ERR_TLS_HANDSHAKE_TIMEOUT']),
    );
  });

  it('is not told of those that we give up ourselves, by a shutdown', async () => {
    const { connector } = await sockets.server({ tls: SERVER });
    const peer = await sockets.peer(addressOf(connector));
    peer.write(BEGUN);
    const client = await sockets.client({ tls: { ca: CA, servername: 'localhost' } });
    await client.connector.connectWaiting(addressOf(connector));
    await connector.shutdown({ now: true });
    await peer.ended;
    expect(told).toEqual([]);
  });
});
