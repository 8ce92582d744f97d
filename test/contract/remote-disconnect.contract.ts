/*
 * Prevents: a peer that leaves unnoticed, or twice, or takes messages with it; and input that came
 * before the end and is never delivered.
 */
import { describe, expect, it } from '@jest/globals';
import { acceptNobody } from '../support/event-recorder.js';
import { nextTurn } from '../support/turns.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function remoteDisconnect(transport: Transport): void {
  const sockets = useSockets(transport);

  describe('a peer that ends', () => {
    it('gives one RemoteDisconnect without an error', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      peer.end();

      expect(await events.next('remoteDisconnect')).toMatchObject({
        connection,
        incomplete: undefined,
        queued: [],
        uncertain: [],
        error: undefined,
      });
      await peer.closed;
      await connector.shutdown({ finishQueues: true });
      expect(events.types()).toEqual(['remoteConnect', 'remoteDisconnect']);
    });

    it('gives it for a connection that we dialled, too', async () => {
      const { events, peer } = await sockets.dialled();
      peer.end();

      await events.next('remoteDisconnect');
      expect(events.types()).toEqual(['finishConnect', 'remoteDisconnect']);
    });

    it('is heard to the end first', async () => {
      const { events, peer } = await sockets.accepted();
      peer.write('one\ntwo\n');
      peer.write('three\n');
      peer.end();

      await events.next('remoteDisconnect');
      expect(events.messages()).toEqual(['one', 'two', 'three']);
      expect(events.types().at(-1)).toBe('remoteDisconnect');
    });

    it('leaves what was not sent to us: exactly one fate for each message', async () => {
      const { connection, events, books, peer } = await sockets.clogged();
      peer.end();

      const event = await events.next('remoteDisconnect');
      expect(event.queued.length).toBeGreaterThan(0);
      expect(event.uncertain.length > 0).toBe(!transport.facts.knowsAccepted);
      await books.fatesSeenBy(peer, connection);
    });

    it('in the middle of a message gives the error', async () => {
      const { events, peer } = await sockets.accepted();
      peer.write('whole\nhal');
      peer.end();

      expect(await events.next('remoteDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_TRUNCATED' },
      });
      expect(events.messages()).toEqual(['whole']);
    });

    it('is rejected whatever is sent to it later', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      peer.end();
      await events.next('remoteDisconnect');

      expect(connector.send(connection, 'late')).toBe(false);

      expect(await events.next('rejectedMessage')).toMatchObject({
        message: 'late',
        error: { code: 'PIKE_ERR_DISCONNECTED' },
      });
    });

    it('ends a connection that we are finishing, with the reason and what was not sent', async () => {
      const { connector, connection, events, peer } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true });

      peer.end();

      const event = await events.next('finishDisconnect');
      expect(event.error).toMatchObject({ code: 'PIKE_ERR_REMOTE_ENDED' });
      expect(event.queued.length).toBeGreaterThan(0);
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });
  });

  describe('a peer that resets', () => {
    it('gives one RemoteDisconnect with the cause', async () => {
      const { connector, events, peer } = await sockets.accepted();
      peer.reset();

      expect(await events.next('remoteDisconnect')).toMatchObject({
        error: transport.facts.resets
          ? { code: 'PIKE_ERR_CONNECTION_LOST', cause: { code: 'ECONNRESET' } }
          : undefined,
      });
      await connector.shutdown({ finishQueues: true });
      expect(events.types()).toEqual(['remoteConnect', 'remoteDisconnect']);
    });

    it('leaves what was not sent to us: each message is accounted for', async () => {
      const { connection, events, books, peer } = await sockets.clogged();
      await nextTurn();
      peer.reset();

      const { queued } = await events.next('remoteDisconnect');
      expect(queued.length).toBeGreaterThan(0);
      books.fates(connection);
    });

    it('ends a connection that we are finishing, with the reason', async () => {
      const { connector, connection, events, peer } = await sockets.clogged();
      connector.disconnect(connection, { finishQueues: true });

      peer.reset();

      expect(await events.next('finishDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_CONNECTION_LOST' },
      });
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });
  });

  describe('a peer that misbehaves', () => {
    it('costs its own connection only, with the reason in the event', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      const good = await sockets.peer(addressOf(connector));
      const { connection: other } = await events.next('remoteConnect');

      peer.write('fine\n!garbage\nnever seen\n');

      expect(await events.next('finishDisconnect')).toMatchObject({
        connection,
        error: { code: 'PIKE_ERR_DESERIALIZER', cause: { message: 'Cannot read !garbage' } },
      });
      await peer.ended;
      expect(events.messages(connection)).toEqual(['fine']);
      good.write('hello\n');
      await events.next('messageReceived', other);
      connector.send(other, 'and back');
      await good.sees('and back\n');
    });

    it('costs no more than the timeout when nobody accepts it and it leaves', async () => {
      const { connector, events } = await sockets.server({ acceptTimeout: 250 }, acceptNobody);
      const peer = await sockets.peer(addressOf(connector));
      peer.reset();

      const end = transport.facts.deafUntilAccepted ? 'finishDisconnect' : 'remoteDisconnect';
      await events.next(end);
      expect(events.types()).toEqual(['remoteConnect', end]);
    });
  });
}
