/*
 * Prevents: an application that hears of a connection before it begins or after it has ended, or
 * of messages in another order than that of the wire.
 */
import { describe, expect, it } from '@jest/globals';
import { DONE } from 'nestjs-pike/core';
import { expectOneLife } from '../support/one-life.js';
import { SlowConverter } from '../support/slow-converter.js';
import type { Transport } from '../support/transports/transport.js';
import { useSockets } from '../support/use-sockets.js';
import type { Pair } from '../support/use-sockets.js';

const LINES = Array.from({ length: 50 }, (_, index) => `line ${index}`);
const WIRE = LINES.map((line) => `${line}\n`).join('');

export function orderOfEvents(transport: Transport): void {
  const sockets = useSockets(transport);

  /** Asserts the whole life of a connection that has received every line, and been sent one too late. */
  async function expectWholeLife(
    { connector, connection, events, books, peer }: Pair,
    opening: 'remoteConnect' | 'finishConnect',
    end: 'remoteDisconnect' | 'finishDisconnect',
  ): Promise<void> {
    await events.next(end);
    connector.send(connection, 'late');
    await events.next('rejectedMessage');
    expect(events.types(connection)).toEqual([
      opening,
      ...LINES.map(() => 'messageReceived'),
      end,
      'rejectedMessage',
    ]);
    expect(events.messages(connection)).toEqual(LINES);
    expectOneLife(connection, events.all);
    const { sent, rejected } = await books.fatesSeenBy(peer, connection);
    expect({ sent, rejected }).toEqual({ sent: ['in time'], rejected: ['late'] });
  }

  describe('the order of events: the opening, messages in wire order, one end, then only rejections', () => {
    it.each(['accepted', 'dialled'] as const)('of a connection that we %s', async (way) => {
      for (const end of ['remoteDisconnect', 'finishDisconnect'] as const) {
        const pair = await sockets[way]();
        const { connector, connection, events, peer } = pair;
        connector.send(connection, 'in time');
        await connector.flushed(connection);
        // Cut anywhere, and the last piece together with the end.
        peer.write(WIRE.slice(0, 105));
        await events.next('messageReceived');
        peer.write(WIRE.slice(105));
        if (end === 'remoteDisconnect') {
          peer.end();
        } else {
          for (let i = 1; i < LINES.length; i++) await events.next('messageReceived');
          connector.disconnect(connection, { now: true });
        }
        const opening = way === 'accepted' ? 'remoteConnect' : 'finishConnect';

        await expectWholeLife(pair, opening, end);
      }
    });

    it('of a connection that fails: nothing but FinishConnect, then only rejections', async () => {
      const { connector, events, books } = await sockets.client();
      const connection = connector.connect(await sockets.unusedEndpoint());
      connector.send(connection, 'waits');
      await events.next('finishConnect');

      connector.send(connection, 'late');

      await events.next('rejectedMessage');
      expect(events.types()).toEqual(['finishConnect', 'rejectedMessage']);
      const { queued, rejected } = books.fates(connection);
      expect({ queued, rejected }).toEqual({ queued: ['waits'], rejected: ['late'] });
    });

    it('of a connection whose end waits for its last message', async () => {
      const slow = new SlowConverter();
      const pair = await sockets.accepted({ converter: slow.converter });
      const { connector, connection, events, books, peer } = pair;
      peer.write('file');
      const { callback } = await slow.call(1);
      peer.end();
      await peer.ended;
      connector.send(connection, 'late');
      await events.next('rejectedMessage');
      slow.answer = () => [Buffer.alloc(0), DONE];

      callback();

      await events.next('remoteDisconnect');
      expect(events.types()).toEqual([
        'remoteConnect',
        'rejectedMessage',
        'messageReceived',
        'remoteDisconnect',
      ]);
      expect(books.fates(connection).rejected).toEqual(['late']);
    });
  });
}
