/*
 * Prevents: a message that is called sent or unsent although the system cannot say which, and one
 * that is called uncertain although it can: then the application must ask its peer for nothing.
 */
import { describe, expect, it } from '@jest/globals';
import type { Connection, Connector, ConnectorEvent } from 'nestjs-pike/core';
import { Books } from '../support/books.js';
import { eventually } from '../support/eventually.js';
import type { RawPeer } from '../support/raw-peer.js';
import { stateOf } from '../support/state-path.js';
import type { Transport } from '../support/transports/transport.js';
import { inputHandled, nextTurn } from '../support/turns.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

/** Messages of this many bytes share a chunk, so that its fate divides them. */
const SMALL = 999;
/** How many of them one chunk can hold. */
const PER_CHUNK = 65_536 / (SMALL + 1) + 1;

export function uncertainty(transport: Transport): void {
  const sockets = useSockets(transport);
  const { knowsAccepted, knowsAfterFailedWrite, overflow } = transport.facts;

  /** A connection that reads nothing more, so that only a write tells it that its peer is lost. */
  interface Deaf {
    connector: Connector<string>;
    connection: Connection;
    peer: RawPeer;
    books: Books;
    /** Waits for its end, and takes all its events; answers the last. */
    end(): Promise<Extract<ConnectorEvent<string>, { type: 'remoteDisconnect' }>>;
  }

  async function deaf(): Promise<Deaf> {
    const connector = await sockets.listening({ maxPendingEvents: 1 });
    const all: ConnectorEvent<string>[] = [];
    const books = new Books(connector, all);
    const peer = await sockets.peer(addressOf(connector), { reading: false });
    const arrival = await connector.receive();
    if (arrival?.type !== 'remoteConnect') throw new Error('No RemoteConnect came.');
    all.push(arrival);
    const { connection } = arrival;
    arrival.finishAccept();
    // Nobody takes these messages; soon they are not even read.
    peer.write('noise\n'.repeat(overflow / 6));
    for (let i = 0; i < 50; i++) await inputHandled();
    const end: Deaf['end'] = async () => {
      // To take them sooner would set it reading again.
      await eventually(() => stateOf(connection) === 'closed');
      for (;;) {
        const event = await connector.receive();
        if (event !== undefined) all.push(event);
        if (event?.type === 'remoteDisconnect') return event;
        if (event?.type !== 'messageReceived') throw new Error(`It ended by ${event?.type}.`);
      }
    };
    return { connector, connection, peer, books, end };
  }

  /** Gives a connection more than the system takes, in small messages. */
  function clog({ connector, connection }: Pick<Deaf, 'connector' | 'connection'>): void {
    for (let i = 0; i < overflow / SMALL; i++) {
      connector.send(connection, `${i} `.padEnd(SMALL, 'x'));
    }
  }

  /** Asserts that the messages of one chunk at most are in doubt, and that there are some, or none. */
  function expectUncertain(uncertain: readonly string[], some: boolean): void {
    expect(uncertain.length > 0).toBe(some);
    expect(uncertain.length).toBeLessThanOrEqual(PER_CHUNK);
  }

  describe('what is in flight', () => {
    it.each([{ now: true }, { finishQueues: true, deadline: 20 }] as const)(
      'when we cut a healthy connection off, by %j, is uncertain only where the system never says',
      async (how) => {
        const pair = await sockets.accepted({ peerReads: false });
        const { connector, connection, events, books, peer } = pair;
        clog(pair);
        await nextTurn();

        connector.disconnect(connection, how);

        const { uncertain, queued } = await events.next('finishDisconnect');
        expectUncertain(uncertain, !knowsAccepted);
        expect(queued.length).toBeGreaterThan(0);
        const { sent } = await books.fatesSeenBy(peer, connection);
        expect(sent.length).toBeGreaterThan(0);
      },
    );

    it.each(['reset', 'destroy'] as const)(
      'when a connection that is read learns that its peer is lost (%s) is uncertain only where the system never says',
      async (leave) => {
        const pair = await sockets.accepted({ peerReads: false });
        const { connection, events, books, peer } = pair;
        clog(pair);
        await nextTurn();

        void peer[leave]();

        const { uncertain, queued, error } = await events.next('remoteDisconnect');
        expect(error).toMatchObject({ code: 'PIKE_ERR_CONNECTION_LOST' });
        expectUncertain(uncertain, !knowsAccepted);
        expect(queued.length).toBeGreaterThan(0);
        books.fates(connection);
      },
    );

    it('when a pending write fails, for its peer has reset, is uncertain unless the system says even then', async () => {
      const pair = await deaf();
      clog(pair);
      await nextTurn();
      pair.peer.reset();

      const { uncertain, queued, error } = await pair.end();

      expect(error).toMatchObject({
        code: 'PIKE_ERR_CONNECTION_LOST',
        cause: { syscall: 'write' },
      });
      expectUncertain(uncertain, !knowsAfterFailedWrite);
      expect(queued.length).toBeGreaterThan(0);
      expect(pair.books.fates(pair.connection).sent.length).toBeGreaterThan(0);
    });

    it('when a write is refused at once has not left; it is uncertain only where the system never says', async () => {
      const { connector, connection, peer, books, end } = await deaf();
      connector.send(connection, 'before');
      await connector.flushed(connection);
      peer.resume();
      await peer.sees('before\n');
      peer.reset();
      await peer.closed;
      await inputHandled();

      for (let i = 0; i < 5; i++) connector.send(connection, `${i}`);

      const { uncertain, queued, incomplete, error } = await end();
      expect(error).toMatchObject({ code: 'PIKE_ERR_CONNECTION_LOST' });
      expect(incomplete).toBeUndefined();
      expect(knowsAccepted ? queued : uncertain).toEqual(['0', '1', '2', '3', '4']);
      expect(books.fates(connection).sent).toEqual(['before']);
    });
  });
}
