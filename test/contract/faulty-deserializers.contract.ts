/*
 * Prevents: a converter with a fault, or a peer that finds one, taking the process or another
 * connection with it, or filling the memory.
 */
import { describe, expect, it } from '@jest/globals';
import { DONE, WAIT_FOR_MORE } from 'nestjs-pike/core';
import type { PikeError, PikeErrorCode } from 'nestjs-pike/core';
import { scriptedConverter } from '../support/scripted-converter.js';
import type { Script } from '../support/scripted-converter.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Transport } from '../support/transports/transport.js';

export function faultyDeserializers(transport: Transport): void {
  const sockets = useSockets(transport);
  const EMPTY = Buffer.alloc(0);

  /** What becomes of a connection whose peer sends a line; another connection must survive it. */
  async function endOf(
    script: Script,
    line: string | Uint8Array = 'line\n',
  ): Promise<{ error: PikeError; messages: string[] }> {
    const { connector, events, connection, peer } = await sockets.accepted({
      converter: scriptedConverter(script),
      maxMessageBytes: 1000,
    });
    connector.send(connection, 'sent before');
    await peer.sees('sent before\n');
    peer.write(line);
    const event = await events.next('finishDisconnect', connection);
    await peer.ended;
    expect(events.types(connection).filter((type) => type.endsWith('Disconnect'))).toHaveLength(1);

    const other = await sockets.peer(addressOf(connector));
    const { connection: second } = await events.next('remoteConnect');
    connector.send(second, 'alive');
    await other.sees('alive\n');
    return { error: event.error as PikeError, messages: events.messages(connection) };
  }

  function thrower(message: string): () => never {
    return () => {
      throw new Error(message);
    };
  }

  describe('a deserializer', () => {
    it.each<[string, Script, PikeErrorCode, string]>([
      ['that throws', { putBytes: thrower('no') }, 'PIKE_ERR_DESERIALIZER', 'no'],
      [
        'whose creation throws',
        { createDeserializer: thrower('none today') },
        'PIKE_ERR_DESERIALIZER',
        'none today',
      ],
      [
        'whose message throws',
        { message: thrower('not readable') },
        'PIKE_ERR_DESERIALIZER',
        'not readable',
      ],
      [
        'that throws something that is no error',
        {
          putBytes: () => {
            // eslint-disable-next-line typescript/only-throw-error -- what a careless converter does
            throw 'a text';
          },
        },
        'PIKE_ERR_DESERIALIZER',
        'a text',
      ],
      ['that returns nothing', { putBytes: () => undefined }, 'PIKE_ERR_DESERIALIZER', 'no pair'],
      ['that returns a status alone', { putBytes: () => DONE }, 'PIKE_ERR_DESERIALIZER', 'no pair'],
      [
        'that returns an empty pair',
        { putBytes: () => [] },
        'PIKE_ERR_DESERIALIZER',
        'no Uint8Array',
      ],
      [
        'that returns text as unused bytes',
        { putBytes: () => ['rest', DONE] },
        'PIKE_ERR_DESERIALIZER',
        'no Uint8Array',
      ],
      [
        'that returns more than it was given',
        { putBytes: (data) => [Buffer.concat([data, data]), WAIT_FOR_MORE] },
        'PIKE_ERR_DESERIALIZER',
        'more unused bytes',
      ],
      [
        'that returns no status',
        { putBytes: (data) => [data] },
        'PIKE_ERR_DESERIALIZER',
        'a status that is none',
      ],
      [
        'that returns an unknown status',
        { putBytes: (data) => [data, Symbol('DONE')] },
        'PIKE_ERR_DESERIALIZER',
        'a status that is none',
      ],
      [
        'that returns a promise',
        { putBytes: () => Promise.resolve([EMPTY, DONE]) },
        'PIKE_ERR_DESERIALIZER',
        'no pair',
      ],
    ])('%s costs its connection, and the event says why', async (_, script, code, message) => {
      const { error, messages } = await endOf(script);

      expect(error).toMatchObject({ code, message: expect.stringContaining(message) });
      expect(messages).toEqual([]);
    });

    it('that is done again and again without using a byte costs its connection', async () => {
      const { error, messages } = await endOf({ putBytes: (data) => [data, DONE] });

      expect(error.code).toBe('PIKE_ERR_NO_PROGRESS');
      expect(messages.length).toBeLessThanOrEqual(100);
    });

    it('may be done without using a byte now and then', async () => {
      let calls = 0;
      const { events, peer } = await sockets.accepted({
        converter: scriptedConverter({
          // Every byte is followed by fifty messages that use none.
          putBytes: (data) => [calls++ % 51 === 0 ? data.subarray(1) : data, DONE],
        }),
      });
      peer.write('abc');
      peer.end();

      await events.next('remoteDisconnect');
      expect(events.messages().join('')).toBe('abc');
    });

    it('that keeps more than maxMessageBytes unused costs its connection', async () => {
      const { error } = await endOf(
        { putBytes: (data) => [data, WAIT_FOR_MORE] },
        Buffer.alloc(5000, 'x'),
      );

      expect(error).toMatchObject({
        code: 'PIKE_ERR_MESSAGE_TOO_LARGE',
        message: expect.stringContaining('1000 bytes'),
      });
    });

    it('may take a message of any size if it consumes as it goes', async () => {
      const { events, peer } = await sockets.accepted({
        converter: scriptedConverter({}),
        maxMessageBytes: 1000,
      });
      peer.write(`${'x'.repeat(100_000)}\n`);

      const { message } = await events.next('messageReceived');
      expect(message).toHaveLength(100_000);
    });

    it('is told the limits and the connection', async () => {
      const told: unknown[] = [];
      const { connection, events, peer } = await sockets.accepted({
        converter: scriptedConverter({
          createDeserializer: (of, { maxMessageBytes }) => told.push(of, maxMessageBytes),
        }),
        maxMessageBytes: 1234,
      });
      peer.write('line\n');

      await events.next('messageReceived');
      expect(told).toEqual([connection, 1234]);
    });

    it('may disconnect its own connection from within, with now', async () => {
      let disconnect: () => void = () => {};
      let destroyed = 0;
      const { connector, connection, events, peer } = await sockets.accepted({
        converter: scriptedConverter({
          putBytes: (data) => {
            disconnect();
            return [data.subarray(1), DONE];
          },
          destroyDeserializer: () => destroyed++,
        }),
      });
      disconnect = () => connector.disconnect(connection, { now: true });
      peer.write('line\n');

      expect(await events.next('finishDisconnect')).toMatchObject({ error: undefined });
      await connector.shutdown({ finishQueues: true });
      expect(events.types()).toEqual(['remoteConnect', 'finishDisconnect']);
      expect(destroyed).toBe(1);
    });
  });

  describe('a framed converter', () => {
    it('that throws costs its connection, messages before it being delivered', async () => {
      const { events, peer } = await sockets.accepted();
      peer.write('one\ntwo\n!three\nfour\n');

      expect(await events.next('finishDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_DESERIALIZER', cause: { message: 'Cannot read !three' } },
      });
      expect(events.messages()).toEqual(['one', 'two']);
    });

    it('that waits for more than maxMessageBytes costs its connection', async () => {
      const { events, peer } = await sockets.accepted({ maxMessageBytes: 1000 });
      peer.write('x'.repeat(5000));

      expect(await events.next('finishDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_MESSAGE_TOO_LARGE' },
      });
    });

    it('that reads a message over maxMessageBytes costs its connection, however it arrived', async () => {
      const { events, peer } = await sockets.accepted({ maxMessageBytes: 1000 });
      peer.write(`${'x'.repeat(1000)}\n`);

      expect(await events.next('finishDisconnect')).toMatchObject({
        error: { code: 'PIKE_ERR_MESSAGE_TOO_LARGE' },
      });
      expect(events.messages()).toEqual([]);
    });

    it('takes a message of exactly maxMessageBytes', async () => {
      const { events, peer } = await sockets.accepted({ maxMessageBytes: 1000 });
      peer.write(`${'x'.repeat(999)}\n`);

      expect((await events.next('messageReceived')).message).toHaveLength(999);
    });
  });
}
