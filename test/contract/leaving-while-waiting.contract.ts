/*
 * Prevents: the last part of a file lost because its sender has already left, and a shutdown that
 * waits for ever for a disk.
 */
import { describe, expect, it } from '@jest/globals';
import { DONE, WAIT_FOR_MORE } from 'nestjs-pike/core';
import { inputHandled } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function leavingWhileWaiting(transport: Transport): void {
  const sockets = useSockets(transport);
  const EMPTY = Buffer.alloc(0);

  describe('a peer that ends while the deserializer waits', () => {
    it('gives its RemoteDisconnect after the message', async () => {
      const { connector, connection, events, peer, slow: converter } = await sockets.slow();
      peer.write('file');
      const { callback } = await converter.call(1);
      peer.end();
      await peer.ended;
      expect(events.types()).toEqual(['remoteConnect']);
      expect([...connector.connections]).toEqual([connection]);
      converter.answer = () => [EMPTY, DONE];

      callback();

      expect(await events.next('remoteDisconnect')).toMatchObject({ error: undefined });
      expect(events.types()).toEqual(['remoteConnect', 'messageReceived', 'remoteDisconnect']);
      expect(converter.destroyed).toBe(0);
    });

    it('may need several callbacks', async () => {
      const { events, peer, slow: converter } = await sockets.slow();
      peer.write('file');
      const { callback } = await converter.call(1);
      peer.end();
      await peer.ended;
      callback();
      const { callback: second } = await converter.call(2);
      expect(events.types()).toEqual(['remoteConnect']);
      converter.answer = () => [EMPTY, DONE];
      second();

      await events.next('remoteDisconnect');
      expect(events.types()).toEqual(['remoteConnect', 'messageReceived', 'remoteDisconnect']);
    });

    it('gives the error when the message turns out not to be whole', async () => {
      const { events, peer, slow: converter } = await sockets.slow();
      peer.write('half a fi');
      const { callback } = await converter.call(1);
      peer.end();
      await peer.ended;
      converter.answer = () => [EMPTY, WAIT_FOR_MORE];

      callback();

      expect(await events.next('remoteDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_TRUNCATED' },
      });
      expect(converter.destroyed).toBe(1);
    });

    it('gives the error when the deserializer then throws', async () => {
      const { events, peer, slow: converter } = await sockets.slow();
      peer.write('file');
      const { callback } = await converter.call(1);
      peer.end();
      await peer.ended;
      converter.answer = () => {
        throw new Error('disk full');
      };

      callback();

      expect(await events.next('remoteDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_DESERIALIZER' },
      });
      expect(events.types()).toEqual(['remoteConnect', 'remoteDisconnect']);
    });

    it('waits for it even if the connection broke, and keeps the reason', async () => {
      const { connector, connection, events, peer, slow: converter } = await sockets.slow();
      peer.write('file');
      const { callback } = await converter.call(1);
      peer.reset();
      await peer.closed;
      while ([...connector.connections].length > 0 && connector.send(connection, 'notice')) {
        await inputHandled();
      }
      expect(events.types()).not.toContain('remoteDisconnect');
      converter.answer = () => [EMPTY, DONE];

      callback();

      expect(await events.next('remoteDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_CONNECTION_LOST' },
      });
      expect(events.messages()).toEqual(['file']);
    });

    it('rejects what is sent to it meanwhile', async () => {
      const { connector, connection, events, peer, slow: converter } = await sockets.slow();
      peer.write('file');
      await converter.call(1);
      peer.end();
      await peer.ended;

      expect(connector.send(connection, 'late')).toBe(false);

      expect(await events.next('rejectedMessage')).toMatchObject({ message: 'late' });
    });

    it('keeps shutdown waiting, but not with now', async () => {
      const { connector, events, peer, slow: converter } = await sockets.slow();
      peer.write('file');
      await converter.call(1);
      peer.end();
      await peer.ended;
      let over = false;
      const gentle = connector.shutdown({ finishQueues: true }).then(() => (over = true));
      await inputHandled();
      expect(over).toBe(false);

      await connector.shutdown({ now: true });

      await gentle;
      expect(events.types()).toEqual(['remoteConnect', 'remoteDisconnect']);
      expect(converter.destroyed).toBe(1);
    });

    it('keeps shutdown waiting no longer than its deadline', async () => {
      const { connector, events, peer, slow: converter } = await sockets.slow();
      peer.write('file');
      await converter.call(1);
      peer.end();
      await peer.ended;

      await connector.shutdown({ finishQueues: true, deadline: 20 });

      expect(events.all.at(-1)).toMatchObject({
        type: 'remoteDisconnect',
        error: { code: 'PIKE_ERR_DEADLINE' },
      });
    });

    it('with allowHalfOpen, ends the connection if its message turns out not to be whole', async () => {
      const { events, peer, slow: converter } = await sockets.slow({ allowHalfOpen: true });
      peer.write('half a fi');
      const { callback } = await converter.call(1);
      peer.end();
      await peer.finished;
      await inputHandled();
      converter.answer = () => [EMPTY, WAIT_FOR_MORE];

      callback();

      expect(await events.next('remoteDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_TRUNCATED' },
      });
    });

    it('with allowHalfOpen, can be answered after its message', async () => {
      const {
        connector,
        connection,
        events,
        peer,
        slow: converter,
      } = await sockets.slow({
        allowHalfOpen: true,
      });
      peer.write('file');
      const { callback } = await converter.call(1);
      peer.end();
      await peer.finished;
      await inputHandled();
      converter.answer = () => [EMPTY, DONE];
      callback();
      await events.next('messageReceived');

      connector.send(connection, 'stored');

      await peer.sees('stored\n');
      expect(events.types()).toEqual(['remoteConnect', 'messageReceived']);
    });
  });
}
