/*
 * Prevents: replies lost to a peer that sends its request and ends its side, as `nc` and HTTP/1.0
 * clients do.
 */
import { describe, expect, it } from '@jest/globals';
import { inputHandled, nextTurn } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import type { Pair } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function halfOpen(transport: Transport): void {
  const sockets = useSockets(transport);

  /** A connection whose peer has ended its side, which the connector has noticed. */
  async function halfOpened(options: Parameters<typeof sockets.accepted>[0] = {}): Promise<Pair> {
    const pair = await sockets.accepted({ allowHalfOpen: true, ...options });
    pair.peer.write('request\n');
    pair.peer.end();
    await pair.events.next('messageReceived');
    await pair.peer.finished;
    await inputHandled();
    return pair;
  }

  describe('with allowHalfOpen, a peer that has ended its side', () => {
    it('still gets replies, and the connection stays', async () => {
      const { connector, connection, events, peer } = await halfOpened();
      connector.send(connection, 'one');
      await peer.sees('one\n');
      connector.send(connection, 'two');
      await peer.sees('two\n');

      expect(events.types()).toEqual(['remoteConnect', 'messageReceived']);
      expect([...connector.connections]).toEqual([connection]);
    });

    it.each([{ now: true }, { finishMessages: true }, { finishQueues: true }] as const)(
      'gives RemoteDisconnect when we disconnect with %j',
      async (how) => {
        const { connector, connection, events, peer } = await halfOpened();
        connector.send(connection, 'reply');
        await peer.sees('reply\n');

        connector.disconnect(connection, how);

        expect(await events.next('remoteDisconnect')).toMatchObject({
          queued: [],
          error: undefined,
        });
        await peer.closed;
        await connector.shutdown({ finishQueues: true });
        expect(events.types()).toEqual(['remoteConnect', 'messageReceived', 'remoteDisconnect']);
      },
    );

    it('gets everything that is queued with finishQueues', async () => {
      const pair = await halfOpened({ peerReads: false });
      const { connector, connection, events, books, peer } = pair;
      sockets.clog(pair);

      connector.disconnect(connection, { finishQueues: true });
      peer.resume();

      expect(await events.next('remoteDisconnect')).toMatchObject({ queued: [] });
      const { sent } = await books.fatesSeenBy(peer, connection);
      expect(sent).toEqual(books.given(connection));
    });

    it('is cut off by a deadline, with what was not sent', async () => {
      const pair = await halfOpened({ peerReads: false });
      const { connector, connection, events } = pair;
      sockets.clog(pair);

      connector.disconnect(connection, { finishQueues: true, deadline: 20 });

      const event = await events.next('remoteDisconnect');
      expect(event.error).toMatchObject({ code: 'PIKE_ERR_DEADLINE' });
      expect(event.queued.length).toBeGreaterThan(0);
    });

    it('may end while we are finishing: everything is still sent', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged({
        allowHalfOpen: true,
      });
      connector.disconnect(connection, { finishQueues: true });
      peer.write('before the end\n');
      peer.end();
      await events.next('messageReceived');
      await peer.finished;
      await inputHandled();

      peer.resume();

      await events.next('remoteDisconnect');
      const { sent } = await books.fatesSeenBy(peer, connection);
      expect(sent).toEqual(books.given(connection));
      expect(events.types()).toEqual(['remoteConnect', 'messageReceived', 'remoteDisconnect']);
    });

    it('is noticed when it is lost afterwards and we send', async () => {
      const { connector, connection, events, peer } = await halfOpened();
      peer.reset();
      await peer.closed;

      // The first write to a peer that is gone makes the system notice, a later one reports it.
      while (events.types().at(-1) === 'messageReceived') {
        connector.send(connection, 'anybody there?');
        await nextTurn();
      }

      expect(await events.next('remoteDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_CONNECTION_LOST' },
      });
    });

    it('ends the connection at once when it ended in the middle of a message', async () => {
      const { events, peer } = await sockets.accepted({ allowHalfOpen: true });
      peer.write('hal');
      peer.end();

      expect(await events.next('remoteDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_TRUNCATED' },
      });
      await peer.closed;
    });

    it('is closed by shutdown', async () => {
      const { connector, connection, events } = await halfOpened();
      await connector.shutdown({ finishQueues: true });

      expect(events.types(connection).at(-1)).toBe('remoteDisconnect');
    });
  });

  describe('without allowHalfOpen', () => {
    it('a peer that has ended its side ends the connection', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      peer.write('request\n');
      peer.end();
      await events.next('remoteDisconnect');

      connector.send(connection, 'reply');

      expect(await events.next('rejectedMessage')).toMatchObject({ message: 'reply' });
    });
  });
}
