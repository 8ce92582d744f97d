/*
 * Prevents: an application that believes it listens and does not, that cannot tell why listening
 * failed, or whose port stays taken after it has stopped.
 */
import { describe, expect, it } from '@jest/globals';
import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import { once } from 'node:events';
import type { Endpoint } from 'nestjs-pike/core';
import { pikeErrorOf } from '../support/rejections.js';
import { addressOf, unusedEndpoint, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();
const LOOPBACK = { host: '127.0.0.1', port: 0 };

describe('run', () => {
  it('listens on a free port when the port is 0, and says which', async () => {
    const connector = await sockets.running(LOOPBACK);

    expect(connector.address).toEqual({ host: '127.0.0.1', port: expect.any(Number) });
    expect(addressOf(connector)).not.toEqual(LOOPBACK);
    await sockets.peer(addressOf(connector));
  });

  it('listens on the port that was asked for', async () => {
    const endpoint = await unusedEndpoint();
    const connector = await sockets.running(endpoint);

    expect(connector.address).toEqual(endpoint);
  });

  it('does not listen when neither a port nor a path was given', async () => {
    const connector = await sockets.running();

    expect(connector.address).toBeUndefined();
  });

  it('rejects when the port is in use, and keeps the cause', async () => {
    const { address } = await sockets.listener();
    const connector = sockets.idle(address);

    const error = await pikeErrorOf(() => connector.run());

    expect(error).toMatchObject({
      code: 'PIKE_ERR_LISTEN_FAILED',
      message: expect.stringContaining(`127.0.0.1:${(address as { port: number }).port}`),
      cause: { code: 'EADDRINUSE' },
    });
    expect(connector.address).toBeUndefined();
  });

  it.each([
    ['an address that is not ours', { host: '203.0.113.1', port: 0 }],
    ['a folder that does not exist', { path: '/nowhere/at/all' }],
  ])('rejects with a code and a cause for %s', async (_, options) => {
    const error = await pikeErrorOf(() => sockets.idle(options).run());

    expect(error).toMatchObject({
      code: 'PIKE_ERR_LISTEN_FAILED',
      cause: { code: expect.any(String) },
    });
  });

  it('rejects when it is called again', async () => {
    const connector = sockets.idle();
    const first = connector.run();

    expect(await pikeErrorOf(() => connector.run())).toMatchObject({
      code: 'PIKE_ERR_ALREADY_RUNNING',
    });
    await first;
    expect(await pikeErrorOf(() => connector.run())).toMatchObject({
      code: 'PIKE_ERR_ALREADY_RUNNING',
    });
  });

  it('rejects after shutdown: a connector is used once', async () => {
    const connector = await sockets.running();
    await connector.shutdown({ now: true });

    expect(await pikeErrorOf(() => connector.run())).toMatchObject({
      code: 'PIKE_ERR_ALREADY_RUNNING',
    });
  });

  it('ends with nothing listening when shutdown is called before it has resolved', async () => {
    const endpoint = (await unusedEndpoint()) as { host: string; port: number };
    const connector = sockets.idle({ ...endpoint, host: 'localhost' });

    const running = connector.run();
    await connector.shutdown({ now: true });
    await running;

    expect(connector.address).toBeUndefined();
    await expectRefused(endpoint);
  });
});

describe('before run has resolved', () => {
  it('refuses to connect', async () => {
    const { address } = await sockets.listener();
    const connector = sockets.idle();

    expect(await pikeErrorOf(() => connector.connect(address))).toMatchObject({
      code: 'PIKE_ERR_NOT_RUNNING',
    });
    const running = connector.run();
    expect(await pikeErrorOf(() => connector.connectWaiting(address))).toMatchObject({
      code: 'PIKE_ERR_NOT_RUNNING',
    });
    await running;
    connector.connect(address);
  });

  it('can be shut down', async () => {
    const connector = sockets.idle(LOOPBACK);

    await connector.shutdown({ finishQueues: true });

    expect(await connector.receive()).toBeUndefined();
  });

  it('has neither an address nor connections', () => {
    const connector = sockets.idle(LOOPBACK);

    expect(connector.address).toBeUndefined();
    expect([...connector.connections]).toEqual([]);
  });
});

describe('stopListening', () => {
  it('refuses new peers and keeps the present ones', async () => {
    const { connector, connection, events, peer } = await sockets.accepted();
    const endpoint = addressOf(connector);

    await connector.stopListening();

    expect(connector.address).toBeUndefined();
    await expectRefused(endpoint);
    connector.send(connection, 'still here');
    await peer.sees('still here\n');
    peer.write('me too\n');
    await events.next('messageReceived');
    expect(events.messages()).toEqual(['me too']);
  });

  it('frees the port at once', async () => {
    const { connector } = await sockets.accepted();
    const endpoint = addressOf(connector);
    await connector.stopListening();

    const second = await sockets.running(endpoint);

    expect(second.address).toEqual(endpoint);
  });

  it('may be called again, and on a connector that does not listen', async () => {
    const connector = await sockets.running(LOOPBACK);
    await Promise.all([connector.stopListening(), connector.stopListening()]);
    await connector.stopListening();
    await (await sockets.running()).stopListening();

    expect(connector.address).toBeUndefined();
  });

  it('goes on dialling', async () => {
    const { address } = await sockets.listener();
    const { connector, events } = await sockets.server();
    await connector.stopListening();

    connector.connect(address);

    expect(await events.next('finishConnect')).toMatchObject({ success: true });
  });
});

describe('maxConnections', () => {
  it('refuses peers beyond it without an event, and takes others once there is room', async () => {
    const { connector, events } = await sockets.server({ maxConnections: 1 });
    const first = await sockets.peer(addressOf(connector));
    await events.next('remoteConnect');

    const refused = await sockets.peer(addressOf(connector));
    await refused.ended;

    expect(events.types()).toEqual(['remoteConnect']);
    first.end();
    await events.next('remoteDisconnect');
    await first.closed;
    const next = await sockets.peer(addressOf(connector));
    await events.next('remoteConnect');
    next.write('in\n');
    await events.next('messageReceived');
  });

  it('counts those that are still lingering', async () => {
    const { connector, connection, events, peer } = await sockets.accepted({
      maxConnections: 1,
      lingerTimeout: 60_000,
    });
    connector.disconnect(connection, { finishQueues: true });
    await events.next('finishDisconnect');
    expect([...connector.connections]).toEqual([]);

    const refused = await sockets.peer(addressOf(connector));
    await refused.ended;

    expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    peer.end();
    await peer.closed;
  });
});

async function expectRefused(endpoint: Endpoint): Promise<void> {
  const socket: Socket = createConnection(endpoint);
  const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException];
  expect(error.code).toBe('ECONNREFUSED');
}
