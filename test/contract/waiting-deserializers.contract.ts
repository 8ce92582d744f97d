/*
 * Prevents: a slow disk turning into unbounded memory, a deserializer called while it works, and
 * files left open.
 */
import { describe, expect, it } from '@jest/globals';
import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from 'nestjs-pike/core';
import { inputHandled } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function waitingDeserializers(transport: Transport): void {
  const sockets = useSockets(transport);
  const EMPTY = Buffer.alloc(0);

  describe('a deserializer that waits for its callback', () => {
    it('is not called before the callback, and its peer is not read beyond what the system buffers', async () => {
      const { connector, peer, slow: converter } = await sockets.slow();
      peer.write('first');
      await converter.call(1);
      const large = Buffer.alloc(64 * 1024 * 1024);

      // Far more than the buffers of the system: the peer's write is stuck until it is read.
      let taken = false;
      peer.socket.write(large, () => (taken = true));
      for (let i = 0; i < 50; i++) await inputHandled();

      expect(taken).toBe(false);
      expect(converter.calls).toHaveLength(1);
      expect([...connector.connections]).toHaveLength(1);
    });

    it('is called again with the suffix that it left and what has arrived meanwhile', async () => {
      const { events, peer, slow: converter } = await sockets.slow();
      converter.answer = (data) => [data.subarray(3), WAIT_FOR_CALLBACK];
      peer.write('onetwo');
      const { callback } = await converter.call(1);
      peer.write('three');
      await inputHandled();
      converter.answer = () => [EMPTY, DONE];

      callback();

      // What had not been read yet may come a moment later, as a message of its own.
      await events.next('messageReceived');
      expect(converter.calls[0]?.data).toBe('onetwo');
      expect(converter.calls[1]?.data.startsWith('two')).toBe(true);
      if (converter.calls[1]?.data === 'two') await converter.call(3);
      expect(converter.calls.map(({ data }) => data).join('')).toBe('onetwotwothree');
    });

    it('is called again even if nothing is left and nothing has arrived', async () => {
      const { events, peer, slow: converter } = await sockets.slow();
      peer.write('all');
      const { callback } = await converter.call(1);
      converter.answer = () => [EMPTY, DONE];

      callback();

      expect(await events.next('messageReceived')).toMatchObject({ message: 'all' });
      expect(converter.calls.map(({ data }) => data)).toEqual(['all', '']);
    });

    it('may call back synchronously', async () => {
      const { events, peer, slow: converter } = await sockets.slow();
      converter.answer = (data, callback) => {
        if (data.length === 0) return [EMPTY, DONE];
        callback();
        return [EMPTY, WAIT_FOR_CALLBACK];
      };
      peer.write('sync');

      expect(await events.next('messageReceived')).toMatchObject({ message: 'sync' });
    });

    it('may call back synchronously for ever without keeping others from their turn', async () => {
      const { connector, connection, events, peer, slow: converter } = await sockets.slow();
      converter.answer = (data, callback) => {
        callback();
        return [data, WAIT_FOR_CALLBACK];
      };
      peer.write('never done');
      await converter.call(1000);

      connector.disconnect(connection, { now: true });

      expect(await events.next('finishDisconnect')).toMatchObject({ connection });
    });

    it('may call back twice: the second call is ignored', async () => {
      const { events, peer, slow: converter } = await sockets.slow();
      peer.write('one');
      const { callback } = await converter.call(1);
      callback();
      const { callback: second } = await converter.call(2);

      callback();
      callback();
      await inputHandled();

      expect(converter.calls).toHaveLength(2);
      converter.answer = () => [EMPTY, DONE];
      second();
      await events.next('messageReceived');
    });

    it('may ask for more after the callback', async () => {
      const { events, peer, slow: converter } = await sockets.slow();
      peer.write('one');
      const { callback } = await converter.call(1);
      converter.answer = () => [EMPTY, WAIT_FOR_MORE];
      callback();
      await converter.call(2);
      converter.answer = () => [EMPTY, DONE];
      peer.write('two');

      expect(await events.next('messageReceived')).toMatchObject({ message: 'onetwo' });
      expect(converter.calls.map(({ data }) => data)).toEqual(['one', '', 'two']);
    });

    it('that throws after the callback costs its connection', async () => {
      const { events, peer, slow: converter } = await sockets.slow();
      peer.write('one');
      const { callback } = await converter.call(1);
      converter.answer = () => {
        throw new Error('disk full');
      };
      callback();

      expect(await events.next('finishDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_DESERIALIZER', cause: { message: 'disk full' } },
      });
      expect(converter.destroyed).toBe(1);
    });

    it.each([{ now: true }, { finishQueues: true }] as const)(
      'is destroyed once when we disconnect with %j, and its callback is ignored from then on',
      async (how) => {
        const { connector, connection, events, peer, slow: converter } = await sockets.slow();
        peer.write('one');
        const { callback } = await converter.call(1);

        connector.disconnect(connection, how);
        await events.next('finishDisconnect');
        callback();
        callback();
        await inputHandled();

        expect(converter.calls).toHaveLength(1);
        expect(converter.destroyed).toBe(1);
        await connector.shutdown({ now: true });
        expect(converter.destroyed).toBe(1);
      },
    );
  });
}
