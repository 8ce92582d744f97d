/*
 * Prevents: events of a connection that is managed separately leaking into the shared queue, lost
 * or reordered when it is merged.
 */
import { describe, expect, it } from '@jest/globals';
import type { Connection, Connector } from 'nestjs-pike/core';
import type { RawPeer } from '../support/raw-peer.js';
import { pikeErrorOf } from '../support/rejections.js';
import { EventRecorder } from '../support/event-recorder.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function separateQueues(transport: Transport): void {
  const sockets = useSockets(transport);

  interface Separate {
    connector: Connector<string>;
    connection: Connection;
    peer: RawPeer;
  }

  /** An inbound connection that is managed separately; nobody receives from the shared queue. */
  async function separate(): Promise<Separate> {
    const connector = await sockets.listening();
    const peer = await sockets.peer(addressOf(connector));
    const arrival = await connector.receive();
    if (arrival?.type !== 'remoteConnect') throw new Error('No RemoteConnect came.');
    arrival.finishAccept({ separate: true });
    return { connector, connection: arrival.connection, peer };
  }

  describe('a connection that is managed separately', () => {
    it('accepted so, gives its events to receiveFrom only', async () => {
      const { connector, connection, peer } = await separate();
      peer.write('one\n');
      expect(await connector.receiveFrom(connection)).toMatchObject({ message: 'one' });
      peer.end();

      expect(await connector.receiveFrom(connection)).toMatchObject({ type: 'remoteDisconnect' });
      expect(await connector.receiveFrom(connection)).toBeUndefined();
      await connector.shutdown({ now: true });
      expect(await connector.receive()).toBeUndefined();
    });

    it('dialled so, gives its FinishConnect to receiveFrom, too', async () => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();
      const connection = connector.connect(listener.address, { separate: true });

      expect(await connector.receiveFrom(connection)).toMatchObject({
        type: 'finishConnect',
        success: true,
      });
      (await listener.accept()).write('one\n');
      expect(await connector.receiveFrom(connection)).toMatchObject({ message: 'one' });
      expect(events.all).toEqual([]);
    });

    it('resolves undefined for who waits when it has ended', async () => {
      const { connector, connection } = await separate();
      const waiting = [connector.receiveFrom(connection), connector.receiveFrom(connection)];

      connector.disconnect(connection, { now: true });

      expect(await waiting[0]).toMatchObject({ type: 'finishDisconnect' });
      expect(await waiting[1]).toBeUndefined();
    });

    it('gives rejected messages to its own queue, even after its end', async () => {
      const { connector, connection, peer } = await separate();
      connector.disconnect(connection, { now: true });
      await peer.ended;
      connector.send(connection, 'late');

      expect(await connector.receiveFrom(connection)).toMatchObject({ type: 'finishDisconnect' });
      expect(await connector.receiveFrom(connection)).toMatchObject({ message: 'late' });
    });

    it('does not disturb the others', async () => {
      const { connector, connection } = await separate();
      const other = await sockets.peer(addressOf(connector));

      expect(await connector.receive()).toMatchObject({ type: 'remoteConnect' });
      await other.destroy();
      connector.disconnect(connection, { now: true });
      expect(await connector.receiveFrom(connection)).toMatchObject({ type: 'finishDisconnect' });
    });
  });

  describe('merge', () => {
    it('hands over what waits, in order, before what comes later', async () => {
      const { connector, connection, peer } = await separate();
      peer.write('one\ntwo\nthree\n');
      expect(await connector.receiveFrom(connection)).toMatchObject({ message: 'one' });

      connector.merge(connection);

      peer.write('four\n');
      expect(await connector.receive()).toMatchObject({ message: 'two' });
      expect(await connector.receive()).toMatchObject({ message: 'three' });
      expect(await connector.receive()).toMatchObject({ message: 'four' });
    });

    it('delivers what has waited to a listener of the shared queue', async () => {
      const { connector, connection, peer } = await separate();
      peer.write('one\ntwo\nthree\n');
      expect(await connector.receiveFrom(connection)).toMatchObject({ message: 'one' });
      const events = new EventRecorder(connector);

      connector.merge(connection);
      peer.end();

      await events.next('remoteDisconnect');
      expect(events.messages()).toEqual(['two', 'three']);
    });

    it('resolves undefined for who waits', async () => {
      const { connector, connection, peer } = await separate();
      const waiting = connector.receiveFrom(connection);

      connector.merge(connection);

      expect(await waiting).toBeUndefined();
      peer.write('one\n');
      expect(await connector.receive()).toMatchObject({ message: 'one' });
    });

    it('works for a connection that has ended', async () => {
      const { connector, connection } = await separate();
      connector.disconnect(connection, { now: true });
      await connector.shutdown({ now: true });

      connector.merge(connection);

      expect(await connector.receive()).toMatchObject({ type: 'finishDisconnect' });
      expect(await connector.receive()).toBeUndefined();
    });

    it('happens once: afterwards the connection is not separate', async () => {
      const { connector, connection } = await separate();
      connector.merge(connection);

      expect(await pikeErrorOf(() => connector.merge(connection))).toMatchObject({
        code: 'PIKE_ERR_NOT_SEPARATE',
      });
      expect(await pikeErrorOf(() => connector.receiveFrom(connection))).toMatchObject({
        code: 'PIKE_ERR_NOT_SEPARATE',
      });
    });
  });

  describe('a connection that is not managed separately', () => {
    it('can be neither received from nor merged', async () => {
      const { connector, connection } = await sockets.accepted();

      expect(await pikeErrorOf(() => connector.receiveFrom(connection))).toMatchObject({
        code: 'PIKE_ERR_NOT_SEPARATE',
        message: expect.stringContaining(String(connection.id)),
      });
      expect(await pikeErrorOf(() => connector.merge(connection))).toMatchObject({
        code: 'PIKE_ERR_NOT_SEPARATE',
      });
    });
  });
}
