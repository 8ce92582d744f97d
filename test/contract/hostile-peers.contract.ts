// Prevents: a peer that misbehaves costs more than its own connection: a message that never ends, a
// peer that never reads, a length of 4 GiB, connections opened and closed in a loop.
import { randomBytes } from 'node:crypto';
import { describe, expect, it } from '@jest/globals';
import { LengthPrefixedConverter, textPayload } from 'nestjs-pike/converters';
import { eventually } from '../support/eventually.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function hostilePeers(transport: Transport): void {
  const sockets = useSockets(transport);

  describe('a peer that never finishes its message', () => {
    it('loses its connection after incompleteMessageTimeout, and nobody else does', async () => {
      const { connector, events } = await sockets.server({
        incompleteMessageTimeout: 100,
        minBytesPerSecond: 1024,
      });
      const idle = await sockets.peer(addressOf(connector));
      await events.next('remoteConnect');
      const slow = await sockets.peer(addressOf(connector));
      const { connection } = await events.next('remoteConnect');
      slow.write('whole\nbegun and never');
      const { error } = await events.next('finishDisconnect', connection);
      expect(error).toMatchObject({ code: 'PIKE_ERR_INCOMPLETE_TIMEOUT' });
      expect(events.messages()).toEqual(['whole']);
      idle.write('still here\n');
      await events.next('messageReceived');
      await events.next('messageReceived');
      expect(events.messages()).toEqual(['whole', 'still here']);
    });

    it('is given more time as long as it sends fast enough', async () => {
      const { connector, events } = await sockets.server({
        incompleteMessageTimeout: 50,
        minBytesPerSecond: 100,
      });
      const peer = await sockets.peer(addressOf(connector));
      const { connection } = await events.next('remoteConnect');
      peer.write('x'.repeat(1000));
      // Another connection of the same connector is cut off meanwhile: the clock does go.
      const silent = await sockets.peer(addressOf(connector));
      const { connection: cutOff } = await events.next('remoteConnect');
      silent.write('?');
      await events.next('finishDisconnect', cutOff);
      peer.write('\n');
      const { message } = await events.next('messageReceived', connection);
      expect(message).toHaveLength(1000);
    });
  });

  describe('a peer that never reads', () => {
    it('loses its connection after stallTimeout; what it did not take comes back', async () => {
      const { events, connection, books, peer } = await sockets.clogged({ stallTimeout: 100 });

      const { error, uncertain, queued } = await events.next('finishDisconnect', connection);

      expect(error).toMatchObject({ code: 'PIKE_ERR_STALLED' });
      expect(uncertain.length > 0).toBe(!transport.facts.knowsAccepted);
      expect(queued.length).toBeGreaterThan(0);
      await books.fatesSeenBy(peer, connection);
    });

    it('is left alone while it takes something now and then', async () => {
      const pair = await sockets.clogged({ stallTimeout: 300 });
      const { connector, events, connection, books, peer } = pair;
      const flushed = connector.flushed(connection);
      // Reads a part at a time, each time long before the timeout has passed.
      peer.socket.on('data', () => {
        peer.pause();
        setImmediate(() => peer.resume());
      });
      peer.resume();

      await flushed;

      connector.disconnect(connection, { finishQueues: true });
      const { sent } = await books.fatesSeenBy(peer, connection);
      expect(sent).toEqual(books.given(connection));
      expect(await events.next('finishDisconnect')).toMatchObject({ error: undefined });
    });
  });

  describe('a peer that declares a message of 4 GiB', () => {
    it('loses its connection before a byte of it is buffered', async () => {
      const { connector, events } = await sockets.server({
        converter: new LengthPrefixedConverter({ payload: textPayload }),
      });
      const peer = await sockets.peer(addressOf(connector));
      peer.write(Buffer.from([0xff, 0xff, 0xff, 0xff]));
      const { error } = await events.next('finishDisconnect');
      expect(error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
      await peer.ended;
    });
  });

  describe('a peer that sends a byte at a time', () => {
    it('is served, whatever it costs itself', async () => {
      const { connector, events } = await sockets.server();
      const peer = await sockets.peer(addressOf(connector));
      await events.next('remoteConnect');
      const text = randomBytes(200).toString('hex');
      for (const character of `${text}\n`) {
        await new Promise((resolve) => peer.socket.write(character, resolve));
      }
      const { message } = await events.next('messageReceived');
      expect(message).toBe(text);
    });
  });

  describe('peers that open and close in a loop', () => {
    it('leave nothing behind', async () => {
      const { connector, events } = await sockets.server();
      for (let round = 0; round < 8; round++) {
        const peers = await Promise.all(
          Array.from({ length: 25 }, () => sockets.peer(addressOf(connector))),
        );
        // Some are gone before they are accepted.
        if (round % 2 === 0) for (const _ of peers) await events.next('remoteConnect');
        for (const [index, peer] of peers.entries()) {
          if (index % 2 === 0) peer.reset();
          else peer.socket.destroy();
        }
      }
      await eventually(() => [...connector.connections].length === 0);
      const after = await sockets.peer(addressOf(connector));
      after.write('still here\n');
      const { message } = await events.next('messageReceived');
      expect(message).toBe('still here');
    });
  });
}
