/*
 * Prevents: last bytes destroyed by a reset. The system resets a connection that is closed with
 * unread input, and the peer then loses what it has not read yet, although we called it sent.
 */
import { describe, expect, it } from '@jest/globals';
import { useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function lingering(transport: Transport): void {
  const sockets = useSockets(transport);
  const GOODBYE = 'g'.repeat(50_000);

  describe('a connection that has been finished', () => {
    it('still brings its last bytes to a peer that goes on sending', async () => {
      const { connector, connection, events, peer } = await sockets.accepted({ peerReads: false });
      connector.send(connection, GOODBYE);
      connector.disconnect(connection, { finishQueues: true });
      peer.write('noise\n'.repeat(100_000));
      await events.next('finishDisconnect');

      peer.write('noise\n'.repeat(100_000));
      peer.resume();

      await peer.ended;
      expect(peer.bytesReceived).toBe(GOODBYE.length + 1);
      peer.end();
      expect(await peer.closed).toBeUndefined();
      await connector.shutdown({ finishQueues: true });
    });

    it('still brings them when the application has not taken what was received', async () => {
      const listener = await sockets.listener({ reading: false });
      const connector = await sockets.running({ maxPendingEvents: 1, lingerTimeout: 60_000 });
      const { connection } = await connector.connectWaiting(listener.address);
      const peer = await listener.accept();
      peer.write('noise\n'.repeat(100_000));
      expect(await connector.receive()).toMatchObject({ message: 'noise' });
      connector.send(connection, GOODBYE);

      connector.disconnect(connection, { finishQueues: true });
      for (let i = 0; i < 10; i++) connector.send(connection, 'too late');

      peer.resume();
      await peer.ended;
      expect(peer.bytesReceived).toBe(GOODBYE.length + 1);
      peer.end();
      expect(await peer.closed).toBeUndefined();
      await connector.shutdown({ finishQueues: true });
    });

    it('delivers nothing more, whatever arrives', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      connector.disconnect(connection, { finishQueues: true });
      await events.next('finishDisconnect');

      peer.write('too late\n!garbage\n');
      peer.end();
      await peer.closed;

      await connector.shutdown({ finishQueues: true });
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });

    it('is closed when lingerTimeout has passed and the peer has not ended', async () => {
      const { connector, connection, events, peer } = await sockets.accepted({ lingerTimeout: 20 });
      connector.send(connection, 'bye');
      connector.disconnect(connection, { finishQueues: true });

      await connector.shutdown({ finishQueues: true });

      await peer.ended;
      expect(peer.text).toBe('bye\n');
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });

    it('is closed at once when it is disconnected with now', async () => {
      const { connector, connection, events } = await sockets.accepted({ lingerTimeout: 60_000 });
      connector.disconnect(connection, { finishQueues: true });
      await events.next('finishDisconnect');

      connector.disconnect(connection, { now: true });

      await connector.shutdown({ finishQueues: true });
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });

    it('is closed within the deadline of its disconnect', async () => {
      const { connector, connection, events } = await sockets.accepted({ lingerTimeout: 60_000 });
      connector.disconnect(connection, { finishQueues: true, deadline: 20 });

      await connector.shutdown({ finishQueues: true });

      expect(events.all.at(-1)).toMatchObject({ type: 'finishDisconnect', error: undefined });
    });

    it('is closed without a further event when the peer resets it', async () => {
      const { connector, connection, events, peer } = await sockets.accepted({
        lingerTimeout: 60_000,
      });
      connector.disconnect(connection, { finishQueues: true });
      await events.next('finishDisconnect');

      peer.reset();

      await connector.shutdown({ finishQueues: true });
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
    });

    it('is no more among the connections', async () => {
      const { connector, connection, events } = await sockets.accepted({ lingerTimeout: 60_000 });
      connector.disconnect(connection, { finishQueues: true });
      await events.next('finishDisconnect');

      expect([...connector.connections]).toEqual([]);
    });
  });
}
