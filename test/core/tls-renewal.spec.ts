// Prevents: a certificate that has run out because it takes a restart to exchange it; one that cannot be used
// and leaves a server without any; an exchange that forgets whom the server trusts.
import { connect as tlsConnect, createSecureContext } from 'node:tls';
import type { SecureContext } from 'node:tls';
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
    if (event.type !== 'remoteConnect') return;
    event.finishAccept();
    server.send(event.connection, 'welcome');
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

interface Visit {
  session?: Buffer;
  resumed?: boolean;
  refused?: boolean;
}

/** Connects, with the session of an earlier visit if there is one, and leaves once greeted. */
function visit(server: Connector<string>, session: Buffer | undefined): Promise<Visit> {
  const { port } = addressOf(server) as { port: number };
  const to = { port, host: '127.0.0.1', servername: 'localhost' };
  const socket = tlsConnect({ ...to, ca: CA, ...DEVICE, session });
  return new Promise((resolve) => {
    let given: Buffer | undefined;
    let greeted = false;
    // With TLS 1.3 the session may come behind the greeting; one that is resumed may bring no other.
    const next = (): void => {
      const resumed = socket.isSessionReused();
      if (!greeted || (given === undefined && !resumed)) return;
      resolve({ session: given, resumed });
      socket.end();
    };
    socket.on('session', (received) => {
      given = received;
      next();
    });
    socket.on('data', () => {
      greeted = true;
      next();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ refused: true }));
  });
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

  it('trusts whom it has trusted when ca is undefined: Node would trust every public authority', async () => {
    const server = await listening({ ...SERVER, ca: CA, requestCert: true });
    server.setSecureContext({ ca: undefined });
    await nameShownBy(server, DEVICE);
    await eventually(() => [...server.connections].length === 1);
    expect([...server.connections][0]?.tls?.authorized).toBe(true);
  });

  it('shows the key and cert instead of a pfx, and the other way round', async () => {
    const server = await listening({ pfx: pem('server.p12') });
    const before = await nameShownBy(server);
    server.setSecureContext(DEVICE);
    const after = await nameShownBy(server);
    server.setSecureContext({ pfx: pem('server.p12') });
    const again = await nameShownBy(server);
    expect([before, after, again].map(({ name }) => name)).toEqual([
      'localhost',
      'device-7',
      'localhost',
    ]);
  });

  it('shows the new one, if it was exchanged while it began to listen', async () => {
    const server = connectorOf({ host: '127.0.0.1', port: 0, tls: SERVER });
    server.subscribe(() => undefined);
    const running = server.run();
    server.setSecureContext(DEVICE);
    await running;
    expect(await nameShownBy(server)).toMatchObject({ name: 'device-7' });
  });

  it('ends a handshake under way with the old one, and asks SNICallback as before', async () => {
    const asked: [string, (error: null, context?: SecureContext) => void][] = [];
    const server = await listening({
      ...SERVER,
      SNICallback: (name, found) => asked.push([name, found]),
    });
    const connecting = nameShownBy(server, { servername: 'one.example' });
    await eventually(() => asked.length === 1);
    server.setSecureContext(DEVICE);
    asked[0]?.[1](null);
    expect(await connecting).toMatchObject({ success: true, name: 'localhost' });

    const byName = nameShownBy(server, { servername: 'two.example' });
    await eventually(() => asked.length === 2);
    asked[1]?.[1](null, createSecureContext(SERVER));
    expect(await byName).toMatchObject({ success: true, name: 'localhost' });
    const without = nameShownBy(server, { servername: 'three.example' });
    await eventually(() => asked.length === 3);
    asked[2]?.[1](null);
    expect(await without).toMatchObject({ success: true, name: 'device-7' });
    expect(asked.map(([name]) => name)).toEqual(['one.example', 'two.example', 'three.example']);
  });

  it.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'lets nobody resume a session of %s whom it does not trust any more',
    async (maxVersion) => {
      const server = await listening({ ...SERVER, ca: CA, requestCert: true, maxVersion });
      const first = await visit(server, undefined);
      expect(await visit(server, first.session)).toMatchObject({ resumed: true });

      server.setSecureContext({ ca: STRANGER.cert });

      expect(await visit(server, first.session)).toEqual({ refused: true });
      expect(await visit(server, undefined)).toEqual({ refused: true });
    },
  );

  it.each<[string, unknown]>([
    ['null', null],
    ['no object', 'server.pem'],
  ])('refuses %s', async (_, options) => {
    const server = await listening(SERVER);
    expect(() => server.setSecureContext(options as NetTlsOptions)).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_INVALID_OPTION' }),
    );
  });

  it.each<[string, NetTlsOptions, string]>([
    ['key', { cert: DEVICE.cert }, 'tls.key'],
    ['cert', { key: DEVICE.key }, 'tls.cert'],
  ])('refuses to have no %s, from the start and instead of a pfx', async (_, half, named) => {
    const refusal = expect.objectContaining({
      code: 'PIKE_ERR_INVALID_OPTION',
      message: expect.stringContaining(`"${named}"`),
    });
    expect(() => connectorOf({ port: 0, tls: half })).toThrow(refusal);
    const server = await listening({ pfx: pem('server.p12') });
    expect(() => server.setSecureContext(half)).toThrow(refusal);
    expect(await nameShownBy(server)).toMatchObject({ success: true, name: 'localhost' });
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

  it('shows it instead of that of a context which was made before', async () => {
    const server = await listening({ ...SERVER, ca: CA, requestCert: true });
    const secureContext = createSecureContext({ ca: CA, ...STRANGER });
    const client = connectorOf({ tls: { secureContext } });
    await client.run();
    client.setSecureContext({ ca: CA, ...DEVICE });
    expect(await client.connectWaiting(addressOf(server))).toMatchObject({ success: true });
    await eventually(() => [...server.connections].length === 1);
  });

  it('fails to connect with what a getter cannot read, and connects when it can', async () => {
    const server = await listening(SERVER);
    let found = true;
    const client = connectorOf({
      tls: {
        get ca() {
          if (found) return CA;
          throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
        },
      },
    });
    await client.run();
    const connect = () => client.connectWaiting(addressOf(server));
    found = false;
    expect(await connect()).toMatchObject({
      success: false,
      error: { code: 'PIKE_ERR_CONNECT_FAILED', cause: { code: 'ENOENT' } },
    });
    expect(() => client.setSecureContext(DEVICE)).toThrow(/no such file/);
    found = true;
    expect(await connect()).toMatchObject({ success: true });
  });
});
