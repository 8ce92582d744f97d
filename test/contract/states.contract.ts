/*
 * Prevents: a connection that leaves a state otherwise than the table of states says, with another
 * event or none, or with a message whose fate is not known. Each test is named after its row.
 */
import { describe, expect, it } from '@jest/globals';
import type { Connection } from 'nestjs-pike/core';
import { NEXT_STATES } from '../../src/core/connection-state.js';
import { countsOf } from '../support/books.js';
import type { Fates } from '../support/books.js';
import { acceptNobody } from '../support/event-recorder.js';
import { eventually } from '../support/eventually.js';
import { StatePaths, stateOf } from '../support/state-path.js';
import type { Transport } from '../support/transports/transport.js';
import { inputHandled, nextTurn } from '../support/turns.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Pair, Recorded } from '../support/use-sockets.js';

const NONE = { sent: 0, incomplete: 0, queued: 0, uncertain: 0, rejected: 0, withdrawn: 0 };
const WAYS = [{ now: true }, { finishMessages: true }, { finishQueues: true }] as const;

/** Asserts how many messages met which fate; those not mentioned: none. */
function expectFates(fates: Fates, counts: Partial<Record<keyof Fates, number>>): void {
  expect(countsOf(fates)).toEqual({ ...NONE, ...counts });
}

export function states(transport: Transport): void {
  const sockets = useSockets(transport);
  const { knowsAccepted, leavesUnanswered } = transport.facts;
  const paths = new StatePaths();

  describe('connecting', () => {
    /** A connection that is being dialled, with a message that waits. */
    async function dialling(
      endpoint: Parameters<Recorded['connector']['connect']>[0],
      options?: Parameters<Recorded['connector']['connect']>[1],
    ): Promise<Recorded & { connection: Connection }> {
      const client = await sockets.client();
      const connection = client.connector.connect(endpoint, options);
      client.connector.send(connection, 'one');
      paths.expectState(connection, 'connecting');
      return { ...client, connection };
    }

    /** Asserts that connecting has failed: one event, and the message is back. */
    async function expectFailed(
      { connection, events, books }: Recorded & { connection: Connection },
      code: string,
    ): Promise<void> {
      expect(await events.next('finishConnect')).toMatchObject({
        success: false,
        queued: ['one'],
        error: { code },
      });
      paths.expectState(connection, 'closed');
      expect(events.types()).toEqual(['finishConnect']);
      expectFates(books.fates(connection), { queued: 1 });
    }

    it('connected → open + FinishConnect(success); send queues until then', async () => {
      const listener = await sockets.listener();
      const { connector, connection, events, books } = await dialling(listener.address);

      expect(await events.next('finishConnect')).toMatchObject({ success: true, queued: [] });
      paths.expectState(connection, 'open');
      connector.send(connection, 'two');

      const peer = await listener.accept();
      await connector.flushed(connection);
      connector.disconnect(connection, { now: true });
      expectFates(await books.fatesSeenBy(peer, connection), { sent: 2 });
    });

    it('failed → closed + FinishConnect(failure, queued)', async () => {
      await expectFailed(await dialling(await sockets.unusedEndpoint()), 'PIKE_ERR_CONNECT_FAILED');
    });

    it('timed out → closed + FinishConnect(failure, queued)', async () => {
      await expectFailed(
        await dialling(await sockets.silentEndpoint(), { timeout: 20 }),
        leavesUnanswered ? 'PIKE_ERR_CONNECT_TIMEOUT' : 'PIKE_ERR_CONNECT_FAILED',
      );
    });

    it('aborted → closed + FinishConnect(failure, queued)', async () => {
      const abortion = new AbortController();
      const { signal } = abortion;
      const dialled = await dialling(await sockets.silentEndpoint(), { signal });

      abortion.abort();

      await expectFailed(dialled, 'PIKE_ERR_CONNECT_ABORTED');
    });

    it.each(WAYS)('shut down with %j → closed + FinishConnect(failure, queued)', async (how) => {
      const dialled = await dialling((await sockets.listener()).address);

      await dialled.connector.shutdown(how);

      await expectFailed(dialled, 'PIKE_ERR_CONNECT_ABORTED');
    });

    it.each([{ now: true }, { finishMessages: true }] as const)(
      'disconnected with %j → closed + FinishConnect(failure, queued)',
      async (how) => {
        const dialled = await dialling((await sockets.listener()).address);

        dialled.connector.disconnect(dialled.connection, how);

        await expectFailed(dialled, 'PIKE_ERR_CONNECT_ABORTED');
      },
    );

    it('disconnected with finishQueues takes effect once open', async () => {
      const listener = await sockets.listener();
      const { connector, connection, events, books } = await dialling(listener.address);

      connector.disconnect(connection, { finishQueues: true });

      paths.expectState(connection, 'connecting');
      await events.next('finishDisconnect');
      expect(events.types()).toEqual(['finishConnect', 'finishDisconnect']);
      expectFates(await books.fatesSeenBy(await listener.accept(), connection), { sent: 1 });
    });
  });

  describe('arriving', () => {
    /** A peer that nobody has accepted yet, with a message that waits for it. */
    async function arriving(
      options: Parameters<typeof sockets.server>[0] = {},
    ): Promise<Pair & { finishAccept: () => boolean }> {
      const server = await sockets.server(options, acceptNobody);
      const peer = await sockets.peer(addressOf(server.connector));
      const event = await server.events.next('remoteConnect');
      const { connection } = event;
      server.connector.send(connection, 'one');
      paths.expectState(connection, 'arriving');
      return { ...server, connection, peer, finishAccept: () => event.finishAccept() };
    }

    /** Asserts that the peer was refused: it has seen nothing, and the message is back. */
    async function expectRefused(pair: Pair, error: unknown): Promise<void> {
      const { connection, events, books, peer } = pair;
      expect(await events.next('finishDisconnect')).toMatchObject({ queued: ['one'], error });
      paths.expectState(connection, 'closed');
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      expectFates(await books.fatesSeenBy(peer, connection), { queued: 1 });
      expect(peer.bytesReceived).toBe(0);
    }

    it('finishAccept → open; nothing is read or sent before it', async () => {
      const { connector, connection, events, books, peer, finishAccept } = await arriving();
      peer.write('early\n');
      for (let i = 0; i < 5; i++) await inputHandled();
      expect(peer.bytesReceived).toBe(0);
      expect(events.types()).toEqual(['remoteConnect']);

      finishAccept();

      paths.expectState(connection, 'open');
      await connector.flushed(connection);
      await events.next('messageReceived');
      connector.disconnect(connection, { now: true });
      expectFates(await books.fatesSeenBy(peer, connection), { sent: 1 });
    });

    it.each(WAYS)('disconnect with %j → closed + FinishDisconnect', async (how) => {
      const pair = await arriving();
      pair.connector.disconnect(pair.connection, how);
      await expectRefused(pair, undefined);
    });

    it.each(WAYS)('shutdown with %j → closed + FinishDisconnect', async (how) => {
      const pair = await arriving();
      await pair.connector.shutdown(how);
      await expectRefused(pair, undefined);
    });

    it('acceptTimeout → closed + FinishDisconnect', async () => {
      const pair = await arriving({ acceptTimeout: 250 });
      await expectRefused(pair, { code: 'PIKE_ERR_ACCEPT_TIMEOUT' });
      expect(pair.finishAccept()).toBe(false);
    });

    it('a peer that has left comes to light at finishAccept', async () => {
      const { connection, events, books, peer, finishAccept } = await arriving();
      peer.end();
      await peer.finished;
      await inputHandled();
      paths.expectState(connection, 'arriving');

      finishAccept();

      await events.next('remoteDisconnect');
      expect(events.types()).toEqual(['remoteConnect', 'remoteDisconnect']);
      await books.fatesSeenBy(peer, connection);
    });
  });

  describe('open', () => {
    it('disconnect or shutdown with now → closed + FinishDisconnect', async () => {
      for (const how of ['disconnect', 'shutdown'] as const) {
        const { connector, connection, events, books, peer } = await sockets.clogged();
        await nextTurn();
        paths.expectState(connection, 'open');

        if (how === 'disconnect') connector.disconnect(connection, { now: true });
        else void connector.shutdown({ now: true });

        paths.expectState(connection, 'closed');
        const { uncertain, queued } = await events.next('finishDisconnect');
        expect(uncertain.length > 0).toBe(!knowsAccepted);
        expect(queued.length).toBeGreaterThan(0);
        await books.fatesSeenBy(peer, connection);
      }
    });

    it.each([{ finishMessages: true }, { finishQueues: true }] as const)(
      'disconnect or shutdown with %j → finishing',
      async (how) => {
        for (const verb of ['disconnect', 'shutdown'] as const) {
          const { connector, connection, events, books, peer } = await sockets.clogged();
          await nextTurn();
          paths.expectState(connection, 'open');

          if (verb === 'disconnect') connector.disconnect(connection, how);
          else void connector.shutdown(how);

          paths.expectState(connection, 'finishing');
          const { sent, queued } = await books.fatesSeenBy(peer, connection);
          await events.next('finishDisconnect');
          expect(sent.length).toBeGreaterThan(0);
          expect(queued.length > 0).toBe('finishMessages' in how);
        }
      },
    );

    it('remote end → closed + RemoteDisconnect', async () => {
      const { connection, events, books, peer } = await sockets.clogged();
      await nextTurn();
      paths.expectState(connection, 'open');
      peer.write('last words\n');
      peer.end();

      const { error, queued } = await events.next('remoteDisconnect');

      paths.expectState(connection, 'closed');
      expect(error).toBeUndefined();
      expect(queued.length).toBeGreaterThan(0);
      expect(events.types()).toEqual(['remoteConnect', 'messageReceived', 'remoteDisconnect']);
      await books.fatesSeenBy(peer, connection);
    });

    it('remote error → closed + RemoteDisconnect', async () => {
      const { connection, events, books, peer } = await sockets.clogged();
      await nextTurn();
      peer.reset();

      // With bytes unread, closing breaks the connection off as well.
      const { error, queued } = await events.next('remoteDisconnect');

      paths.expectState(connection, 'closed');
      expect(error).toMatchObject({ code: 'PIKE_ERR_CONNECTION_LOST' });
      expect(queued.length).toBeGreaterThan(0);
      books.fates(connection);
    });

    it('remote end, with allowHalfOpen → remoteEnded', async () => {
      const { connector, connection, events, books, peer } = await halfOpened();

      connector.send(connection, 'reply');

      await connector.flushed(connection);
      expect(events.types()).toEqual(['remoteConnect', 'messageReceived']);
      connector.disconnect(connection, { now: true });
      expectFates(await books.fatesSeenBy(peer, connection), { sent: 1 });
    });
  });

  /** A connection whose peer has ended its side. */
  async function halfOpened(): Promise<Pair> {
    const pair = await sockets.accepted({ allowHalfOpen: true, peerReads: false });
    const { connection, events, peer } = pair;
    paths.expectState(connection, 'open');
    peer.write('request\n');
    peer.end();
    await events.next('messageReceived');
    await eventually(() => stateOf(connection) !== 'open');
    paths.expectState(connection, 'remoteEnded');
    peer.resume();
    return pair;
  }

  describe('remoteEnded', () => {
    it('we disconnect with now → closed + RemoteDisconnect', async () => {
      const pair = await halfOpened();
      const { connector, connection, events, books, peer } = pair;
      peer.pause();
      sockets.clog(pair);
      await nextTurn();

      connector.disconnect(connection, { now: true });

      paths.expectState(connection, 'closed');
      const { queued, uncertain } = await events.next('remoteDisconnect');
      expect(queued.length).toBeGreaterThan(0);
      expect(uncertain.length > 0).toBe(!knowsAccepted);
      await books.fatesSeenBy(peer, connection);
    });

    it('we finish → closed + RemoteDisconnect, everything sent', async () => {
      const pair = await halfOpened();
      const { connector, connection, events, books, peer } = pair;
      peer.pause();
      sockets.clog(pair);

      connector.disconnect(connection, { finishQueues: true });

      paths.expectState(connection, 'finishing');
      peer.resume();
      expect(await events.next('remoteDisconnect')).toMatchObject({ error: undefined });
      const { sent } = await books.fatesSeenBy(peer, connection);
      expect(sent).toEqual(books.given(connection));
      await peer.closed;
      expect(events.types().at(-1)).toBe('remoteDisconnect');
    });
  });

  describe('finishing', () => {
    it('new sends are rejected; reading and delivering go on', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true });

      expect(connector.send(connection, 'late')).toBe(false);
      peer.write('still heard\n');

      await events.next('messageReceived');
      paths.expectState(connection, 'finishing');
      const fates = await books.fatesSeenBy(peer, connection);
      expectFates(fates, { sent: books.given(connection).length - 1, rejected: 1 });
    });

    it('last byte accepted → lingering + FinishDisconnect', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true });
      paths.expectState(connection, 'finishing');
      peer.resume();

      expect(await events.next('finishDisconnect')).toMatchObject({ queued: [], error: undefined });

      paths.expectState(connection, 'lingering');
      expectFates(await books.fatesSeenBy(peer, connection), {
        sent: books.given(connection).length,
      });
    });

    it('deadline → closed + FinishDisconnect (error says why)', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true, deadline: 20 });
      paths.expectState(connection, 'finishing');

      const { error, queued, uncertain } = await events.next('finishDisconnect');

      paths.expectState(connection, 'closed');
      expect(error).toMatchObject({ code: 'PIKE_ERR_DEADLINE' });
      expect(queued.length).toBeGreaterThan(0);
      expect(uncertain.length > 0).toBe(!knowsAccepted);
      await books.fatesSeenBy(peer, connection);
    });

    it('remote gone: it ends → closed + FinishDisconnect (error says why)', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true });
      await nextTurn();
      peer.end();

      const { error, queued } = await events.next('finishDisconnect');

      expect(error).toMatchObject({ code: 'PIKE_ERR_REMOTE_ENDED' });
      expect(queued.length).toBeGreaterThan(0);
      await books.fatesSeenBy(peer, connection);
    });

    it('remote gone: it breaks off → closed + FinishDisconnect (error says why)', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true });
      await nextTurn();
      peer.reset();

      const { error, queued } = await events.next('finishDisconnect');

      expect(error).toMatchObject({ code: 'PIKE_ERR_CONNECTION_LOST' });
      expect(queued.length).toBeGreaterThan(0);
      books.fates(connection);
    });
  });

  describe('lingering', () => {
    /** A connection that has been finished; its peer has not ended. */
    async function lingering(options: Parameters<typeof sockets.accepted>[0]): Promise<Pair> {
      const pair = await sockets.accepted(options);
      const { connector, connection, events } = pair;
      connector.send(connection, 'goodbye');
      connector.disconnect(connection, { finishQueues: true });
      await events.next('finishDisconnect');
      paths.expectState(connection, 'lingering');
      return pair;
    }

    it('input is thrown away until the peer ends → closed, no event', async () => {
      const { connection, events, books, peer } = await lingering({ lingerTimeout: 60_000 });
      peer.write('too late\n!garbage\n');
      await inputHandled();
      paths.expectState(connection, 'lingering');

      peer.end();

      await peer.closed;
      await eventually(() => stateOf(connection) === 'closed');
      paths.expectState(connection, 'closed');
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      expectFates(await books.fatesSeenBy(peer, connection), { sent: 1 });
    });

    it('lingerTimeout → closed, no event', async () => {
      const { connector, connection, events, books, peer } = await lingering({ lingerTimeout: 20 });

      await connector.shutdown({ finishQueues: true });

      paths.expectState(connection, 'closed');
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      expectFates(await books.fatesSeenBy(peer, connection), { sent: 1 });
    });

    it('the deadline of shutdown → closed, no event', async () => {
      const { connector, connection, events, books, peer } = await lingering({
        lingerTimeout: 60_000,
      });

      await connector.shutdown({ finishQueues: true, deadline: 20 });

      paths.expectState(connection, 'closed');
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      expectFates(await books.fatesSeenBy(peer, connection), { sent: 1 });
    });

    it('still counts in maxConnections', async () => {
      const { connector, connection, events, books, peer } = await lingering({
        lingerTimeout: 60_000,
        maxConnections: 1,
      });

      await sockets.refused(addressOf(connector));

      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      peer.end();
      expectFates(await books.fatesSeenBy(peer, connection), { sent: 1 });
    });
  });

  describe('closed', () => {
    it('send → RejectedMessage, whoever has ended the connection', async () => {
      for (const by of ['us', 'them'] as const) {
        const { connector, connection, events, books, peer } = await sockets.accepted();
        connector.send(connection, 'in time');
        await connector.flushed(connection);
        if (by === 'us') connector.disconnect(connection, { now: true });
        else peer.end();
        await eventually(() => stateOf(connection) === 'closed');

        expect(connector.send(connection, 'late')).toBe(false);

        expect(await events.next('rejectedMessage')).toMatchObject({
          connection,
          message: 'late',
          error: { code: 'PIKE_ERR_DISCONNECTED' },
        });
        expectFates(await books.fatesSeenBy(peer, connection), { sent: 1, rejected: 1 });
      }
    });
  });

  it('every step in the table of states was taken above', () => {
    const table = Object.entries(NEXT_STATES).flatMap(([from, next]) =>
      next.map((to) => `${from} → ${to}`),
    );
    expect([...paths.steps].sort()).toEqual(table.sort());
  });
}
