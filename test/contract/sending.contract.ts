/*
 * Prevents: an application that cannot tell when it may go on sending, believes that something was
 * sent which came back, or gets a message back that it had withdrawn.
 */
import { describe, expect, it } from '@jest/globals';
import { pikeErrorOf } from '../support/rejections.js';
import { scriptedConverter } from '../support/scripted-converter.js';
import { nextTurn } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function sending(transport: Transport): void {
  const sockets = useSockets(transport);

  describe('send', () => {
    it('keeps the order of messages, however many and however large', async () => {
      const { connector, connection, peer } = await sockets.accepted();
      const messages = Array.from(
        { length: 2000 },
        (_, i) => `${i} ${'x'.repeat((i * 37) % 5000)}`,
      );
      for (const message of messages) connector.send(connection, message);
      connector.disconnect(connection, { finishQueues: true });

      await peer.ended;
      expect(peer.text).toBe(messages.map((message) => `${message}\n`).join(''));
    });

    it('answers whether there is room, and drained tells when there is again', async () => {
      const { connector, connection, peer } = await sockets.accepted({
        peerReads: false,
        highWaterMark: 10,
        lowWaterMark: 5,
      });
      const large = 'x'.repeat(transport.facts.overflow / 4);
      let sent = 0;
      while (connector.send(connection, large)) {
        sent++;
        await nextTurn();
      }
      let drained = false;
      const waiting = connector.drained(connection).then(() => (drained = true));
      await nextTurn();
      expect(drained).toBe(false);
      expect(sent).toBeGreaterThanOrEqual(10);

      peer.resume();

      await waiting;
      expect(connector.send(connection, 'more')).toBe(true);
    });

    it('rejects what is more than maxQueuedMessages, and the connection goes on', async () => {
      const { connector, connection, events, peer } = await sockets.accepted({
        maxQueuedMessages: 2,
      });
      const taken = ['one', 'two', 'three'].map((message) => connector.send(connection, message));

      expect(taken).toEqual([true, true, false]);
      expect(await events.next('rejectedMessage')).toMatchObject({
        message: 'three',
        error: { code: 'PIKE_ERR_QUEUE_FULL' },
      });
      connector.send(connection, 'four');
      expect(await peer.sees('four\n')).toBe('one\ntwo\nfour\n');
    });

    it('can send the same object several times', async () => {
      const { connector, connection, peer } = await sockets.accepted();
      for (let i = 0; i < 3; i++) connector.send(connection, 'again');

      expect(await peer.sees('again\nagain\nagain\n')).toBe('again\nagain\nagain\n');
    });
  });

  describe('drained', () => {
    it('resolves at once when little waits', async () => {
      const { connector, connection } = await sockets.accepted();
      connector.send(connection, 'one');

      await expect(connector.drained(connection)).resolves.toBeUndefined();
    });

    it('resolves when the connection ends', async () => {
      const { connector, connection } = await sockets.clogged({ lowWaterMark: 0 });
      const waiting = connector.drained(connection);

      connector.disconnect(connection, { now: true });

      await expect(waiting).resolves.toBeUndefined();
      await expect(connector.drained(connection)).resolves.toBeUndefined();
    });
  });

  describe('flushed', () => {
    it('resolves when everything given so far was sent', async () => {
      const { connector, connection, peer } = await sockets.accepted();
      connector.send(connection, 'one');
      connector.send(connection, 'two');

      await connector.flushed(connection);
      connector.disconnect(connection, { now: true });

      await peer.ended;
      expect(peer.text).toBe('one\ntwo\n');
    });

    it('resolves at once when nothing was given, also of a connection that has ended', async () => {
      const { connector, connection } = await sockets.accepted();
      await connector.flushed(connection);
      connector.disconnect(connection, { now: true });

      await expect(connector.flushed(connection)).resolves.toBeUndefined();
    });

    it('rejects when a message comes back because the connection ended', async () => {
      const { connector, connection } = await sockets.clogged();
      const waiting = pikeErrorOf(() => connector.flushed(connection));

      connector.disconnect(connection, { finishQueues: true, deadline: 20 });

      expect(await waiting).toMatchObject({
        code: 'PIKE_ERR_MESSAGE_RETURNED',
        cause: { code: 'PIKE_ERR_DEADLINE' },
      });
    });

    it('rejects when a message cannot be serialized', async () => {
      const { connector, connection } = await sockets.accepted();
      connector.send(connection, 'one');
      connector.send(connection, '!two');

      expect(await pikeErrorOf(() => connector.flushed(connection))).toMatchObject({
        code: 'PIKE_ERR_MESSAGE_RETURNED',
        cause: { code: 'PIKE_ERR_SERIALIZER' },
      });
    });

    it('rejects when connecting fails', async () => {
      const { address } = await sockets.listener();
      const { connector } = await sockets.client();
      const connection = connector.connect(address);
      connector.send(connection, 'one');
      const waiting = pikeErrorOf(() => connector.flushed(connection));

      connector.disconnect(connection, { now: true });

      expect(await waiting).toMatchObject({ code: 'PIKE_ERR_MESSAGE_RETURNED' });
    });

    it('does not wait for what was withdrawn', async () => {
      const { connector, connection } = await sockets.accepted({ peerReads: false });
      const { address } = await sockets.listener();
      const arriving = connector.connect(address);
      connector.send(arriving, 'one');
      const waiting = connector.flushed(arriving);
      connector.withdraw(arriving, 'one');

      await expect(waiting).resolves.toBeUndefined();
      connector.disconnect(connection, { now: true });
    });
  });

  describe('withdraw', () => {
    it('takes back a message of which no byte has left; no event mentions it', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      for (const message of ['one', 'two', 'three']) connector.send(connection, message);

      expect(connector.withdraw(connection, 'two')).toBe(true);
      connector.disconnect(connection, { finishQueues: true });

      await peer.ended;
      expect(peer.text).toBe('one\nthree\n');
      expect(await events.next('finishDisconnect')).toMatchObject({ queued: [] });
    });

    it('does not take back what has left, was never given, or was withdrawn already', async () => {
      const { connector, connection, peer } = await sockets.accepted();
      connector.send(connection, 'one');
      await peer.sees('one\n');

      expect(connector.withdraw(connection, 'one')).toBe(false);
      expect(connector.withdraw(connection, 'two')).toBe(false);
      connector.send(connection, 'three');
      expect(connector.withdraw(connection, 'three')).toBe(true);
      expect(connector.withdraw(connection, 'three')).toBe(false);
    });

    it('takes back the earliest of several that are the same', async () => {
      const { connector, connection, peer } = await sockets.accepted();
      for (const message of ['same', 'other', 'same']) connector.send(connection, message);

      connector.withdraw(connection, 'same');
      connector.disconnect(connection, { finishQueues: true });

      await peer.ended;
      expect(peer.text).toBe('other\nsame\n');
    });

    it('takes back what waits for a connection that ends, so that no event mentions it', async () => {
      const { connector, connection, events } = await sockets.accepted();
      connector.send(connection, 'one');
      connector.send(connection, 'two');
      connector.withdraw(connection, 'one');

      connector.disconnect(connection, { now: true });

      expect(await events.next('finishDisconnect')).toMatchObject({ queued: ['two'] });
      expect(connector.withdraw(connection, 'two')).toBe(false);
    });

    it('destroys the serializer of a message that was waiting for its callback', async () => {
      let destroyed = 0;
      const { connector, connection, peer } = await sockets.accepted({
        converter: scriptedConverter({
          getBytes: (() => {
            let calls = 0;
            return (message: string) => {
              if (message === 'slow') return Symbol.for('nestjs-pike.WAIT_FOR_CALLBACK');
              return Buffer.from(calls++ === 0 ? `${message}\n` : '');
            };
          })(),
          destroySerializer: () => destroyed++,
        }),
      });
      connector.send(connection, 'slow');
      connector.send(connection, 'quick');
      await nextTurn();

      expect(connector.withdraw(connection, 'slow')).toBe(true);
      connector.send(connection, 'last');

      expect(destroyed).toBe(1);
      expect(await peer.sees('quick\n')).toBe('quick\n');
    });
  });
}
