/*
 * Prevents: a message that cannot be serialized vanishing, corrupting the stream behind it, or
 * taking the connection of others with it.
 */
import { describe, expect, it } from '@jest/globals';
import { WAIT_FOR_CALLBACK } from 'nestjs-pike/core';
import { scriptedConverter } from '../support/scripted-converter.js';
import { useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function faultySerializers(transport: Transport): void {
  const sockets = useSockets(transport);
  const EMPTY = Buffer.alloc(0);

  describe('a serializer', () => {
    it('that throws before any byte has left rejects the message; the connection goes on', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      for (const message of ['one', '!two', 'three']) connector.send(connection, message);

      expect(await events.next('rejectedMessage')).toMatchObject({
        connection,
        message: '!two',
        error: { code: 'PIKE_ERR_SERIALIZER', cause: { message: 'Cannot write !two' } },
      });
      expect(await peer.sees('three\n')).toBe('one\nthree\n');
      expect(events.types()).toEqual(['remoteConnect', 'rejectedMessage']);
    });

    it('whose creation throws rejects the message, too', async () => {
      const converter = scriptedConverter({});
      const { connector, connection, events, peer } = await sockets.accepted({
        converter: {
          ...converter,
          createSerializer: (message, of) => {
            if (message === 'bad') throw new TypeError('no serializer for it');
            return converter.createSerializer(message, of);
          },
        },
      });
      for (const message of ['one', 'bad', 'three']) connector.send(connection, message);

      expect(await events.next('rejectedMessage')).toMatchObject({ message: 'bad' });
      expect(await peer.sees('three\n')).toBe('one\nthree\n');
    });

    it.each([
      ['a text', () => 'text'],
      ['nothing', () => undefined],
      ['a promise', () => Promise.resolve(EMPTY)],
    ])('that returns %s rejects the message', async (_, getBytes) => {
      const { connector, connection, events } = await sockets.accepted({
        converter: scriptedConverter({ getBytes }),
      });
      connector.send(connection, 'one');

      expect(await events.next('rejectedMessage')).toMatchObject({
        message: 'one',
        error: { code: 'PIKE_ERR_SERIALIZER' },
      });
    });

    it('that throws when some bytes have left ends the connection: one message incomplete, the rest queued', async () => {
      let callback: () => void = () => {};
      let calls = 0;
      const { connector, connection, events, peer } = await sockets.accepted({
        converter: scriptedConverter({
          getBytes: (message, ready) => {
            if (message !== 'bad') throw new Error('never asked for');
            if (calls++ === 0) return Buffer.from('the first half, ');
            if (calls === 2) {
              callback = ready;
              return WAIT_FOR_CALLBACK;
            }
            throw new Error('broken in the middle');
          },
        }),
      });
      for (const message of ['bad', 'two', 'three']) connector.send(connection, message);
      await peer.sees('the first half, ');

      callback();

      expect(await events.next('finishDisconnect')).toMatchObject({
        incomplete: 'bad',
        queued: ['two', 'three'],
        uncertain: [],
        error: { code: 'PIKE_ERR_SERIALIZER', cause: { message: 'broken in the middle' } },
      });
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      await peer.ended;
      expect(peer.text).toBe('the first half, ');
    });

    it('that waits when the connection ends is destroyed, once, and its callback is ignored', async () => {
      let callback: () => void = () => {};
      let destroyed = 0;
      const { connector, connection, events, peer } = await sockets.accepted({
        converter: scriptedConverter({
          getBytes: (_, ready) => {
            callback = ready;
            return WAIT_FOR_CALLBACK;
          },
          destroySerializer: () => destroyed++,
        }),
      });
      connector.send(connection, 'slow');
      peer.write('line\n');
      await events.next('messageReceived');

      connector.disconnect(connection, { now: true });
      callback();
      callback();

      expect(await events.next('finishDisconnect')).toMatchObject({
        incomplete: undefined,
        queued: ['slow'],
      });
      await connector.shutdown({ now: true });
      expect(destroyed).toBe(1);
    });

    it('may disconnect its own connection from within, with now', async () => {
      let disconnect: () => void = () => {};
      const { connector, connection, events } = await sockets.accepted({
        converter: scriptedConverter({
          getBytes: () => {
            disconnect();
            return Buffer.from('never sent');
          },
        }),
      });
      disconnect = () => connector.disconnect(connection, { now: true });
      connector.send(connection, 'one');
      connector.send(connection, 'two');

      expect(await events.next('finishDisconnect')).toMatchObject({
        incomplete: undefined,
        queued: ['one', 'two'],
      });
      await connector.shutdown({ finishQueues: true });
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });

    it('that throws while everything is being finished rejects its message, and the rest is sent', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      for (const message of ['one', '!two', 'three']) connector.send(connection, message);

      connector.disconnect(connection, { finishQueues: true });

      await peer.ended;
      expect(peer.text).toBe('one\nthree\n');
      await events.next('finishDisconnect');
      expect(events.types()).toEqual(['remoteConnect', 'rejectedMessage', 'finishDisconnect']);
    });
  });
}
