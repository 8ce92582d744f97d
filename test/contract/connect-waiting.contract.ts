/*
 * Prevents: events of a connection that reach the application before it knows the connection, and
 * connections that stay open although the application failed to prepare for them.
 */
import { describe, expect, it } from '@jest/globals';
import type { Connection } from 'nestjs-pike/core';
import { pikeErrorOf } from '../support/rejections.js';
import { useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function connectWaiting(transport: Transport): void {
  const sockets = useSockets(transport);

  describe('connectWaiting', () => {
    it('returns the connection, and no FinishConnect event comes', async () => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();

      const result = await connector.connectWaiting(listener.address);

      expect(result).toMatchObject({ success: true, queued: [], error: undefined });
      connector.send(result.connection, 'hello');
      const peer = await listener.accept();
      await peer.sees('hello\n');
      peer.end();
      await events.next('remoteDisconnect', result.connection);
      expect(events.types()).toEqual(['remoteDisconnect']);
    });

    it('returns a failure without rejecting', async () => {
      const { connector, events } = await sockets.client();
      const finished: [Connection, boolean][] = [];

      const result = await connector.connectWaiting(await sockets.unusedEndpoint(), {
        onFinish: (connection, success) => {
          finished.push([connection, success]);
        },
      });

      expect(result).toMatchObject({
        success: false,
        queued: [],
        error: { code: 'PIKE_ERR_CONNECT_FAILED', cause: { code: transport.facts.refusal } },
      });
      expect(finished).toEqual([[result.connection, false]]);
      expect(events.all).toEqual([]);
    });

    it('returns what was given to send meanwhile when it fails', async () => {
      const { connector } = await sockets.client();
      const waiting = connector.connectWaiting(await sockets.unusedEndpoint());
      const [connection] = [...connector.connections] as [Connection];
      connector.send(connection, 'one');

      expect(await waiting).toMatchObject({ connection, success: false, queued: ['one'] });
    });

    it('fails when it is aborted, and when the connector is shut down meanwhile', async () => {
      const { address } = await sockets.listener();
      const { connector } = await sockets.client();

      const aborted = connector.connectWaiting(address, { signal: AbortSignal.abort() });
      expect(await aborted).toMatchObject({
        success: false,
        error: { code: 'PIKE_ERR_CONNECT_ABORTED' },
      });
      const waiting = connector.connectWaiting(address);
      await connector.shutdown({ finishQueues: true });
      expect(await waiting).toMatchObject({
        success: false,
        error: { code: 'PIKE_ERR_CONNECT_ABORTED' },
      });
    });

    it('holds every event back until onFinish has resolved, then delivers them in order', async () => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();
      let goOn: () => void = () => {};
      const prepared = new Promise<void>((resolve) => (goOn = resolve));
      const log: string[] = [];

      const waiting = connector.connectWaiting(listener.address, {
        onFinish: async () => {
          await prepared;
          log.push(`prepared, ${events.all.length} events so far`);
        },
      });
      const peer = await listener.accept();
      peer.write('one\ntwo\n');
      peer.end();
      // The connector has ended the connection, so it has read everything.
      await peer.ended;
      goOn();
      const { connection } = await waiting;

      await events.next('remoteDisconnect', connection);
      expect(log).toEqual(['prepared, 0 events so far']);
      expect(events.types()).toEqual(['messageReceived', 'messageReceived', 'remoteDisconnect']);
      expect(events.messages()).toEqual(['one', 'two']);
    });

    it('can be sent to from within onFinish', async () => {
      const listener = await sockets.listener();
      const { connector } = await sockets.client();

      await connector.connectWaiting(listener.address, {
        onFinish: (connection) => {
          connector.send(connection, 'first');
        },
      });

      expect(await (await listener.accept()).sees('first\n')).toBe('first\n');
    });

    it.each([
      [
        'throws',
        () => {
          throw new Error('not prepared');
        },
      ],
      ['rejects', () => Promise.reject(new Error('not prepared'))],
    ])('disconnects with now and rejects when onFinish %s', async (_, onFinish) => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();

      await expect(connector.connectWaiting(listener.address, { onFinish })).rejects.toThrow(
        'not prepared',
      );

      await (
        await listener.accept()
      ).ended;
      await events.next('finishDisconnect');
      expect(events.types()).toEqual(['finishDisconnect']);
    });

    it('rejects with what onFinish throws when connecting had failed', async () => {
      const { connector, events } = await sockets.client();

      await expect(
        connector.connectWaiting(await sockets.unusedEndpoint(), {
          onFinish: () => Promise.reject(new Error('not prepared')),
        }),
      ).rejects.toThrow('not prepared');

      expect(events.all).toEqual([]);
      expect([...connector.connections]).toEqual([]);
    });

    it('gives back what was given meanwhile when connecting fails and onFinish throws', async () => {
      const { connector, events } = await sockets.client();
      const waiting = connector.connectWaiting(await sockets.unusedEndpoint(), {
        onFinish: () => Promise.reject(new Error('not prepared')),
      });
      const [connection] = [...connector.connections] as [Connection];
      connector.send(connection, 'one');
      connector.send(connection, 'two');

      await expect(waiting).rejects.toThrow('not prepared');

      expect(await events.next('finishConnect', connection)).toMatchObject({
        success: false,
        queued: ['one', 'two'],
      });
    });

    it('delivers what it holds back when the connector is shut down and onFinish never returns', async () => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();
      void connector.connectWaiting(listener.address, {
        onFinish: async (connection) => {
          connector.send(connection, 'one');
          await new Promise(() => {});
        },
      });
      const peer = await listener.accept();
      await peer.sees('one\n');

      await connector.shutdown({ finishQueues: true });

      expect(events.types()).toEqual(['finishDisconnect']);
    });

    it('may be disconnected from within onFinish', async () => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();

      const { connection, success } = await connector.connectWaiting(listener.address, {
        onFinish: (opened) => connector.disconnect(opened, { finishQueues: true }),
      });

      expect(success).toBe(true);
      await events.next('finishDisconnect', connection);
    });

    it('keeps its own queue with separate', async () => {
      const listener = await sockets.listener();
      const { connector, events } = await sockets.client();
      const { connection } = await connector.connectWaiting(listener.address, { separate: true });

      (await listener.accept()).write('one\n');

      expect(await connector.receiveFrom(connection)).toMatchObject({ message: 'one' });
      expect(events.all).toEqual([]);
    });

    it('uses the shared queue without separate', async () => {
      const { address } = await sockets.listener();
      const { connector } = await sockets.client();
      const { connection } = await connector.connectWaiting(address);

      expect(await pikeErrorOf(() => connector.receiveFrom(connection))).toMatchObject({
        code: 'PIKE_ERR_NOT_SEPARATE',
      });
    });

    it.each<[string, unknown]>([
      ['onFinish', { onFinish: 'later' }],
      ['onfinish', { onfinish: () => {} }],
    ])('rejects a wrong option and names it: %s', async (name, options) => {
      const { address } = await sockets.listener();
      const { connector } = await sockets.client();

      expect(
        await pikeErrorOf(() => connector.connectWaiting(address, options as object)),
      ).toMatchObject({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(`"${name}"`),
      });
    });
  });
}
