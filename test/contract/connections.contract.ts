/*
 * Prevents: facts of a connection that are wrong in a log, and a connection that is taken for
 * another's.
 */
import { describe, expect, it } from '@jest/globals';
import { Connection } from 'nestjs-pike/core';
import { eventually } from '../support/eventually.js';
import { pikeErrorOf } from '../support/rejections.js';
import type { Transport } from '../support/transports/transport.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

export function connections(transport: Transport): void {
  const sockets = useSockets(transport);

  describe('a connection', () => {
    it('knows both ends, whichever side dialled', async () => {
      const server = await sockets.server();
      const { connector, events } = await sockets.client();
      const endpoint = addressOf(server.connector);
      const connection = connector.connect(endpoint);
      expect(connection.toJSON()).toEqual({
        id: expect.any(Number),
        inbound: false,
        remote: endpoint,
        local: undefined,
      });
      await events.next('finishConnect');
      const { connection: inbound } = await server.events.next('remoteConnect');

      expect(connection.remote).toEqual(endpoint);
      expect(connection.local).toEqual(inbound.remote);
      expect(inbound.local).toEqual(endpoint);
      expect(inbound.inbound).toBe(true);
      expect(inbound.id).not.toBe(connection.id);
    });

    it('keeps its facts after it has ended', async () => {
      const { connector, connection, events } = await sockets.accepted();
      const facts = connection.toJSON();
      connector.disconnect(connection, { now: true });
      await events.next('finishDisconnect');
      await connector.shutdown({ now: true });

      expect(JSON.parse(JSON.stringify(connection))).toEqual(facts);
    });

    it('tells how many bytes have arrived, those of unfinished messages too', async () => {
      const { connector, connection, events, peer } = await sockets.accepted();
      expect(connection.bytesRead).toBe(0);

      peer.write('one\nunfini');
      await events.next('messageReceived');
      peer.write('shed');
      await eventually(() => connection.bytesRead === 'one\nunfinished'.length);

      connector.disconnect(connection, { now: true });
      expect(connection.bytesRead).toBe('one\nunfinished'.length);
    });

    it('tells whether it is read, managed separately, and over', async () => {
      const connector = await sockets.listening({ maxPendingEvents: 1 });
      const peer = await sockets.peer(addressOf(connector));
      const arrival = await connector.receive();
      if (arrival?.type !== 'remoteConnect') throw new Error('No RemoteConnect came.');
      const { connection } = arrival;
      expect(connection).toMatchObject({ paused: true, separate: false, ended: false });
      arrival.finishAccept({ separate: true });
      expect(connection).toMatchObject({ paused: false, separate: true, ended: false });

      peer.write('one\ntwo\n');
      await eventually(() => connection.paused);
      await connector.receiveFrom(connection);
      await connector.receiveFrom(connection);
      expect(connection.paused).toBe(false);

      connector.merge(connection);
      expect(connection.separate).toBe(false);
      connector.disconnect(connection, { now: true });
      expect(connection.ended).toBe(true);
    });

    it('is among the connections from the call that makes it to its last event', async () => {
      const { connector, connection, peer } = await sockets.accepted();
      const listener = await sockets.listener();
      const dialled = connector.connect(listener.address);
      expect([...connector.connections]).toEqual([connection, dialled]);
      expect([connection, dialled].map((each) => connector.has(each))).toEqual([true, true]);

      connector.disconnect(dialled, { now: true });
      expect([...connector.connections]).toEqual([connection]);
      expect([connection, dialled].map((each) => connector.has(each))).toEqual([true, false]);

      peer.end();
      await peer.ended;
      expect([...connector.connections]).toEqual([]);
      expect(connector.has(connection)).toBe(false);
    });
  });

  describe('a connection of another connector', () => {
    it('is refused by every method, and so is what is no connection at all', async () => {
      const { connection } = await sockets.accepted();
      const { connector } = await sockets.client();
      const forged = Object.create(Connection.prototype) as Connection;

      for (const foreign of [connection, forged, {} as Connection, null as never]) {
        expect(connector.has(foreign)).toBe(false);
        for (const use of [
          () => connector.send(foreign, 'x'),
          () => connector.disconnect(foreign, { now: true }),
          () => connector.drained(foreign),
          () => connector.flushed(foreign),
          () => connector.withdraw(foreign, 'x'),
          () => connector.pause(foreign),
          () => connector.resume(foreign),
          () => connector.receiveFrom(foreign),
          () => connector.merge(foreign),
        ]) {
          expect(await pikeErrorOf(use)).toMatchObject({ code: 'PIKE_ERR_FOREIGN_CONNECTION' });
        }
      }
    });
  });
}
