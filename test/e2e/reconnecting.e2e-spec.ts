// Prevents: a server restarts, and its clients stay away, lose what they had not sent, send it
// twice or in another order, or collect for ever what they cannot send.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { NetConnector } from 'nestjs-pike/core';
import { firstValueFrom, take, toArray } from 'rxjs';
import { muteLogger } from '../support/mute-logger.js';
import { nextTurn } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import {
  clientOf,
  clientPair,
  dataUpTo,
  echo,
  outcomeOf,
  RawServer,
  statusOf,
} from './raw-server.js';

const sockets = useSockets();
beforeEach(() => muteLogger());
afterEach(() => {
  jest.restoreAllMocks();
});

describe('a client whose connection was lost', () => {
  it('is connected again by itself, though nobody uses it', async () => {
    const { server, client, peer } = await clientPair(sockets);
    const statuses = firstValueFrom(client.status.pipe(take(3), toArray()));
    peer.raw.reset();
    await server.accept();
    await expect(statuses).resolves.toEqual(['connected', 'reconnecting', 'connected']);
  });

  it('goes on though the server ends the connection in an orderly way', async () => {
    const { server, client, peer } = await clientPair(sockets);
    peer.raw.end();
    echo(await server.accept());
    await expect(outcomeOf(client.send('echo', 1))).resolves.toEqual([1]);
  });

  it('keeps its connector, and what was registered with it', async () => {
    const { server, client, peer } = await clientPair(sockets);
    const connector = client.unwrap();
    const events: string[] = [];
    client.on('remoteDisconnect', ({ type }) => events.push(type));
    for (let round = 0, present = peer; round < 2; round++) {
      present.raw.reset();
      present = await server.accept();
      await statusOf(client, 'connected');
    }
    expect(client.unwrap()).toBe(connector);
    expect(events).toHaveLength(2);
  });

  it('sends what comes meanwhile when it is connected again, in its order', async () => {
    const { server, client, peer } = await clientPair(sockets);
    await server.stop();
    await peer.raw.closed;
    await statusOf(client, 'reconnecting');
    const results = [
      outcomeOf(client.emit('e', 1)),
      outcomeOf(client.send('r', 2)),
      outcomeOf(client.emit('e', 3)),
      outcomeOf(client.send('r', 4)),
    ];
    await server.restart();
    const next = await server.accept();
    await expect(dataUpTo(next, 4)).resolves.toEqual([1, 2, 3, 4]);
    echo(next);
    await expect(Promise.all(results)).resolves.toEqual([[undefined], [2], [undefined], [4]]);
  });

  it('is waited for by connect()', async () => {
    const { server, client } = await clientPair(sockets);
    await server.stop();
    await statusOf(client, 'reconnecting');
    const connected = client.connect();
    await server.restart();
    await connected;
    await expect(firstValueFrom(client.status)).resolves.toBe('connected');
  });

  it('sends what had not left again, ahead of what is new, and nothing else', async () => {
    const { server, client, peer } = await clientPair(sockets);
    const inDoubt = outcomeOf(client.send('r', 'in doubt'));
    await peer.reply(({ data }) => data === 'in doubt');
    peer.raw.pause();
    // More than the system takes: of these, some leave wholly and the rest comes back.
    const big = (index: number): string => `${index} `.padEnd(300_000, 'x');
    const results = Array.from({ length: 30 }, (_, index) =>
      outcomeOf(client.send('r', big(index))),
    );
    await nextTurn();
    await server.stop();
    await statusOf(client, 'reconnecting');
    const newer = outcomeOf(client.send('r', 'new'));
    await server.restart();
    const next = await server.accept();
    const resent = (await dataUpTo(next, 'new')).map((data) => parseInt(data as string));
    echo(next);
    await expect(inDoubt).resolves.toMatchObject({ delivery: 'in-doubt' });
    await expect(newer).resolves.toEqual(['new']);
    const outcomes = await Promise.all(results);
    const answered = outcomes.map((result) => !(result instanceof Error));
    // Each by its own reply, though it has another id than on the connection that was lost.
    for (const [index, result] of outcomes.entries()) {
      if (Array.isArray(result)) expect(parseInt(result[0] as string)).toBe(index);
    }
    const first = answered.indexOf(true);
    expect(first).toBeGreaterThan(0);
    expect(resent).toEqual([...Array.from({ length: 30 - first }, (_, i) => first + i), NaN]);
    expect(answered.lastIndexOf(false)).toBe(first - 1);
  });

  it('sends an event again, and its caller never notices', async () => {
    const { server, client, peer } = await clientPair(sockets);
    peer.raw.pause();
    for (let i = 0; i < 20; i++)
      client.send('r', 'x'.repeat(500_000)).subscribe({ error: () => 0 });
    const result = outcomeOf(client.emit('e', 'kept'));
    await nextTurn();
    peer.raw.reset();
    const next = await server.accept();
    await expect(result).resolves.toEqual([undefined]);
    await next.reply(({ data }) => data === 'kept');
  });

  it('sends what was given in the very moment of the loss when it is connected again', async () => {
    const { server, client } = await clientPair(sockets);
    const connector = client.unwrap();
    for (const connection of connector.connections) {
      connector.disconnect(connection, { now: true });
    }
    // The connection has ended, and nobody has been told yet.
    const results = [
      outcomeOf(client.emit('e', 1)),
      outcomeOf(client.send('r', 2)),
      outcomeOf(client.emit('e', 3)),
    ];
    const next = await server.accept();
    await expect(dataUpTo(next, 3)).resolves.toEqual([1, 2, 3]);
    echo(next);
    await expect(Promise.all(results)).resolves.toEqual([[undefined], [2], [undefined]]);
  });

  it('sends what was given while the connection was finishing when it is connected again', async () => {
    const { server, client, peer } = await clientPair(sockets, {}, false);
    const big = outcomeOf(client.emit('e', 'x'.repeat(16_000_000)));
    await nextTurn();
    const connector = client.unwrap();
    for (const connection of connector.connections) {
      connector.disconnect(connection, { finishQueues: true });
    }
    const late = outcomeOf(client.emit('e', 'late'));
    peer.raw.resume();
    await expect(big).resolves.toEqual([undefined]);
    const next = await server.accept();
    next.raw.resume();
    await expect(dataUpTo(next, 'late')).resolves.toEqual(['late']);
    await expect(late).resolves.toEqual([undefined]);
  });

  it('does not send again what was cancelled meanwhile', async () => {
    const { server, client } = await clientPair(sockets);
    await server.stop();
    await statusOf(client, 'reconnecting');
    client.send('r', 'unwanted').subscribe().unsubscribe();
    client.emit('e', 'wanted');
    await server.restart();
    await expect(dataUpTo(await server.accept(), 'wanted')).resolves.toEqual(['wanted']);
  });

  it('counts the ids of each connection from 1', async () => {
    const { server, client, peer } = await clientPair(sockets);
    client.send('r', 'a').subscribe({ error: () => undefined });
    await peer.reply(({ id }) => id === 1);
    peer.raw.reset();
    const next = await server.accept();
    const result = outcomeOf(client.send('r', 'b'));
    await expect(next.reply(({ data }) => data === 'b')).resolves.toMatchObject({ id: 1 });
    next.send({ id: 1, response: 'b', isDisposed: true });
    await expect(result).resolves.toEqual(['b']);
  });

  it('fails what was not sent if it is told not to send again', async () => {
    const { server, client, peer } = await clientPair(sockets, { retryUnsent: false });
    peer.raw.pause();
    const results = Array.from({ length: 20 }, () =>
      outcomeOf(client.send('r', 'x'.repeat(500_000))),
    );
    await nextTurn();
    peer.raw.reset();
    const errors = await Promise.all(results);
    expect(errors.at(-1)).toMatchObject({ code: 'PIKE_ERR_CONNECTION_LOST', delivery: 'unsent' });
    echo(await server.accept());
    await expect(outcomeOf(client.send('r', 'new'))).resolves.toEqual(['new']);
  });

  it('lets no more wait than it may, and says so', async () => {
    const { server, client } = await clientPair(sockets, { maxOfflineMessages: 2 });
    await server.stop();
    await statusOf(client, 'reconnecting');
    const [one, two, tooMuch] = [1, 2, 3].map((data) => outcomeOf(client.send('r', data)));
    await expect(tooMuch).resolves.toMatchObject({
      code: 'PIKE_ERR_QUEUE_FULL',
      delivery: 'unsent',
      message: expect.stringContaining('maxOfflineMessages'),
    });
    await server.restart();
    echo(await server.accept());
    await expect(Promise.all([one, two])).resolves.toEqual([[1], [2]]);
  });

  it('lets each wait no longer than it may, and says why it is not connected', async () => {
    const { server, client } = await clientPair(sockets, { offlineTimeout: 20 });
    await server.stop();
    await statusOf(client, 'reconnecting');
    const results = [client.send('r', 1), client.emit('e', 2)].map(outcomeOf);
    for (const result of results) {
      await expect(result).resolves.toMatchObject({
        code: 'PIKE_ERR_OFFLINE_TIMEOUT',
        delivery: 'unsent',
        cause: { code: expect.stringMatching(/^PIKE_ERR_(CONNECT_FAILED|REMOTE_ENDED)$/) },
      });
    }
    await server.restart();
    echo(await server.accept());
    await expect(outcomeOf(client.send('r', 3))).resolves.toEqual([3]);
  });

  it('gives up after so many attempts, and begins anew when it is used', async () => {
    const { server, client } = await clientPair(sockets, {
      reconnect: { minDelay: 1, maxDelay: 20, attempts: 2 },
    });
    const lost = statusOf(client, 'reconnecting');
    await server.stop();
    await lost;
    const waiting = outcomeOf(client.send('r', 1));
    const failed = { code: 'PIKE_ERR_CONNECT_FAILED', delivery: 'unsent' };
    await expect(client.connect()).rejects.toMatchObject(failed);
    await expect(waiting).resolves.toMatchObject(failed);
    await expect(firstValueFrom(client.status)).resolves.toBe('disconnected');
    await expect(outcomeOf(client.send('r', 2))).resolves.toMatchObject(failed);
    await server.restart();
    const result = outcomeOf(client.send('r', 3));
    echo(await server.accept());
    await expect(result).resolves.toEqual([3]);
  });

  it('stays disconnected until it is used, if it is told not to reconnect', async () => {
    const { server, client, peer } = await clientPair(sockets, { reconnect: false });
    const inDoubt = outcomeOf(client.send('r', 1));
    await peer.reply(({ data }) => data === 1);
    peer.raw.reset();
    await expect(inDoubt).resolves.toMatchObject({ delivery: 'in-doubt' });
    await expect(firstValueFrom(client.status)).resolves.toBe('disconnected');
    expect(() => client.unwrap()).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_NOT_RUNNING' }),
    );
    const result = outcomeOf(client.send('r', 2));
    echo(await server.accept());
    await expect(result).resolves.toEqual([2]);
  });

  it('can be closed meanwhile: what waits fails, unsent', async () => {
    const { server, client } = await clientPair(sockets);
    await server.stop();
    await statusOf(client, 'reconnecting');
    const results = [client.send('r', 1), client.emit('e', 2)].map(outcomeOf);
    const connecting = client.connect().catch((error: unknown) => error);
    await client.close();
    for (const result of results) {
      await expect(result).resolves.toMatchObject({
        code: 'PIKE_ERR_CLIENT_CLOSED',
        delivery: 'unsent',
      });
    }
    await expect(connecting).resolves.toMatchObject({ code: 'PIKE_ERR_CONNECT_ABORTED' });
    await expect(firstValueFrom(client.status)).resolves.toBe('disconnected');
  });

  it('does not send for ever what connection after connection breaks on', async () => {
    const { server, client, peer } = await clientPair(sockets, {}, false);
    // A server that ends the connection as soon as it has seen that a message is too large for it.
    const poison = outcomeOf(client.send('r', 'x'.repeat(16_000_000)));
    const innocent = outcomeOf(client.send('r', 'innocent'));
    const state = { settled: false };
    void poison.then(() => (state.settled = true));
    let present = peer;
    let broken = 0;
    for (; !state.settled; present = await server.accept()) {
      present.raw.end();
      broken++;
    }
    present.raw.resume();
    echo(present);
    await expect(poison).resolves.toMatchObject({
      code: 'PIKE_ERR_REMOTE_ENDED',
      delivery: 'unsent',
    });
    await expect(innocent).resolves.toEqual(['innocent']);
    expect(broken).toBeGreaterThanOrEqual(3);
  });
});

describe("the system's error", () => {
  it('is the cause of what a caller is told, for whoever cannot connect', async () => {
    const server = await RawServer.start(sockets);
    await server.stop();
    const client = clientOf(sockets, server);
    const refused = { code: 'PIKE_ERR_CONNECT_FAILED', cause: { code: 'ECONNREFUSED' } };
    await expect(client.connect()).rejects.toMatchObject(refused);
    await expect(outcomeOf(client.send('r', 1))).resolves.toMatchObject(refused);
  });

  it('is so for whoever has lost the connection', async () => {
    const server = await RawServer.start(sockets);
    const client = clientOf(sockets, server);
    const result = outcomeOf(client.send('r', 1));
    const peer = await server.acceptRaw();
    await peer.bytes(1);
    peer.reset();
    await expect(result).resolves.toMatchObject({
      code: 'PIKE_ERR_CONNECTION_LOST',
      cause: { code: 'ECONNRESET' },
    });
  });
});

describe('a client of several servers', () => {
  it('takes the first that accepts, and another when that is lost', async () => {
    const [one, two] = [await RawServer.start(sockets), await RawServer.start(sockets)];
    await one.stop();
    const client = clientOf(sockets, one, { endpoints: [one.at, two.at] });
    await client.connect();
    const peer = await two.accept();
    await one.restart();
    await two.stop();
    await peer.raw.closed;
    echo(await one.accept());
    await expect(outcomeOf(client.send('r', 1))).resolves.toEqual([1]);
  });

  it('says of each why it could not be connected to', async () => {
    const [one, two] = [await RawServer.start(sockets), await RawServer.start(sockets)];
    await Promise.all([one.stop(), two.stop()]);
    const client = clientOf(sockets, one, { endpoints: [one.at, two.at] });
    const ports = [one, two].map(({ at }) => (at as { port: number }).port);
    await expect(outcomeOf(client.send('r', 1))).resolves.toMatchObject({
      code: 'PIKE_ERR_CONNECT_FAILED',
      delivery: 'unsent',
      message: expect.stringMatching(`${ports[0]}.*${ports[1]}`),
    });
  });
});

describe('a client with a connector of the application', () => {
  it('fails its callers if somebody else takes the events of the connector', async () => {
    const server = await RawServer.start(sockets);
    const client = clientOf(sockets, server, {
      connector: (options) => {
        const connector = new NetConnector(options);
        connector.subscribe(() => undefined);
        return connector;
      },
    });
    const failed = { code: 'PIKE_ERR_SUBSCRIBED', delivery: 'unsent' };
    await expect(client.connect()).rejects.toMatchObject(failed);
    await expect(outcomeOf(client.send('r', 1))).resolves.toMatchObject(failed);
    await expect(firstValueFrom(client.status)).resolves.toBe('disconnected');
  });

  it('makes one for each time from connect to close, with the options of a connector', async () => {
    const server = await RawServer.start(sockets);
    const made: NetConnector<unknown>[] = [];
    const given: unknown[] = [];
    const client = clientOf(sockets, server, {
      maxMessageBytes: 1000,
      connector: (options) => {
        given.push(Object.keys(options).sort());
        made.push(new NetConnector(options));
        return made.at(-1)!;
      },
    });
    expect(made).toHaveLength(0);
    await client.connect();
    expect(client.unwrap()).toBe(made[0]);
    await client.close();
    await client.connect();
    expect(client.unwrap()).toBe(made[1]);
    expect(made).toHaveLength(2);
    expect(given[0]).toEqual(['converter', 'lingerTimeout', 'maxMessageBytes', 'onError']);
  });

  it('fails its callers with what making one throws', async () => {
    const server = await RawServer.start(sockets);
    const failure = new Error('no connector today');
    const client = clientOf(sockets, server, {
      connector: () => {
        throw failure;
      },
    });
    await expect(client.connect()).rejects.toBe(failure);
    for (const result of [client.send('r', 1), client.emit('e', 2)].map(outcomeOf)) {
      await expect(result).resolves.toMatchObject({
        code: 'PIKE_ERR_CONNECT_FAILED',
        delivery: 'unsent',
        cause: failure,
      });
    }
  });

  it('fails its callers if the connector does not start, and tries with another', async () => {
    const server = await RawServer.start(sockets);
    let broken = true;
    const client = clientOf(sockets, server, {
      connector: (options) => {
        const connector = new NetConnector(options);
        if (broken) void connector.shutdown({ now: true });
        broken = false;
        return connector;
      },
    });
    await expect(outcomeOf(client.send('r', 1))).resolves.toMatchObject({ delivery: 'unsent' });
    const result = outcomeOf(client.send('r', 2));
    echo(await server.accept());
    await expect(result).resolves.toEqual([2]);
  });
});
