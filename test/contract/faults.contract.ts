/*
 * Prevents: a fault of a converter or a peer that ends otherwise than the table of faults says, or
 * after which the fate of a message is not known. Each test is named after its row.
 */
import { describe, expect, it } from '@jest/globals';
import { DONE, WAIT_FOR_CALLBACK } from 'nestjs-pike/core';
import type { PikeErrorCode } from 'nestjs-pike/core';
import { countsOf } from '../support/books.js';
import { scriptedConverter } from '../support/scripted-converter.js';
import type { Transport } from '../support/transports/transport.js';
import { inputHandled, nextTurn } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import type { Pair } from '../support/use-sockets.js';

export function faults(transport: Transport): void {
  const sockets = useSockets(transport);
  const { knowsAccepted } = transport.facts;

  describe('a serializer that throws', () => {
    it('before any of its bytes left: RejectedMessage with the error; the connection goes on', async () => {
      const { connector, connection, events, books, peer } = await sockets.accepted();
      for (const message of ['one', '!two', 'three']) connector.send(connection, message);

      expect(await events.next('rejectedMessage')).toMatchObject({
        message: '!two',
        error: { code: 'PIKE_ERR_SERIALIZER', cause: { message: 'Cannot write !two' } },
      });

      connector.disconnect(connection, { finishQueues: true });
      const { sent, rejected } = await books.fatesSeenBy(peer, connection);
      expect({ sent, rejected }).toEqual({ sent: ['one', 'three'], rejected: ['!two'] });
      expect(peer.text).toBe('one\nthree\n');
      expect(events.types()).toEqual(['remoteConnect', 'rejectedMessage', 'finishDisconnect']);
    });

    it('after some of its bytes left: closed; FinishDisconnect, that message incomplete, the rest queued, error', async () => {
      let goOn: () => void = () => {};
      const { connector, connection, events, books, peer } = await sockets.accepted({
        converter: scriptedConverter({
          getBytes: twoLinesThenABrokenOne((ready) => (goOn = ready)),
        }),
      });
      for (const message of ['one', 'two', 'bad', 'four', 'five'])
        connector.send(connection, message);
      await peer.sees('half of bad');
      // With TLS a chunk has left for certain only when its callback has come.
      await inputHandled();

      goOn();

      expect(await events.next('finishDisconnect')).toMatchObject({
        incomplete: 'bad',
        queued: ['four', 'five'],
        uncertain: [],
        error: { code: 'PIKE_ERR_SERIALIZER', cause: { message: 'broken in the middle' } },
      });
      await peer.ended;
      expect(peer.text).toBe('one\ntwo\nhalf of bad');
      expect(countsOf(books.fates(connection))).toMatchObject({
        sent: 2,
        incomplete: 1,
        queued: 2,
      });
    });
  });

  describe('a deserializer', () => {
    /** Asserts that a fault has ended a connection which was in the middle of sending. */
    async function expectClosed(pair: Pair, code: PikeErrorCode): Promise<void> {
      const { connection, events, books, peer } = pair;
      const { error, uncertain, incomplete, queued } = await events.next('finishDisconnect');
      expect(error).toMatchObject({ code });
      if (knowsAccepted) expect(uncertain).toEqual([]);
      else expect([...uncertain, incomplete]).not.toEqual([undefined]);
      expect(queued.length).toBeGreaterThan(0);
      await books.fatesSeenBy(peer, connection);
      expect(events.types().filter((type) => type !== 'messageReceived')).toEqual([
        'remoteConnect',
        'finishDisconnect',
      ]);
    }

    it('throws: closed; FinishDisconnect with error', async () => {
      const pair = await sockets.clogged();
      await nextTurn();
      pair.peer.write('fine\n!bad\n');

      await expectClosed(pair, 'PIKE_ERR_DESERIALIZER');
      expect(pair.events.messages()).toEqual(['fine']);
    });

    it('stalls, DONE again and again without consuming: closed; FinishDisconnect with error', async () => {
      const pair = await sockets.clogged({
        converter: scriptedConverter({ putBytes: (data) => [data, DONE] }),
      });
      await nextTurn();
      pair.peer.write('x');

      await expectClosed(pair, 'PIKE_ERR_NO_PROGRESS');
    });

    it('meets a message over the limit: closed; FinishDisconnect with error', async () => {
      const pair = await sockets.clogged({ maxMessageBytes: 100 });
      await nextTurn();
      pair.peer.write('x'.repeat(101));

      await expectClosed(pair, 'PIKE_ERR_MESSAGE_TOO_LARGE');
    });
  });

  it('remote ends in the middle of a message: RemoteDisconnect with error (truncated message)', async () => {
    const { connection, events, books, peer } = await sockets.clogged();
    await nextTurn();
    peer.write('whole\nhal');
    peer.end();

    const { error, uncertain, queued } = await events.next('remoteDisconnect');

    expect(error).toMatchObject({ code: 'PIKE_ERR_TRUNCATED' });
    expect(uncertain.length > 0).toBe(!knowsAccepted);
    expect(queued.length).toBeGreaterThan(0);
    expect(events.messages()).toEqual(['whole']);
    await books.fatesSeenBy(peer, connection);
  });

  it('queue is full (maxQueuedMessages): RejectedMessage with the error', async () => {
    const { connector, connection, events, books, peer } = await sockets.accepted({
      maxQueuedMessages: 2,
    });
    for (const message of ['one', 'two', 'three']) connector.send(connection, message);

    expect(await events.next('rejectedMessage')).toMatchObject({
      message: 'three',
      error: { code: 'PIKE_ERR_QUEUE_FULL' },
    });

    connector.disconnect(connection, { finishQueues: true });
    const { sent, rejected } = await books.fatesSeenBy(peer, connection);
    expect({ sent, rejected }).toEqual({ sent: ['one', 'two'], rejected: ['three'] });
  });
}

/** Serializes every message as a line, but of `bad` a half; then it waits, and throws. */
function twoLinesThenABrokenOne(
  waits: (ready: () => void) => void,
): (message: string, callback: () => void) => unknown {
  const steps = new Map<string, number>();
  return (message, callback) => {
    const step = (steps.get(message) ?? 0) + 1;
    steps.set(message, step);
    if (message !== 'bad') return Buffer.from(step === 1 ? `${message}\n` : '');
    if (step === 1) return Buffer.from('half of bad');
    if (step > 2) throw new Error('broken in the middle');
    waits(callback);
    return WAIT_FOR_CALLBACK;
  };
}
