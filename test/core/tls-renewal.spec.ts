// Prevents: a certificate that has run out because it takes a restart to exchange it; one that cannot be used
// and leaves a server without any; an exchange that forgets whom the server trusts.
import { describe, expect, it } from '@jest/globals';
import { NetConnector } from 'nestjs-pike/core';
import type { Connector, NetConnectorOptions, NetTlsOptions } from 'nestjs-pike/core';
import { eventually } from '../support/eventually.js';
import { LineConverter } from '../support/line-converter.js';
import { pem } from '../support/transports/tls.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();

const CA = pem('ca.pem');
const SERVER = { key: pem('server.key'), cert: pem('server.pem') };
/** The same authority has issued it, for another name. */
const DEVICE = { key: pem('client.key'), cert: pem('client.pem') };
const STRANGER = { key: pem('stranger.key'), cert: pem('stranger.pem') };

function connectorOf(options: Partial<NetConnectorOptions<string>>): NetConnector<string> {
  const connector = new NetConnector({ converter: new LineConverter(), ...options });
  sockets.defer(() => connector.shutdown({ now: true }));
  return connector;
}

async function listening(tls: NetTlsOptions): Promise<NetConnector<string>> {
  const server = connectorOf({ host: '127.0.0.1', port: 0, tls });
  server.subscribe((event) => {
    if (event.type === 'remoteConnect') event.finishAccept();
  });
  await server.run();
  return server;
}

/** By which name a server, or a client, is known to who connects to it, or is connected to. */
async function nameShownBy(server: Connector<string>, options: NetTlsOptions = {}) {
  const tls = { ca: CA, checkServerIdentity: () => undefined, ...options };
  const client = await sockets.client({ tls });
  const { success, connection } = await client.connector.connectWaiting(addressOf(server));
  return { success, connection, name: connection.tls?.certificate?.subject.CN, client };
}

describe('a server whose certificate is exchanged', () => {
  it('shows the new one from the next handshake on, and goes on with who is there', async () => {
    const server = await listening(SERVER);
    const before = await nameShownBy(server);

    server.setSecureContext(DEVICE);
    const after = await nameShownBy(server);

    expect([before.name, after.name]).toEqual(['localhost', 'device-7']);
    await eventually(() => [...server.connections].length === 2);
    before.client.connector.send(before.connection, 'still here');
    await before.client.connector.flushed(before.connection);
  });

  it('trusts whom it has trusted, and is asked for as much', async () => {
    const server = await listening({ ...SERVER, ca: CA, requestCert: true });
    server.setSecureContext(DEVICE);
    const known = await nameShownBy(server, DEVICE);
    const stranger = await nameShownBy(server, STRANGER);
    await stranger.client.events.next('remoteDisconnect', stranger.connection);

    expect([...server.connections].map(({ tls }) => tls?.certificate?.subject.CN)).toEqual([
      'device-7',
    ]);
    expect(known).toMatchObject({ success: true, name: 'device-7' });
  });

  it('trusts another authority, if that is what is exchanged, and shows the same', async () => {
    const server = await listening({ ...SERVER, ca: STRANGER.cert, requestCert: true });
    const refused = await nameShownBy(server, DEVICE);
    await refused.client.events.next('remoteDisconnect', refused.connection);

    server.setSecureContext({ ca: CA });

    expect(await nameShownBy(server, DEVICE)).toMatchObject({ success: true, name: 'localhost' });
    await eventually(() => [...server.connections].length === 1);
  });

  it('keeps what each exchange has left alone', async () => {
    const server = await listening(SERVER);
    server.setSecureContext(DEVICE);
    server.setSecureContext({ minVersion: 'TLSv1.3' });
    expect(await nameShownBy(server, { maxVersion: 'TLSv1.2' })).toMatchObject({ success: false });
    expect(await nameShownBy(server)).toMatchObject({ success: true, name: 'device-7' });
  });

  it.each<[string, NetTlsOptions]>([
    ['a key of another certificate', { key: DEVICE.key, cert: SERVER.cert }],
    ['what is no certificate', { cert: 'none' }],
  ])('refuses %s, and goes on with the old', async (_, wrong) => {
    const server = await listening(SERVER);
    expect(() => server.setSecureContext(wrong)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining('tls'),
      }),
    );
    expect(await nameShownBy(server)).toMatchObject({ success: true, name: 'localhost' });
  });

  it('takes it before it listens and after it has shut down, too', async () => {
    const server = connectorOf({ host: '127.0.0.1', port: 0, tls: SERVER });
    server.setSecureContext(DEVICE);
    server.subscribe(() => undefined);
    await server.run();
    expect(await nameShownBy(server)).toMatchObject({ name: 'device-7' });
    await server.shutdown({ now: true });
    expect(() => server.setSecureContext(SERVER)).not.toThrow();
  });

  it('is told that it speaks no TLS, if it does not', () => {
    const plain = connectorOf({ host: '127.0.0.1', port: 0 });
    expect(() => plain.setSecureContext(SERVER)).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_INVALID_OPTION' }),
    );
  });
});

describe('a client whose certificate is exchanged', () => {
  it('shows the new one to whom it connects next', async () => {
    const server = await listening({
      ...SERVER,
      ca: CA,
      requestCert: true,
      rejectUnauthorized: false,
    });
    const client = connectorOf({ tls: { ca: CA, ...STRANGER } });
    await client.run();
    await client.connectWaiting(addressOf(server));
    client.setSecureContext(DEVICE);
    await client.connectWaiting(addressOf(server));

    await eventually(() => [...server.connections].length === 2);
    expect([...server.connections].map(({ tls }) => tls?.authorized)).toEqual([false, true]);
  });
});
