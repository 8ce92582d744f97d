/*
 * Prevents: a peer that sends faster than the application takes filling the memory, and a paused
 * connection that is never read again.
 */
import { describe, expect, it } from '@jest/globals';
import type { Connection, Connector } from 'nestjs-pike/core';
import type { RawPeer } from '../support/raw-peer.js';
import { inputHandled } from '../support/turns.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function backPressure(transport: Transport): void {
  const sockets = useSockets(transport);
  const LINE = `${'x'.repeat(999)}\n`;
  /** Far more than the system buffers for one connection. */
  const FLOOD = LINE.repeat((2 * transport.facts.overflow) / LINE.length);
  /** What one read may bring in after the mark was passed: the reads of a turn are handled whole. */
  const ONE_READ = 64 * 1024;

  interface Flooded {
    connector: Connector<string>;
    connection: Connection;
    peer: RawPeer;
    /** Whether everything that the peer sends has been handed to its system. */
    flooded: () => boolean;
  }

  /** A connection whose peer sends and sends; nobody takes the events. */
  async function flooded(separate: boolean): Promise<Flooded> {
    const connector = await sockets.listening({
      maxPendingEvents: 100,
    });
    const peer = await sockets.peer(addressOf(connector));
    const arrival = await connector.receive();
    if (arrival?.type !== 'remoteConnect') throw new Error('No RemoteConnect came.');
    arrival.finishAccept({ separate });
    let done = false;
    peer.socket.write(FLOOD, () => (done = true));
    return { connector, connection: arrival.connection, peer, flooded: () => done };
  }

  describe.each([
    ['the shared queue', false],
    ['a queue of its own', true],
  ])('events of a connection that nobody takes, in %s', (_, separate) => {
    it('stop its socket from being read, and taking them sets it going again', async () => {
      const { connector, connection, peer, flooded: isFlooded } = await flooded(separate);
      for (let i = 0; i < 50; i++) await inputHandled();
      expect(isFlooded()).toBe(false);
      peer.end();

      let messages = 0;
      for (;;) {
        const event = separate
          ? await connector.receiveFrom(connection)
          : await connector.receive();
        if (event?.type !== 'messageReceived') {
          expect(event).toMatchObject({ type: 'remoteDisconnect', error: undefined });
          break;
        }
        messages++;
      }

      expect(messages).toBe(FLOOD.length / LINE.length);
    });

    it('hold no more than one read beyond the mark', async () => {
      const { connector, connection } = await flooded(separate);
      for (let i = 0; i < 50; i++) await inputHandled();

      connector.disconnect(connection, { now: true });
      let taken = 0;
      for (;;) {
        const event = separate
          ? await connector.receiveFrom(connection)
          : await connector.receive();
        if (event?.type !== 'messageReceived') break;
        taken++;
      }

      expect(taken).toBeGreaterThan(100);
      expect(taken).toBeLessThanOrEqual(101 + ONE_READ / LINE.length);
    });
  });

  describe('a connection whose events nobody takes', () => {
    it('does not keep others from being read', async () => {
      const { connector } = await flooded(true);
      const other = await sockets.peer(addressOf(connector));
      const arrival = await connector.receive();
      if (arrival?.type === 'remoteConnect') arrival.finishAccept();

      other.write('hello\n');

      expect(await connector.receive()).toMatchObject({ message: 'hello' });
    });

    it('goes on when its queue is merged into one with a listener', async () => {
      const { connector, connection, peer } = await flooded(true);
      for (let i = 0; i < 10; i++) await inputHandled();
      peer.end();
      let messages = 0;
      const ended = new Promise<void>((resolve) =>
        connector.subscribe((event) => {
          if (event.type === 'messageReceived') messages++;
          if (event.type === 'remoteDisconnect') resolve();
        }),
      );

      connector.merge(connection);

      await ended;
      expect(messages).toBe(FLOOD.length / LINE.length);
    });

    it('can be sent to', async () => {
      const { connector, connection, peer } = await flooded(true);
      for (let i = 0; i < 10; i++) await inputHandled();

      connector.send(connection, 'slow down');

      await peer.sees('slow down\n');
      await connector.flushed(connection);
      expect([...connector.connections]).toEqual([connection]);
    });

    it('ends when it is shut down', async () => {
      const { connector, peer } = await flooded(true);
      for (let i = 0; i < 10; i++) await inputHandled();

      const shutDown = connector.shutdown({ finishQueues: true });
      await peer.ended;
      peer.end();

      await expect(shutDown).resolves.toBeUndefined();
    });
  });
}
