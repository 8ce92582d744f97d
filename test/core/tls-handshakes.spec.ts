// Prevents: a peer that never ends its handshake keeps a connector, and its process, from ending; a peer whose
// handshake is done is cut off with those; nobody learns why peers do not get through.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect as tlsConnect } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Finish, HandshakeDiagnostics, NetTlsOptions } from 'nestjs-pike/core';
import { eventually } from '../support/eventually.js';
import { RawPeer } from '../support/raw-peer.js';
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

  it('counts in maxConnections until it has failed', async () => {
    const server = await serve({ tls: SERVER, maxConnections: 2 });
    const endpoint = addressOf(server.connector);
    const peers = await Promise.all([1, 2].map(() => sockets.peer(endpoint)));
    await sockets.refused(endpoint);
    for (const peer of peers) peer.reset();

    const client = await sockets.client({ tls: { ca: CA, servername: 'localhost' } });
    const connect = async () => (await client.connector.connectWaiting(endpoint)).success;
    // The server learns of the resets when it gets round to it.
    while (!(await connect())) continue;
    await server.events.next('remoteConnect');
    expect(server.events.types()).toEqual(['remoteConnect']);
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

describe.each(PLACES)('a shutdown over %s', (_, serve) => {
  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'leaves no socket open, however far a handshake of %s has come',
    async (version) => {
      const hello = await helloOf(version);
      const before = openSockets();
      const { connector, events } = await serve({ tls: MUTUAL });
      const place = addressOf(connector);
      const silent = await RawPeer.connect(place);
      const halfway = await RawPeer.connect(place);
      halfway.write(hello.subarray(0, hello.length / 2));
      const answered = await RawPeer.connect(place);
      answered.write(hello);
      // The server's turn is over, and it waits for the client's.
      await answered.bytes(1);
      const peers = [silent, halfway, answered];

      await connector.shutdown({ finishQueues: true });

      await Promise.all(peers.map(({ ended }) => ended));
      await Promise.all(peers.map((peer) => peer.destroy()));
      await eventually(() => openSockets() === before);
      expect(events.all).toEqual([]);
    },
  );
});

/** What a client says first. */
async function helloOf(maxVersion: 'TLSv1.2' | 'TLSv1.3'): Promise<Buffer> {
  const listener = await sockets.listener();
  const socket = tlsConnect({
    ...(listener.address as { host: string; port: number }),
    maxVersion,
  });
  socket.on('error', () => undefined);
  const peer = await listener.accept();
  const length = (await peer.bytes(5)).readUInt16BE(3);
  const hello = await peer.bytes(5 + length);
  const closed = once(socket, 'close');
  socket.destroy();
  await Promise.all([closed, peer.destroy(), listener.close()]);
  return hello;
}

/** How many sockets this process has open. */
function openSockets(): number {
  const sorts = new Set(['TCPSocketWrap', 'PipeWrap', 'TLSWrap']);
  return process.getActiveResourcesInfo().filter((sort) => sorts.has(sort)).length;
}

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
        connector,
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

  it('is that of a peer which ends its side in the middle, as those do that look whether a port is open', async () => {
    // Were it kept until then, the test would have run out of time.
    const { connector } = await sockets.server({ tls: SERVER, acceptTimeout: 2_147_483_647 });
    const peers = await Promise.all([1, 2].map(() => sockets.peer(addressOf(connector))));
    peers[1]?.write(BEGUN);
    for (const peer of peers) peer.end();

    await Promise.all(peers.map(({ ended }) => ended));
    await eventually(() => told.length === 2);

    for (const { error } of told) expect(error.cause).toMatchObject({ code: 'ECONNRESET' });
  });

  it('is told without an address of a peer on a unix-domain socket', async () => {
    const path = await sockets.socketPath();
    await sockets.client({ path, tls: SERVER });
    (await sockets.peer({ path })).write('hello\n');
    await eventually(() => told.length === 1);
    expect(told).toMatchObject([
      { error: { code: 'PIKE_ERR_HANDSHAKE_FAILED' }, remote: undefined, local: { path } },
    ]);
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
