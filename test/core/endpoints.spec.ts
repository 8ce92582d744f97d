/*
 * Prevents: a connector that works over TCP on one family only, a host name that leads nowhere or
 * hides why, and a socket file that is left behind, or taken from somebody who lives.
 */
import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { pikeErrorOf } from '../support/rejections.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();

describe('a unix-domain socket', () => {
  it('serves as an endpoint on both sides', async () => {
    const path = await sockets.socketPath();
    const server = await sockets.client({ path });
    const client = await sockets.client();
    expect(server.connector.address).toEqual({ path });

    const { connection, success } = await client.connector.connectWaiting({ path });
    expect(success).toBe(true);
    client.connector.send(connection, 'over');
    const { connection: inbound } = await server.events.next('messageReceived');
    server.connector.send(inbound, 'and back');
    await client.events.next('messageReceived');

    expect(client.events.messages()).toEqual(['and back']);
    expect(connection.toJSON()).toEqual({
      id: connection.id,
      inbound: false,
      remote: { path },
      local: undefined,
    });
    expect(inbound.toJSON()).toEqual({
      id: inbound.id,
      inbound: true,
      remote: undefined,
      local: { path },
    });
  });

  it('replaces the socket file that a process has left behind when it was killed', async () => {
    const path = await sockets.socketPath();
    const code = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    const { signal } = spawnSync(process.execPath, ['--eval', code]);
    expect({ signal, left: existsSync(path) }).toEqual({ signal: 'SIGKILL', left: true });
    const { connector } = await sockets.client({ path });
    await sockets.peer({ path });
    await connector.stopListening();
    expect(existsSync(path)).toBe(false);
  });

  it('does not take a path from a process that lives, or from a file that is no socket', async () => {
    const path = await sockets.socketPath();
    const { connector } = await sockets.client({ path });
    await expect(sockets.running({ path })).rejects.toMatchObject({
      code: 'PIKE_ERR_LISTEN_FAILED',
      cause: { code: 'EADDRINUSE' },
    });
    await sockets.peer({ path });
    await connector.stopListening();
    writeFileSync(path, 'precious');
    await expect(sockets.running({ path })).rejects.toMatchObject({
      code: 'PIKE_ERR_LISTEN_FAILED',
    });
    expect(readFileSync(path, 'utf8')).toBe('precious');
  });

  it('ends as TCP does: the three ways, a peer that ends, a peer that is lost', async () => {
    const path = await sockets.socketPath();
    const { connector, events } = await sockets.client({ path });
    for (const how of [{ now: true }, { finishMessages: true }, { finishQueues: true }] as const) {
      const peer = await sockets.peer({ path });
      const { connection } = await events.next('remoteConnect');
      connector.send(connection, 'bye');
      connector.disconnect(connection, how);
      await peer.ended;
      expect(peer.text).toBe('finishQueues' in how ? 'bye\n' : '');
      expect((await events.next('finishDisconnect')).queued).toEqual(
        'finishQueues' in how ? [] : ['bye'],
      );
      peer.end();
    }
    const polite = await sockets.peer({ path });
    polite.write('last\n');
    polite.end();
    await events.next('remoteDisconnect');
    expect(events.messages()).toEqual(['last']);

    const lost = await sockets.peer({ path });
    const { connection } = await events.next('remoteConnect', undefined);
    await lost.destroy();
    await events.next('remoteDisconnect');
    expect(connector.send(connection, 'late')).toBe(false);
  });

  it('gives the path back when the connector stops listening', async () => {
    const path = await sockets.socketPath();
    const first = await sockets.running({ path });
    const second = sockets.idle({ path });
    expect(await pikeErrorOf(() => second.run())).toMatchObject({
      code: 'PIKE_ERR_LISTEN_FAILED',
      message: expect.stringContaining(path),
      cause: { code: 'EADDRINUSE' },
    });

    await first.shutdown({ now: true });

    expect((await sockets.running({ path })).address).toEqual({ path });
  });

  it('fails to connect where nobody listens', async () => {
    const path = await sockets.socketPath();
    const { connector } = await sockets.client();

    expect(await connector.connectWaiting({ path })).toMatchObject({
      success: false,
      error: {
        code: 'PIKE_ERR_CONNECT_FAILED',
        message: expect.stringContaining(path),
        cause: { code: 'ENOENT' },
      },
    });
  });
});

describe('IPv6', () => {
  const present = Object.values(networkInterfaces())
    .flat()
    .some((one) => one?.address === '::1');

  it('serves as an endpoint on both sides, where the machine has it', async () => {
    if (!present) {
      const connector = sockets.idle({ host: '::1', port: 0 });
      expect((await pikeErrorOf(() => connector.run())).code).toBe('PIKE_ERR_LISTEN_FAILED');
      return;
    }
    const { connector, events } = await sockets.server({ host: '::1' });
    expect(connector.address).toEqual({ host: '::1', port: expect.any(Number) });
    const peer = await sockets.peer(addressOf(connector));
    const { connection } = await events.next('remoteConnect');
    expect(connection.remote).toMatchObject({ host: '::1' });

    connector.send(connection, 'hello');

    expect(await peer.sees('hello\n')).toBe('hello\n');
  });
});

describe('a host name', () => {
  it('that does not exist fails to connect', async () => {
    const { connector, events } = await sockets.client();
    connector.connect({ host: 'nowhere.invalid', port: 1 });

    expect(await events.next('finishConnect')).toMatchObject({
      success: false,
      error: { code: 'PIKE_ERR_CONNECT_FAILED', message: expect.stringContaining('nowhere') },
    });
  });

  it('leads to its host', async () => {
    const { address } = await sockets.listener();
    const { connector, events } = await sockets.client();
    const { port } = address as { port: number };
    const connection = connector.connect({ host: 'localhost', port });
    connector.send(connection, 'hello');

    expect(await events.next('finishConnect')).toMatchObject({ success: true });
    await connector.flushed(connection);
  });

  it('whose every address refuses is named with what went wrong', async () => {
    const { port } = (await sockets.unusedEndpoint()) as { port: number };
    const { connector, events } = await sockets.client();
    connector.connect({ host: 'localhost', port });

    const { error } = await events.next('finishConnect');

    expect(error?.message).toContain('ECONNREFUSED');
  });

  it('is replaced by the address that it stood for, once connected', async () => {
    const { connector: server } = await sockets.server();
    const { port } = addressOf(server) as { port: number };
    const { connector, events } = await sockets.client();
    const connection = connector.connect({ host: 'localhost', port });
    expect(connection.remote).toEqual({ host: 'localhost', port });

    await events.next('finishConnect');

    expect(connection.remote).toEqual({ host: '127.0.0.1', port });
  });

  it('can be listened on, and given up while it is looked up', async () => {
    const endpoint = (await sockets.unusedEndpoint()) as { host: string; port: number };
    const connector = sockets.idle({ ...endpoint, host: 'localhost' });

    const running = connector.run();
    await connector.shutdown({ now: true });
    await running;

    expect(connector.address).toBeUndefined();
    await expect(sockets.peer(endpoint)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});

describe('a place that cannot be listened on', () => {
  it.each([
    ['an address that is not ours', { host: '203.0.113.1', port: 0 }],
    ['a folder that does not exist', { path: '/nowhere/at/all' }],
  ])('rejects with a code and a cause: %s', async (_, options) => {
    const error = await pikeErrorOf(() => sockets.idle(options).run());

    expect(error).toMatchObject({
      code: 'PIKE_ERR_LISTEN_FAILED',
      cause: { code: expect.any(String) },
    });
  });
});
