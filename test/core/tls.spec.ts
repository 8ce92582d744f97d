// Prevents: a connection that is believed to be secured and is not, a peer that takes part without
// the certificate that is demanded, and a handshake that never ends.
import { connect as tlsConnect } from 'node:tls';
import { describe, expect, it } from '@jest/globals';
import type { Connection, Connector, NetTlsOptions } from 'nestjs-pike/core';
import { pem } from '../support/transports/tls.js';
import type { Recorded } from '../support/use-sockets.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();

const CA = pem('ca.pem');
const SERVER = { key: pem('server.key'), cert: pem('server.pem') };
const CLIENT = { key: pem('client.key'), cert: pem('client.pem') };
const STRANGER = { key: pem('stranger.key'), cert: pem('stranger.pem') };

/** A connection that has come as far as the handshake. */
interface Reached {
  connector: Connector<string>;
  connection: Connection;
  abortion: AbortController;
}

/** A server and a client with these options, and the result of connecting. */
async function connected(
  serverTls: NetTlsOptions,
  clientTls: NetTlsOptions,
  options: { host?: string; acceptTimeout?: number } = {},
) {
  const server = await sockets.server({ tls: serverTls });
  const client: Recorded = await sockets.client({ tls: clientTls });
  const { port } = addressOf(server.connector) as { port: number };
  const endpoint = { host: options.host ?? '127.0.0.1', port };
  return { server, client, endpoint, result: await client.connector.connectWaiting(endpoint) };
}

describe('TLS', () => {
  it('carries messages both ways, and says who the server is', async () => {
    const { server, client, result } = await connected(SERVER, { ca: CA });
    expect(result.success).toBe(true);
    const { connection } = result;
    client.connector.send(connection, 'over');
    const { connection: inbound } = await server.events.next('messageReceived');
    server.connector.send(inbound, 'and back');
    await client.events.next('messageReceived');
    expect(server.events.messages()).toEqual(['over']);
    expect(client.events.messages()).toEqual(['and back']);
    expect(connection.tls).toMatchObject({
      authorized: true,
      authorizationError: undefined,
      certificate: { subject: { CN: 'localhost' } },
      protocol: 'TLSv1.3',
    });
    // Nobody asked the client for a certificate.
    expect(inbound.tls).toMatchObject({ authorized: false, certificate: undefined });
  });

  it('brings more than the system takes at a time, in order, and drains', async () => {
    const { server, client, result } = await connected(SERVER, { ca: CA });
    const messages = Array.from({ length: 500 }, (_, index) => `${index} ${'x'.repeat(20_000)}`);
    for (const message of messages) client.connector.send(result.connection, message);
    client.connector.disconnect(result.connection, { finishQueues: true });
    const { queued, uncertain } = await client.events.next('finishDisconnect');
    expect([queued, uncertain]).toEqual([[], []]);
    await server.events.next('remoteDisconnect');
    expect(server.events.messages()).toEqual(messages);
  });

  it('is spoken over unix-domain sockets, where the certificate must be for the servername, or for localhost', async () => {
    const path = await sockets.socketPath();
    const server = await sockets.client({ path, tls: SERVER });
    const connect = async (tls: NetTlsOptions) => {
      const client = await sockets.client({ tls: { ca: CA, ...tls } });
      return client.connector.connectWaiting({ path });
    };
    for (const tls of [{}, { servername: 'localhost' }]) {
      expect(await connect(tls)).toMatchObject({ success: true });
      await server.events.next('remoteConnect');
    }
    expect(await connect({ servername: 'elsewhere.example' })).toMatchObject({
      success: false,
      error: { cause: { code: 'ERR_TLS_CERT_ALTNAME_INVALID' } },
    });
  });

  it('reads the options of a client for each connection, so that its certificates can be renewed', async () => {
    const server = await sockets.server({ tls: SERVER });
    let ca = pem('stranger.pem');
    const client = await sockets.client({
      tls: {
        get ca() {
          return ca;
        },
      },
    });
    const connect = () => client.connector.connectWaiting(addressOf(server.connector));
    expect(await connect()).toMatchObject({ success: false });
    ca = CA;
    expect(await connect()).toMatchObject({ success: true });
  });

  it('gives the server name that was asked for', async () => {
    const { server, result } = await connected(SERVER, { ca: CA }, { host: 'localhost' });
    expect(result.success).toBe(true);
    const { connection } = await server.events.next('remoteConnect');
    expect(connection.tls?.servername).toBe('localhost');
  });

  it.each([
    ['whose authority is not trusted', {}, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'],
    [
      'that is for another name',
      { ca: CA, servername: 'example.org' },
      'ERR_TLS_CERT_ALTNAME_INVALID',
    ],
  ])('does not connect to a server with a certificate %s', async (_, tls, code) => {
    const { server, result } = await connected(SERVER, tls);
    expect(result).toMatchObject({
      success: false,
      error: { code: 'PIKE_ERR_CONNECT_FAILED', cause: { code } },
    });
    await server.connector.shutdown({ now: true });
  });

  it('does not connect to a server that does not speak it, and says nothing', async () => {
    // Not one with a converter: the bytes of a handshake are random, and some are messages.
    const { address } = await sockets.listener();
    const client = await sockets.client({ tls: { ca: CA }, connectTimeout: 100 });
    const result = await client.connector.connectWaiting(address);
    expect(result).toMatchObject({ success: false, error: { code: 'PIKE_ERR_CONNECT_TIMEOUT' } });
  });

  it('does not connect to a server that speaks something else', async () => {
    const listener = await sockets.listener();
    const client = await sockets.client({ tls: { ca: CA } });
    const connecting = client.connector.connectWaiting(listener.address);
    (await listener.accept()).write('220 smtp.example.org ESMTP\r\n');
    expect(await connecting).toMatchObject({
      success: false,
      error: { code: 'PIKE_ERR_CONNECT_FAILED', cause: { code: expect.stringMatching(/SSL/) } },
    });
  });

  describe('that demands certificates of clients', () => {
    const MUTUAL = { ...SERVER, ca: CA, requestCert: true };

    it('knows who they are', async () => {
      const { server, result } = await connected(MUTUAL, { ca: CA, ...CLIENT });
      expect(result.success).toBe(true);
      const { connection } = await server.events.next('remoteConnect');
      expect(connection.tls).toMatchObject({
        authorized: true,
        certificate: { subject: { CN: 'device-7' } },
      });
    });

    it.each([
      ['none', {}],
      ['one of a stranger', STRANGER],
    ])('never announces a client that shows %s', async (_, certificate) => {
      const { server, client, result } = await connected(MUTUAL, { ca: CA, ...certificate });
      // With TLS 1.3 a client is refused after it is done.
      if (result.success) await client.events.next('remoteDisconnect', result.connection);
      const good = await sockets.client({ tls: { ca: CA, ...CLIENT } });
      await good.connector.connectWaiting(addressOf(server.connector));
      await server.events.next('remoteConnect');
      expect(server.events.types().filter((type) => type === 'remoteConnect')).toHaveLength(1);
    });
  });

  it('costs a peer that sends garbage instead of a handshake its connection only', async () => {
    const { server, client, result } = await connected(SERVER, { ca: CA });
    const peer = await sockets.peer(addressOf(server.connector));
    peer.write('GET / HTTP/1.1\r\n\r\n');
    await peer.ended;
    client.connector.send(result.connection, 'still here');
    await server.events.next('messageReceived');
    expect(server.events.messages()).toEqual(['still here']);
  });

  it.each<[string, object, (reached: Reached) => void]>([
    ['aborted', { code: 'PIKE_ERR_CONNECT_ABORTED' }, ({ abortion }) => abortion.abort()],
    [
      'disconnected',
      { code: 'PIKE_ERR_CONNECT_ABORTED' },
      ({ connector, connection }) => connector.disconnect(connection, { now: true }),
    ],
    [
      'given a deadline',
      { code: 'PIKE_ERR_DEADLINE' },
      ({ connector, connection }) =>
        connector.disconnect(connection, { finishQueues: true, deadline: 1 }),
    ],
    [
      'shut down',
      { code: 'PIKE_ERR_CONNECT_ABORTED' },
      ({ connector }) => void connector.shutdown({ finishQueues: true }),
    ],
  ])(
    'does not wait for a handshake that the server never ends when %s',
    async (_, error, giveUp) => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client({ tls: { ca: CA } });
      const abortion = new AbortController();
      const connection = connector.connect(listener.address, { signal: abortion.signal });
      connector.send(connection, 'waits');
      // The server has our part of the handshake, so TCP has been connected for long.
      const server = await listener.accept();
      await server.bytes(1);

      giveUp({ connector, connection, abortion });

      expect(await events.next('finishConnect')).toMatchObject({
        success: false,
        queued: ['waits'],
        error,
      });
      await server.ended;
    },
  );

  it('reports what was in flight when the peer was lost as uncertain, and what was behind as queued', async () => {
    const server = await sockets.server({ tls: SERVER, chunkBytes: 65_536 });
    const { port } = addressOf(server.connector) as { port: number };
    const peer = tlsConnect({ port, host: '127.0.0.1', ca: CA, servername: 'localhost' });
    peer.on('error', () => undefined);
    const { connection } = await server.events.next('remoteConnect');
    peer.pause();
    const messages = Array.from({ length: 1000 }, (_, index) => `${index} ${'x'.repeat(20_000)}`);
    for (const message of messages) server.connector.send(connection, message);
    await new Promise((resolve) => setImmediate(resolve));
    server.connector.disconnect(connection, { now: true });
    const { incomplete, uncertain, queued } = await server.events.next('finishDisconnect');
    expect(uncertain.length).toBeGreaterThan(0);
    expect(queued.length).toBeGreaterThan(0);
    const returned = [...(incomplete === undefined ? [] : [incomplete]), ...uncertain, ...queued];
    expect(messages.slice(-returned.length)).toEqual(returned);
    peer.destroy();
  });

  it('keeps early messages until the peer is accepted', async () => {
    const server = await sockets.server({ tls: SERVER }, () => undefined);
    const client = await sockets.client({ tls: { ca: CA } });
    const { connection } = await client.connector.connectWaiting(addressOf(server.connector));
    client.connector.send(connection, 'early');
    await client.connector.flushed(connection);
    const event = await server.events.next('remoteConnect');
    expect(server.events.messages()).toEqual([]);
    event.finishAccept();
    await server.events.next('messageReceived');
    expect(server.events.messages()).toEqual(['early']);
  });
});
