/*
 * Prevents: a peer that is read or answered before the application has accepted it, and a peer
 * that holds a connection for ever because nobody decides.
 */
import { describe, expect, it } from '@jest/globals';
import { pikeErrorOf } from '../support/rejections.js';
import { scriptedConverter } from '../support/scripted-converter.js';
import { inputHandled } from '../support/turns.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function accepting(transport: Transport): void {
  const sockets = useSockets(transport);

  describe('a peer that is not accepted yet', () => {
    it('is neither read nor sent to', async () => {
      let reads = 0;
      const { connector, events, event, peer } = await sockets.arrived({
        converter: scriptedConverter({ createDeserializer: () => void reads++ }),
      });
      peer.write('early\n');
      connector.send(event.connection, 'waits');

      // Whatever went the same way later is through: a second peer is served completely.
      const second = await sockets.peer(addressOf(connector));
      second.write('accepted\n');
      const arrival = await events.next('remoteConnect');
      const { connection } = arrival;
      arrival.finishAccept();
      await events.next('messageReceived', connection);
      connector.send(connection, 'welcome');
      await second.sees('welcome\n');

      expect(reads).toBe(1);
      expect(events.messages(event.connection)).toEqual([]);
      expect(peer.text).toBe('');
      connector.disconnect(event.connection, { now: true });
      await peer.ended;
      expect(peer.text).toBe('');
    });

    it('fills what the system holds and no more, all of which is delivered in order once it is accepted', async () => {
      const { events, event, peer } = await sockets.arrived({ maxPendingEvents: 1_000_000 });
      const lines = Array.from({ length: (2 * transport.facts.overflow) / 1000 }, (_, index) =>
        `${index} `.padEnd(999, 'x'),
      );
      let taken = false;
      peer.socket.write(lines.map((line) => `${line}\n`).join(''), () => (taken = true));
      for (let i = 0; i < 50; i++) await inputHandled();
      expect(taken).toBe(false);
      expect(events.types()).toEqual(['remoteConnect']);

      event.finishAccept();
      peer.end();

      await events.next('remoteDisconnect');
      expect(events.messages()).toEqual(lines);
    });

    it.each([false, true])(
      'gives its early messages to the queue that it is accepted for (separate: %j)',
      async (separate) => {
        const connector = await sockets.listening();
        const peer = await sockets.peer(addressOf(connector));
        peer.write('one\ntwo\n');
        peer.end();
        await peer.finished;
        const arrival = await connector.receive();
        if (arrival?.type !== 'remoteConnect') throw new Error('No RemoteConnect came.');
        await inputHandled();

        arrival.finishAccept({ separate });

        const receive = separate
          ? () => connector.receiveFrom(arrival.connection)
          : () => connector.receive();
        expect(await receive()).toMatchObject({ message: 'one' });
        expect(await receive()).toMatchObject({ message: 'two' });
        expect(await receive()).toMatchObject({ type: 'remoteDisconnect', error: undefined });
      },
    );

    it('is read and sent to once it is accepted, nothing being lost', async () => {
      const { connector, events, event, peer } = await sockets.arrived();
      peer.write('early\n');
      connector.send(event.connection, 'one');
      connector.send(event.connection, 'two');
      expect(peer.text).toBe('');

      event.finishAccept();
      peer.write('later\n');
      connector.send(event.connection, 'three');

      await peer.sees('one\ntwo\nthree\n');
      await events.next('messageReceived');
      await events.next('messageReceived');
      expect(events.messages()).toEqual(['early', 'later']);
    });

    it('is refused when acceptTimeout has passed', async () => {
      const { connector, events, event, peer } = await sockets.arrived({ acceptTimeout: 250 });
      connector.send(event.connection, 'unsent');

      expect(await events.next('finishDisconnect')).toMatchObject({
        connection: event.connection,
        queued: ['unsent'],
        error: { code: 'PIKE_ERR_ACCEPT_TIMEOUT', message: expect.stringContaining('250 ms') },
      });
      await peer.ended;
      expect(peer.text).toBe('');
      expect(event.finishAccept()).toBe(false);
    });

    it('is accepted in time or not at all: the timeout ends with finishAccept', async () => {
      const { connector, events, event, peer } = await sockets.arrived({ acceptTimeout: 250 });
      event.finishAccept();
      // Another peer's timeout, begun later, has passed.
      await sockets.peer(addressOf(connector));
      await events.next('finishDisconnect');

      connector.send(event.connection, 'alive');
      expect(await peer.sees('alive\n')).toBe('alive\n');
    });

    it.each([{ now: true }, { finishMessages: true }, { finishQueues: true }] as const)(
      'ends at once when it is disconnected with %j, unsent messages queued',
      async (how) => {
        const { connector, events, event, peer } = await sockets.arrived();
        connector.send(event.connection, 'unsent');

        connector.disconnect(event.connection, how);

        expect(await events.next('finishDisconnect')).toMatchObject({
          incomplete: undefined,
          queued: ['unsent'],
          uncertain: [],
          error: undefined,
        });
        await peer.ended;
        expect(peer.text).toBe('');
        expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      },
    );

    it.each([{ now: true }, { finishMessages: true }, { finishQueues: true }] as const)(
      'is terminated when the connector is shut down with %j',
      async (how) => {
        const { connector, events, event, peer } = await sockets.arrived();
        connector.send(event.connection, 'unsent');

        await connector.shutdown(how);

        await peer.ended;
        expect(await events.next('finishDisconnect')).toMatchObject({ queued: ['unsent'] });
        expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
        expect(event.finishAccept()).toBe(false);
      },
    );

    it.each(['end', 'reset'] as const)(
      'may have left (%s); that comes to light when it is accepted',
      async (leave) => {
        const { events, event, peer } = await sockets.arrived();
        peer.write('last words\n');
        peer[leave]();
        if (leave === 'reset') await peer.closed;

        event.finishAccept();

        await events.next('remoteDisconnect', event.connection);
        const types = events.types();
        expect(types[0]).toBe('remoteConnect');
        expect(types.at(-1)).toBe('remoteDisconnect');
        if (leave === 'end') expect(events.messages()).toEqual(['last words']);
      },
    );

    it('may have ended without a word; that comes to light when it is accepted', async () => {
      const { events, event, peer } = await sockets.arrived();
      peer.end();
      await peer.finished;
      await inputHandled();
      expect(events.types()).toEqual(['remoteConnect']);

      event.finishAccept();

      expect(await events.next('remoteDisconnect')).toMatchObject({ error: undefined });
    });
  });

  describe('finishAccept', () => {
    it('throws when it is called again', async () => {
      const { event } = await sockets.arrived();
      expect(event.finishAccept()).toBe(true);

      expect(await pikeErrorOf(() => event.finishAccept())).toMatchObject({
        code: 'PIKE_ERR_ACCEPT_FINISHED',
      });
    });

    it('may be called any time later, not only from within the event', async () => {
      const { connector, event, peer } = await sockets.arrived();
      const second = await sockets.peer(addressOf(connector));

      event.finishAccept();

      connector.send(event.connection, 'you only');
      await peer.sees('you only\n');
      expect(second.text).toBe('');
    });

    it('works from within the listener, even if the listener throws afterwards', async () => {
      const errors: Error[] = [];
      const { connector, events } = await sockets.server(
        { onError: (error) => errors.push(error) },
        (event) => {
          if (event.type !== 'remoteConnect') return;
          event.finishAccept();
          throw new Error('after accepting');
        },
      );
      const peer = await sockets.peer(addressOf(connector));
      peer.write('hello\n');

      await events.next('messageReceived');
      expect(errors.map(({ message }) => message)).toEqual(['after accepting']);
    });
  });
}
