/*
 * Prevents: a connector that works over TCP on one family only, and facts of a connection that
 * are wrong in a log.
 */
import { describe, expect, it } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { Connection } from 'nestjs-pike/core';
import { acceptNobody } from '../support/event-recorder.js';
import { eventually } from '../support/eventually.js';
import { pikeErrorOf } from '../support/rejections.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();

describe('what a connection tells of its input', () => {
  it('is the bytes that have arrived, those of unfinished messages too, and whether it is read', async () => {
    const { connector, connection, events, peer } = await sockets.accepted();
    expect(connection).toMatchObject({ bytesRead: 0, paused: false });

    peer.write('one\nunfini');
    await events.next('messageReceived');
    peer.write('shed');
    await eventually(() => connection.bytesRead === 'one\nunfinished'.length);

    connector.disconnect(connection, { now: true });
    expect(connection.bytesRead).toBe('one\nunfinished'.length);
  });

  it('is that it is not read before it is accepted, nor while its messages wait to be taken', async () => {
    const { connector, events } = await sockets.server({ maxPendingEvents: 1 }, acceptNobody);
    const peer = await sockets.peer(addressOf(connector));
    const arrival = await events.next('remoteConnect');
    const { connection } = arrival;
    expect(connection.paused).toBe(true);
    arrival.finishAccept({ separate: true });
    expect(connection.paused).toBe(false);

    peer.write('one\ntwo\n');
    await eventually(() => connection.paused);

    await connector.receiveFrom(connection);
    await connector.receiveFrom(connection);
    expect(connection.paused).toBe(false);
  });
});

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

describe('a connection', () => {
  it('knows both ends, whichever side dialled', async () => {
    const server = await sockets.server();
    const { connector, events } = await sockets.client();
    const endpoint = addressOf(server.connector);
    const connection = connector.connect(endpoint);
    expect(connection.toJSON()).toEqual({
      id: expect.any(Number),
      inbound: false,
      remote: endpoint,
      local: undefined,
    });
    await events.next('finishConnect');
    const { connection: inbound } = await server.events.next('remoteConnect');

    expect(connection.remote).toEqual(endpoint);
    expect(connection.local).toEqual(inbound.remote);
    expect(inbound.local).toEqual(endpoint);
    expect(inbound.inbound).toBe(true);
    expect(inbound.id).not.toBe(connection.id);
  });

  it('shows the address that a name stood for, once connected', async () => {
    const { connector: server } = await sockets.server();
    const { port } = addressOf(server) as { port: number };
    const { connector, events } = await sockets.client();
    const connection = connector.connect({ host: 'localhost', port });
    expect(connection.remote).toEqual({ host: 'localhost', port });

    await events.next('finishConnect');

    expect(connection.remote).toEqual({ host: '127.0.0.1', port });
  });

  it('keeps its facts after it has ended', async () => {
    const { connector, connection, events } = await sockets.accepted();
    const facts = connection.toJSON();
    connector.disconnect(connection, { now: true });
    await events.next('finishDisconnect');
    await connector.shutdown({ now: true });

    expect(JSON.parse(JSON.stringify(connection))).toEqual(facts);
  });

  it('is among the connections from the call that makes it to its last event', async () => {
    const { connector, connection, peer } = await sockets.accepted();
    const listener = await sockets.listener();
    const dialled = connector.connect(listener.address);
    expect([...connector.connections]).toEqual([connection, dialled]);

    connector.disconnect(dialled, { now: true });
    expect([...connector.connections]).toEqual([connection]);

    peer.end();
    await peer.ended;
    expect([...connector.connections]).toEqual([]);
  });
});

describe('a connection of another connector', () => {
  it('is refused by every method, and so is what is no connection at all', async () => {
    const { connection } = await sockets.accepted();
    const { connector } = await sockets.client();
    const forged = Object.create(Connection.prototype) as Connection;

    for (const foreign of [connection, forged, {} as Connection, null as never]) {
      for (const use of [
        () => connector.send(foreign, 'x'),
        () => connector.disconnect(foreign, { now: true }),
        () => connector.drained(foreign),
        () => connector.flushed(foreign),
        () => connector.withdraw(foreign, 'x'),
        () => connector.receiveFrom(foreign),
        () => connector.merge(foreign),
      ]) {
        expect(await pikeErrorOf(use)).toMatchObject({ code: 'PIKE_ERR_FOREIGN_CONNECTION' });
      }
    }
  });
});
