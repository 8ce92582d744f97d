/*
 * Prevents: a way to disconnect that sends more or less than it promises, a second terminal event,
 * and a disconnect that never ends.
 */
import { describe, expect, it } from '@jest/globals';
import type { Finish } from 'nestjs-pike/core';
import { PikeError } from 'nestjs-pike/core';
import { pikeErrorOf } from '../support/rejections.js';
import { nextTurn } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function disconnecting(transport: Transport): void {
  const sockets = useSockets(transport);

  describe('disconnect', () => {
    it('with now returns what was not sent: at most one incomplete message, the rest queued', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged();
      await nextTurn();

      connector.disconnect(connection, { now: true });

      const event = await events.next('finishDisconnect');
      expect(event.error).toBeUndefined();
      expect(event.queued.length).toBeGreaterThan(0);
      if (transport.facts.knowsAccepted) {
        expect(event.uncertain).toEqual([]);
      } else {
        expect(event.uncertain.length).toBeGreaterThan(0);
        expect(event.incomplete).toBeUndefined();
      }
      await books.fatesSeenBy(peer, connection);
    });

    it('with now sends nothing of what was given in the same turn', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      connector.send(connection, 'one');

      connector.disconnect(connection, { now: true });

      expect(await events.next('finishDisconnect')).toMatchObject({
        incomplete: undefined,
        queued: ['one'],
      });
      await peer.ended;
      expect(peer.text).toBe('');
    });

    it.each([{ now: true }, { finishMessages: true }, { finishQueues: true }] as const)(
      'with %j tells the reason that it is given, in its event',
      async (how) => {
        const { connector, connection, events, peer } = await sockets.accepted();
        const reason = new PikeError('PIKE_ERR_MALFORMED', 'The peer has sent nonsense.');

        connector.disconnect(connection, how, reason);

        await peer.ended;
        expect((await events.next('finishDisconnect')).error).toBe(reason);
      },
    );

    it('tells the first reason, even if its deadline passes or another follows', async () => {
      const { connector, connection, events } = await sockets.clogged();
      const reason = new PikeError('PIKE_ERR_MALFORMED', 'The peer has sent nonsense.');

      connector.disconnect(connection, { finishQueues: true, deadline: 20 }, reason);
      connector.disconnect(
        connection,
        { finishMessages: true },
        new PikeError('PIKE_ERR_STALLED', 'And it does not read.'),
      );

      expect((await events.next('finishDisconnect')).error).toBe(reason);
    });

    it('with finishMessages finishes what has been begun and returns the rest', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged();
      await nextTurn();

      connector.disconnect(connection, { finishMessages: true });
      peer.resume();

      const event = await events.next('finishDisconnect');
      expect(event).toMatchObject({ incomplete: undefined, uncertain: [], error: undefined });
      expect(event.queued.length).toBeGreaterThan(0);
      const { sent } = await books.fatesSeenBy(peer, connection);
      expect(sent.length).toBeGreaterThan(0);
    });

    it('with finishMessages sends nothing when nothing has been begun', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      connector.send(connection, 'one');

      connector.disconnect(connection, { finishMessages: true });

      expect(await events.next('finishDisconnect')).toMatchObject({ queued: ['one'] });
      await peer.ended;
      expect(peer.text).toBe('');
    });

    it('with finishQueues sends everything first', async () => {
      const { connector, connection, events, books, peer } = await sockets.clogged();

      connector.disconnect(connection, { finishQueues: true });
      peer.resume();

      expect(await events.next('finishDisconnect')).toMatchObject({ error: undefined });
      const { sent } = await books.fatesSeenBy(peer, connection);
      expect(sent).toEqual(books.given(connection));
    });

    it.each([{ now: true }, { finishMessages: true }, { finishQueues: true }] as const)(
      'with %j and nothing to send just ends',
      async (how) => {
        const { connector, connection, events, peer } = await sockets.accepted();

        connector.disconnect(connection, how);

        await peer.ended;
        peer.end();
        await events.next('finishDisconnect');
        await connector.shutdown({ finishQueues: true });
        expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      },
    );

    it('goes on reading and delivering while it finishes', async () => {
      const { connector, connection, events, peer } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true });
      peer.write('still heard\n');

      await events.next('messageReceived');

      expect(events.messages()).toEqual(['still heard']);
      expect(events.types()).not.toContain('finishDisconnect');
      peer.resume();
      await events.next('finishDisconnect');
    });

    it('rejects what is sent afterwards, while finishing and when it has ended', async () => {
      const { connector, connection, events, peer } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true });

      expect(connector.send(connection, 'late')).toBe(false);
      expect(await events.next('rejectedMessage')).toMatchObject({
        connection,
        message: 'late',
        error: { code: 'PIKE_ERR_DISCONNECTED', message: expect.stringContaining('finishing') },
      });
      peer.resume();
      await events.next('finishDisconnect');
      expect(connector.send(connection, 'later')).toBe(false);
      expect(await events.next('rejectedMessage')).toMatchObject({ message: 'later' });
      expect(events.types().slice(-1)).toEqual(['rejectedMessage']);
    });

    it('becomes now when the deadline has passed', async () => {
      const { connector, connection, events } = await sockets.clogged();

      connector.disconnect(connection, { finishQueues: true, deadline: 20 });

      const event = await events.next('finishDisconnect');
      expect(event.error).toMatchObject({ code: 'PIKE_ERR_DEADLINE' });
      expect(event.uncertain.length > 0).toBe(!transport.facts.knowsAccepted);
      expect(event.queued.length).toBeGreaterThan(0);
    });

    it('ends sooner when a sooner way follows, and not later when a later one does', async () => {
      const { connector, connection, events } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true });
      connector.disconnect(connection, { finishMessages: true });
      connector.disconnect(connection, { finishQueues: true });
      connector.disconnect(connection, { now: true });

      const event = await events.next('finishDisconnect');

      expect(event.queued.length).toBeGreaterThan(0);
      expect(events.types().filter((type) => type === 'finishDisconnect')).toHaveLength(1);
    });

    it.each([
      [20, 60_000],
      [60_000, 20],
    ])('keeps the sooner of two deadlines: %d and %d', async (first, second) => {
      const { connector, connection, events } = await sockets.clogged();

      connector.disconnect(connection, { finishQueues: true, deadline: first });
      connector.disconnect(connection, { finishQueues: true, deadline: second });

      expect(await events.next('finishDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_DEADLINE', message: expect.stringContaining('20 ms') },
      });
    });

    it('takes a deadline longer than a timer can wait for what it says', async () => {
      const { connector, connection, events, peer } = await sockets.clogged();

      connector.disconnect(connection, { finishQueues: true, deadline: Number.POSITIVE_INFINITY });
      connector.disconnect(connection, { finishQueues: true, deadline: 2 ** 40 });

      peer.resume();
      expect(await events.next('finishDisconnect')).toMatchObject({ queued: [], error: undefined });
    });

    it('does nothing to a connection that has ended', async () => {
      const { connector, connection, events } = await sockets.accepted();
      connector.disconnect(connection, { now: true });
      await events.next('finishDisconnect');

      connector.disconnect(connection, { now: true });
      connector.disconnect(connection, { finishQueues: true, deadline: 1 });

      await connector.shutdown({ now: true });
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });

    it.each<unknown>([
      {},
      { now: false },
      { now: true, finishQueues: true },
      { now: true, finishMessages: true, finishQueues: true },
      { now: 1 },
      { finishQueue: true },
      { now: true, deadlin: 5 },
      { now: true, deadline: -1 },
      { now: true, deadline: Number.NaN },
      { now: true, deadline: '5' },
      undefined,
      null,
      'now',
    ])('throws for %j, and the connection goes on', async (how) => {
      const { connector, connection, events, peer } = await sockets.accepted();

      expect(
        await pikeErrorOf(() => connector.disconnect(connection, how as Finish)),
      ).toMatchObject({
        code: 'PIKE_ERR_INVALID_FINISH',
      });
      expect(await pikeErrorOf(() => connector.shutdown(how as Finish))).toMatchObject({
        code: 'PIKE_ERR_INVALID_FINISH',
      });
      connector.send(connection, 'alive');
      await peer.sees('alive\n');
      expect(events.types()).toEqual(['remoteConnect']);
    });

    it('takes the other ways as false', async () => {
      const { connector, connection, events } = await sockets.accepted();

      connector.disconnect(connection, {
        now: true,
        finishMessages: false,
        finishQueues: false,
      } as Finish);

      expect(await events.next('finishDisconnect')).toMatchObject({ connection });
    });
  });
}
