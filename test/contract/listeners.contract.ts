/*
 * Prevents: a fault in one event handler of the application reaching the decoder, and with it the
 * connection of somebody else.
 */
import { describe, expect, it } from '@jest/globals';
import type { ConnectorEvent, FinishDisconnectEvent } from 'nestjs-pike/core';
import { scriptedConverter } from '../support/scripted-converter.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function listeners(transport: Transport): void {
  const sockets = useSockets(transport);

  /** A server whose listener accepts, and does as told with messages; errors are collected. */
  async function faulty(onMessage: (message: string) => unknown): Promise<{
    errors: Error[];
    all: ConnectorEvent<string>[];
    last: Promise<FinishDisconnectEvent<string>>;
    endpoint: ReturnType<typeof addressOf>;
  }> {
    const errors: Error[] = [];
    const all: ConnectorEvent<string>[] = [];
    const connector = await sockets.listening({
      onError: (error) => errors.push(error),
    });
    const last = new Promise<FinishDisconnectEvent<string>>((resolve) =>
      connector.subscribe((event) => {
        all.push(event);
        if (event.type === 'remoteConnect') event.finishAccept();
        if (event.type === 'finishDisconnect') resolve(event);
        if (event.type !== 'messageReceived') return undefined;
        if (event.message === 'last') connector.disconnect(event.connection, { now: true });
        return onMessage(event.message);
      }),
    );
    return { errors, all, last, endpoint: addressOf(connector) };
  }

  describe('a listener', () => {
    it.each([
      [
        'throws',
        () => {
          throw new Error('handler fault');
        },
      ],
      ['rejects', () => Promise.reject(new Error('handler fault'))],
    ])('that %s is reported to onError, and further events are delivered', async (_, onMessage) => {
      const { errors, all, last, endpoint } = await faulty(onMessage);
      const peer = await sockets.peer(endpoint);
      peer.write('one\ntwo\nlast\n');

      expect((await last).error).toBeUndefined();
      expect(all.map(({ type }) => type)).toEqual([
        'remoteConnect',
        'messageReceived',
        'messageReceived',
        'messageReceived',
        'finishDisconnect',
      ]);
      expect(errors.map(({ message }) => message)).toEqual(Array(3).fill('handler fault'));
    });

    it('may throw what is no error: onError is told an error all the same', async () => {
      const { errors, last, endpoint } = await faulty(() => {
        // eslint-disable-next-line typescript/only-throw-error -- what a careless handler does
        throw 'a text';
      });
      const peer = await sockets.peer(endpoint);
      peer.write('last\n');
      await last;

      expect(errors).toEqual([expect.any(Error)]);
      expect(errors[0]).toMatchObject({
        message: expect.stringContaining('a text'),
        cause: 'a text',
      });
    });

    it('may return anything that only looks like a promise', async () => {
      // eslint-disable-next-line unicorn/no-thenable -- the point of the test
      const { errors, last, endpoint } = await faulty(() => ({ then: 'not a function' }));
      const peer = await sockets.peer(endpoint);
      peer.write('last\n');
      await last;

      expect(errors).toEqual([]);
    });
  });

  describe('the destroy method of a converter', () => {
    it('that throws is reported to onError; the connection ends as it would', async () => {
      const errors: Error[] = [];
      const { connector, connection, events, peer } = await sockets.accepted({
        converter: scriptedConverter({
          destroyDeserializer: () => {
            throw new Error('cannot delete');
          },
        }),
        onError: (error) => errors.push(error),
      });
      peer.write('whole\nhal');
      await events.next('messageReceived');

      connector.disconnect(connection, { now: true });

      expect(await events.next('finishDisconnect')).toMatchObject({ error: undefined });
      expect(errors.map(({ message }) => message)).toEqual(['cannot delete']);
    });
  });
}
