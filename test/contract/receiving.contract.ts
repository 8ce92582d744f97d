/*
 * Prevents: an event delivered twice or to nobody because two parties take them, and an
 * application that waits for ever after shutdown.
 */
import { describe, expect, it } from '@jest/globals';
import type { ConnectorEvent } from 'nestjs-pike/core';
import { pikeErrorOf } from '../support/rejections.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function receiving(transport: Transport): void {
  const sockets = useSockets(transport);

  describe('receive', () => {
    it('answers events in order, each once, whether they wait or are waited for', async () => {
      const connector = await sockets.listening();
      const waiting = [connector.receive(), connector.receive(), connector.receive()];
      const peer = await sockets.peer(addressOf(connector));
      const arrival = await waiting[0];
      if (arrival?.type !== 'remoteConnect') throw new Error('No RemoteConnect came.');
      arrival.finishAccept();
      peer.write('one\ntwo\nthree\n');

      expect(await waiting[1]).toMatchObject({ type: 'messageReceived', message: 'one' });
      expect(await waiting[2]).toMatchObject({ message: 'two' });
      expect(await connector.receive()).toMatchObject({ message: 'three' });
    });

    it('resolves undefined for those who wait when the connector is shut down', async () => {
      const connector = await sockets.running();
      const waiting = [connector.receive(), connector.receive()];

      await connector.shutdown({ now: true });

      expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    });
  });

  describe('iterating over a connector', () => {
    it('sees every event and ends at shutdown', async () => {
      const connector = await sockets.listening();
      const peer = await sockets.peer(addressOf(connector));
      const types: string[] = [];

      for await (const event of connector) {
        types.push(event.type);
        if (event.type === 'remoteConnect') {
          event.finishAccept();
          peer.write('hello\n');
        }
        if (event.type === 'messageReceived') {
          connector.disconnect(event.connection, { now: true });
          void connector.shutdown({ now: true });
        }
      }

      expect(types).toEqual(['remoteConnect', 'messageReceived', 'finishDisconnect']);
    });

    it('can be left and taken up again', async () => {
      const connector = await sockets.listening();
      const peer = await sockets.peer(addressOf(connector));
      for await (const event of connector) {
        if (event.type === 'remoteConnect') event.finishAccept();
        break;
      }
      peer.write('one\ntwo\n');
      const messages: string[] = [];

      for await (const event of connector) {
        if (event.type === 'messageReceived') messages.push(event.message);
        if (messages.length === 2) break;
      }

      expect(messages).toEqual(['one', 'two']);
    });
  });

  describe('subscribe', () => {
    it('delivers what has waited first, in order', async () => {
      const connector = await sockets.listening();
      const peer = await sockets.peer(addressOf(connector));
      const arrival = await connector.receive();
      if (arrival?.type === 'remoteConnect') arrival.finishAccept();
      peer.write('one\ntwo\n');
      expect(await connector.receive()).toMatchObject({ message: 'one' });
      const log: string[] = [];

      const last = new Promise<void>((resolve) =>
        connector.subscribe((event) => {
          if (event.type !== 'messageReceived') return;
          log.push(event.message);
          if (event.message === 'three') resolve();
        }),
      );
      expect(log).toEqual([]);
      peer.write('three\n');

      await last;
      expect(log).toEqual(['two', 'three']);
    });

    it('does not call a listener from within the call that caused the event', async () => {
      const { connector, connection, events } = await sockets.accepted();

      connector.disconnect(connection, { now: true });
      connector.send(connection, 'late');

      expect(events.types()).toEqual(['remoteConnect']);
      await events.next('rejectedMessage');
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect', 'rejectedMessage']);
    });

    it('delivers what a listener causes after what it is being told', async () => {
      const log: string[] = [];
      const connector = await sockets.listening();
      const last = new Promise<void>((resolve) =>
        connector.subscribe((event: ConnectorEvent<string>) => {
          log.push(`begin ${event.type}`);
          if (event.type === 'remoteConnect') {
            event.finishAccept();
            connector.disconnect(event.connection, { now: true });
          }
          log.push(`end ${event.type}`);
          if (event.type === 'finishDisconnect') resolve();
        }),
      );
      await sockets.peer(addressOf(connector));

      await last;
      expect(log).toEqual([
        'begin remoteConnect',
        'end remoteConnect',
        'begin finishDisconnect',
        'end finishDisconnect',
      ]);
    });

    it('ends when its result is called; events wait from then on', async () => {
      const connector = await sockets.listening();
      const log: string[] = [];
      const end = connector.subscribe((event) => log.push(event.type));
      end();
      end();
      await sockets.peer(addressOf(connector));

      expect(await connector.receive()).toMatchObject({ type: 'remoteConnect' });
      expect(log).toEqual([]);
    });

    it('may end itself from within an event; the next event waits', async () => {
      const connector = await sockets.listening();
      const log: string[] = [];
      const end = connector.subscribe((event) => {
        log.push(event.type);
        if (event.type === 'remoteConnect') event.finishAccept();
        end();
      });
      const peer = await sockets.peer(addressOf(connector));
      peer.write('one\ntwo\n');

      const event = await new Promise<ConnectorEvent<string> | undefined>((resolve) => {
        peer.end();
        void peer.ended.then(() => resolve(connector.receive()));
      });

      expect(log).toEqual(['remoteConnect']);
      expect(event).toMatchObject({ message: 'one' });
    });
  });

  describe('two parties that want the events', () => {
    it('cannot both subscribe', async () => {
      const { connector } = await sockets.client();

      expect(await pikeErrorOf(() => connector.subscribe(() => {}))).toMatchObject({
        code: 'PIKE_ERR_SUBSCRIBED',
      });
    });

    it('cannot receive or iterate while one is subscribed', async () => {
      const { connector } = await sockets.client();

      expect(await pikeErrorOf(() => connector.receive())).toMatchObject({
        code: 'PIKE_ERR_SUBSCRIBED',
      });
      expect(await pikeErrorOf(() => connector[Symbol.asyncIterator]().next())).toMatchObject({
        code: 'PIKE_ERR_SUBSCRIBED',
      });
    });

    it('cannot subscribe while one receives', async () => {
      const connector = await sockets.running();
      const waiting = connector.receive();

      expect(await pikeErrorOf(() => connector.subscribe(() => {}))).toMatchObject({
        code: 'PIKE_ERR_SUBSCRIBED',
      });
      await connector.shutdown({ now: true });
      expect(await waiting).toBeUndefined();
    });
  });
}
