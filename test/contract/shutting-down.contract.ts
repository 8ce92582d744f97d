/*
 * Prevents: a deployment that hangs because one connection will not end, messages that vanish at
 * shutdown, and a connector that goes on accepting.
 */
import { describe, expect, it } from '@jest/globals';
import { acceptNobody } from '../support/event-recorder.js';
import { pikeErrorOf } from '../support/rejections.js';
import { nextTurn } from '../support/turns.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function shuttingDown(transport: Transport): void {
  const sockets = useSockets(transport);
  describe('shutdown', () => {
    it('with now closes every connection and returns what was not sent', async () => {
      const { connector, connection, events } = await sockets.clogged();
      const idle = await sockets.peer(addressOf(connector));
      const { connection: other } = await events.next('remoteConnect');

      await connector.shutdown({ now: true });

      await idle.ended;
      const clog = await events.next('finishDisconnect', connection);
      expect(clog.queued.length).toBeGreaterThan(0);
      expect(await events.next('finishDisconnect', other)).toMatchObject({ queued: [] });
      expect([...connector.connections]).toEqual([]);
    });

    it('with finishMessages finishes what has been begun and returns the rest', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged();
      await nextTurn();

      const shutDown = connector.shutdown({ finishMessages: true });
      peer.resume();
      await peer.ended;
      peer.end();
      await shutDown;

      const { queued, incomplete } = await events.next('finishDisconnect', connection);
      expect(incomplete).toBeUndefined();
      expect(queued.length).toBeGreaterThan(0);
      await books.fatesSeenBy(peer, connection);
    });

    it('with finishQueues sends everything first', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged();

      const shutDown = connector.shutdown({ finishQueues: true });
      peer.resume();
      await peer.ended;
      peer.end();
      await shutDown;

      const { sent } = await books.fatesSeenBy(peer, connection);
      expect(sent).toEqual(books.given(connection));
      expect(await events.next('finishDisconnect')).toMatchObject({ queued: [] });
    });

    it('refuses new peers and new connections from its first moment', async () => {
      const { connector, peer } = await sockets.clogged();
      const endpoint = addressOf(connector);
      const { address } = await sockets.listener();

      const shutDown = connector.shutdown({ finishQueues: true });

      expect(await pikeErrorOf(() => connector.connect(address))).toMatchObject({
        code: 'PIKE_ERR_SHUT_DOWN',
      });
      expect(await pikeErrorOf(() => connector.connectWaiting(address))).toMatchObject({
        code: 'PIKE_ERR_SHUT_DOWN',
      });
      await expect(sockets.peer(endpoint)).rejects.toMatchObject({
        code: transport.facts.refusal,
      });
      peer.resume();
      await peer.ended;
      peer.end();
      await shutDown;
    });

    it.each([{ now: true }, { finishMessages: true }, { finishQueues: true }] as const)(
      'terminates with %j connections that are still being established',
      async (how) => {
        const endpoint = await sockets.silentEndpoint();
        const { connector, events } = await sockets.client();
        const connection = connector.connect(endpoint);
        connector.send(connection, 'unsent');

        await connector.shutdown(how);

        expect(await events.next('finishConnect')).toMatchObject({
          success: false,
          queued: ['unsent'],
          error: {
            code: 'PIKE_ERR_CONNECT_ABORTED',
            message: expect.stringContaining('shut down'),
          },
        });
      },
    );

    it('refuses a peer that connects when it has begun', async () => {
      const { connector, events } = await sockets.server({}, acceptNobody);
      const arriving = sockets.peer(addressOf(connector));
      const shutDown = connector.shutdown({ now: true });

      // Whether the system had taken it in time or not, it gets nowhere.
      await arriving.then(
        (peer) => peer.ended,
        () => undefined,
      );
      await shutDown;
      expect(events.types()).toEqual([]);
    });

    it('rejects messages until it has resolved, and throws from then on', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      const shutDown = connector.shutdown({ finishQueues: true });

      expect(connector.send(connection, 'late')).toBe(false);
      expect(await events.next('rejectedMessage')).toMatchObject({
        message: 'late',
        error: { code: 'PIKE_ERR_DISCONNECTED' },
      });
      await peer.ended;
      peer.end();
      await shutDown;

      expect(await pikeErrorOf(() => connector.send(connection, 'later'))).toMatchObject({
        code: 'PIKE_ERR_SHUT_DOWN',
      });
    });

    it('joins the first call when it is called again, and ends sooner if that is asked', async () => {
      const { connector, events } = await sockets.clogged();
      let first = false;
      const begun = connector.shutdown({ finishQueues: true }).then(() => (first = true));

      await connector.shutdown({ now: true });

      expect(first).toBe(true);
      await begun;
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      await connector.shutdown({ finishQueues: true });
    });

    it('becomes now when its deadline has passed', async () => {
      const { connector, events } = await sockets.clogged();

      await connector.shutdown({ finishQueues: true, deadline: 20 });

      expect(await events.next('finishDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_DEADLINE' },
      });
    });

    it('does not lengthen the deadline of a connection that is finishing already', async () => {
      const { connector, connection, events } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true, deadline: 20 });

      await connector.shutdown({ finishQueues: true, deadline: 60_000 });

      expect(await events.next('finishDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_DEADLINE', message: expect.stringContaining('20 ms') },
      });
    });

    it('ends a connection that is disconnecting more slowly', async () => {
      const { connector, connection, events } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true });

      await connector.shutdown({ now: true });

      expect(events.types(connection)).toEqual(['remoteConnect', 'finishDisconnect']);
    });

    it('waits for lingering connections', async () => {
      const { connector, connection, events, peer } = await sockets.accepted({
        lingerTimeout: 60_000,
      });
      connector.disconnect(connection, { finishQueues: true });
      await events.next('finishDisconnect');
      let over = false;
      const shutDown = connector.shutdown({ finishQueues: true }).then(() => (over = true));
      await peer.ended;
      expect(over).toBe(false);

      peer.end();

      await shutDown;
      await peer.closed;
    });

    it('with now does not wait for lingering connections', async () => {
      const { connector, connection, events } = await sockets.accepted({ lingerTimeout: 60_000 });
      connector.disconnect(connection, { finishQueues: true });
      await events.next('finishDisconnect');

      await connector.shutdown({ now: true });

      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });

    it('with a deadline does not wait longer for lingering connections', async () => {
      const { connector, connection, events } = await sockets.accepted({ lingerTimeout: 60_000 });
      connector.disconnect(connection, { finishQueues: true });
      await events.next('finishDisconnect');

      await connector.shutdown({ finishQueues: true, deadline: 20 });

      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });

    it('may be called from within a listener', async () => {
      let shutDown: Promise<void> | undefined;
      const { connector, events } = await sockets.server({}, (event) => {
        if (event.type === 'remoteConnect') shutDown = connector.shutdown({ now: true });
      });
      const peer = await sockets.peer(addressOf(connector));

      await peer.ended;
      await shutDown;

      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });

    it('returns the last events to those who receive, then undefined for ever', async () => {
      const connector = await sockets.listening();
      await sockets.peer(addressOf(connector));
      const event = await connector.receive();

      await connector.shutdown({ now: true });

      expect(await connector.receive()).toMatchObject({
        type: 'finishDisconnect',
        connection: event?.connection,
      });
      expect(await connector.receive()).toBeUndefined();
      expect(await connector.receive()).toBeUndefined();
    });
  });
}
