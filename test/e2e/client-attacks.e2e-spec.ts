// Prevents: a client that is used, answered or closed in an unusual order leaves a caller waiting,
// gives it another's reply, tells it that sending again is safe when it is not, or brings the
// process down.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { decode } from '@msgpack/msgpack';
import { PikeClient, rawMessages } from 'nestjs-pike';
import type { OutgoingPacket, PikeClientOptions, PikeError } from 'nestjs-pike';
import { LengthPrefixedConverter, Primitives, textPayload } from 'nestjs-pike/converters';
import { lastValueFrom, take, timeout, toArray } from 'rxjs';
import type { Observable } from 'rxjs';
import { muteLogger } from '../support/mute-logger.js';
import { RawListener } from '../support/raw-peer.js';
import type { RawPeer } from '../support/raw-peer.js';
import { inputHandled, nextTurn } from '../support/turns.js';
import { PacketPeer } from './packet-peer.js';

/** What became of a caller. */
const outcome = (observable: Observable<unknown>): Promise<unknown> =>
  lastValueFrom(observable.pipe(timeout(3000), toArray())).catch((error: unknown) => error);

/** The packets in what has arrived. */
function packetsOf(bytes: Buffer): Record<string, unknown>[] {
  const packets = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4 + bytes.readUInt32BE(at)) {
    packets.push(decode(bytes.subarray(at + 4, at + 4 + bytes.readUInt32BE(at))));
  }
  return packets as Record<string, unknown>[];
}

describe('a client', () => {
  const closers: (() => Promise<unknown>)[] = [];
  beforeEach(() => muteLogger());
  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
    jest.restoreAllMocks();
  });

  const listen = async (reading = true): Promise<RawListener> => {
    const listener = await RawListener.listen({ reading });
    closers.push(() => listener.close());
    return listener;
  };

  const create = <T>(listener: RawListener, options: Partial<PikeClientOptions<T>> = {}) => {
    const { port } = listener.address as { port: number };
    // The raw server does not end when the client does: closing need not wait for it.
    const client = new PikeClient<T>({ port, lingerTimeout: 10, ...options });
    closers.push(() => client.close());
    return client;
  };

  /** A connected client and its server. */
  const pair = async <T>(
    options: Partial<PikeClientOptions<T>> = {},
    reading = true,
  ): Promise<{ client: PikeClient<T>; peer: RawPeer; listener: RawListener }> => {
    const listener = await listen(reading);
    const client = create(listener, options);
    const accepting = listener.accept();
    await client.connect();
    return { client, peer: await accepting, listener };
  };

  const answer = (peer: RawPeer, ...replies: object[]): void => {
    peer.write(Buffer.concat(replies.map((reply) => PacketPeer.frame(reply))));
  };

  describe('and unusual replies', () => {
    it.each([0, '', false, NaN])('takes the error %p for one', async (failure) => {
      const { client, peer } = await pair();
      const results = [client.send('a', 1), client.send('b', 2)].map(outcome);
      answer(peer, { id: 1, err: failure }, { id: 2, err: failure, isDisposed: true });
      await expect(Promise.all(results)).resolves.toEqual([failure, failure]);
    });

    it('takes no error for one that is null', async () => {
      const { client, peer } = await pair();
      const result = outcome(client.send('a', 1));
      answer(peer, { id: 1, err: null, response: 5, isDisposed: true });
      await expect(result).resolves.toEqual([5]);
    });

    it('emits undefined, null and false', async () => {
      const { client, peer } = await pair();
      const result = outcome(client.send('a', 1));
      answer(peer, { id: 1 }, { id: 1, response: null }, { id: 1, response: false });
      answer(peer, { id: 1, isDisposed: true });
      await expect(result).resolves.toEqual([undefined, null, false]);
    });

    it('does not mind replies to nobody, twice, and after cancelling', async () => {
      const { client, peer } = await pair();
      const first = outcome(client.send('a', 1));
      const cancelled = client.send('b', 2).subscribe(() => {
        throw new Error('called after unsubscribing');
      });
      await peer.bytes(1);
      cancelled.unsubscribe();
      const last = outcome(client.send('c', 3));
      answer(peer, { id: 99, response: 0, isDisposed: true }, { response: 0, isDisposed: true });
      answer(peer, { id: 2, response: 2, isDisposed: true }, { id: '1', response: 'text' });
      answer(peer, { id: 1, response: 1, isDisposed: true }, { id: 1, response: 4 });
      answer(peer, { id: 3, response: 3, isDisposed: true });
      await expect(first).resolves.toEqual([1]);
      await expect(last).resolves.toEqual([3]);
    });

    it('can be unsubscribed from within next', async () => {
      const { client, peer } = await pair();
      const result = outcome(client.send('a', 1).pipe(take(2)));
      answer(peer, { id: 1, response: 1 }, { id: 1, response: 2 }, { id: 1, response: 3 });
      await expect(result).resolves.toEqual([1, 2]);
      await peer.sees('cancel');
    });

    it('outlives a caller that closes it, and one that throws, in next', async () => {
      const { client, peer } = await pair();
      const others = outcome(client.send('b', 2));
      const closed = new Promise((resolve) => {
        client.send('a', 1).subscribe({
          next: () => resolve(client.close()),
          error: () => undefined,
        });
      });
      answer(peer, { id: 2, response: 1 });
      await peer.ended;
      peer.end();
      await closed;
      await expect(others).resolves.toMatchObject({ delivery: 'in-doubt' });
    });
  });

  describe('while it connects', () => {
    it('publishes for each of many callers, in their order, events and requests alike', async () => {
      const listener = await listen();
      const client = create(listener);
      const accepting = listener.accept();
      const sent: number[] = [];
      for (let i = 0; i < 50; i++) {
        sent.push(i);
        if (i % 3 === 0) client.emit('e', i);
        else client.send('r', i).subscribe({ error: () => undefined });
      }
      const peer = await accepting;
      client.emit('last', {});
      await peer.sees('last');
      expect(
        packetsOf(peer.received)
          .slice(0, -1)
          .map(({ data }) => data),
      ).toEqual(sent);
    });

    it('sends nothing for a caller that has unsubscribed', async () => {
      const listener = await listen();
      const client = create(listener);
      const accepting = listener.accept();
      client.send('unwanted', 1).subscribe().unsubscribe();
      client.emit('wanted', 2);
      const peer = await accepting;
      expect(await peer.sees('wanted')).not.toContain('unwanted');
    });

    it('fails its callers as unsent when it is closed, twice, and works again', async () => {
      const listener = await listen();
      const client = create(listener);
      const results = [client.send('a', 1), client.send('b', 2), client.emit('c', 3)].map(outcome);
      await Promise.all([client.close(), client.close()]);
      for (const result of results) {
        await expect(result).resolves.toMatchObject({
          code: 'PIKE_ERR_CLIENT_CLOSED',
          delivery: 'unsent',
        });
      }
      const peers = listener.accept();
      await client.connect();
      await peers;
    });

    it('tells a caller what its dispatch hook throws', async () => {
      const listener = await listen();
      const client = create(listener);
      const faulty = client as PikeClient & { createPacket: () => never };
      faulty.createPacket = () => {
        throw new Error('no trace');
      };
      for (const result of [client.send('a', 1), client.emit('b', 2)].map(outcome)) {
        await expect(result).resolves.toThrow('no trace');
      }
      for (const result of [client.send('a', 1), client.emit('b', 2)].map(outcome)) {
        await expect(result).resolves.toThrow('no trace');
      }
    });
  });

  it('waits with each close() until the connection has ended', async () => {
    const { client, peer } = await pair({}, false);
    for (let i = 0; i < 20; i++) client.emit('upload', 'x'.repeat(900_000));
    let done = 0;
    const closing = [client.close(), client.close()].map(async (closed) => {
      await closed;
      done++;
    });
    for (let i = 0; i < 10; i++) await inputHandled();
    expect(done).toBe(0);
    peer.resume();
    await peer.ended;
    peer.end();
    await Promise.all(closing);
  });

  it('closes by finishMessages though events wait for a server that does not read', async () => {
    const { client } = await pair(
      { shutdown: { mode: 'finishMessages', deadline: 300 }, maxMessageBytes: 1_000_000 },
      false,
    );
    const results = Array.from({ length: 30 }, (_, i) =>
      outcome(client.emit('upload', 'x'.repeat(500_000) + i)),
    );
    await inputHandled();
    await client.close();
    const errors = (await Promise.all(results)).filter((result) => result instanceof Error);
    expect(errors.length).toBeGreaterThan(5);
    expect((errors.at(-1) as PikeError).delivery).toBe('unsent');
  });

  it('logs the failure of an event for which nobody waits, and lives', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const { client, peer } = await pair();
    client.emit('lost', () => 'a function');
    client.emit('there', 1);
    await expect(peer.sees('there')).resolves.not.toContain('lost');
    await nextTurn();
    expect(warn.mock.calls.flat()).toEqual([
      expect.stringMatching(/^Nobody waits for the event "lost", which failed: .*function/),
    ]);
  });

  it('does not log the failure of an event that is subscribed to in the same turn', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const { client } = await pair();
    const result = client.emit('lost', () => 'a function');
    await Promise.resolve();
    await expect(outcome(result)).resolves.toMatchObject({ delivery: 'unsent' });
    await nextTurn();
    expect(warn).not.toHaveBeenCalled();
  });

  it('fails what is in flight when the server restarts, and sends what is new when it is back', async () => {
    const { client, listener, peer } = await pair();
    const { port } = listener.address as { port: number };
    const results = [client.send('a', 1), client.send('b', 2)].map(outcome);
    await peer.bytes(1);
    await listener.close();
    for (const result of results) {
      await expect(result).resolves.toMatchObject({ delivery: 'in-doubt' });
    }
    const result = outcome(client.send('c', 3));
    const again = await RawListener.listen({ at: { host: '127.0.0.1', port } });
    closers.push(() => again.close());
    const accepting = again.accept();
    const next = await accepting;
    await next.bytes(1);
    answer(next, { id: 1, response: 'hello', isDisposed: true });
    await expect(result).resolves.toEqual(['hello']);
  });

  describe('with a serializer of its own', () => {
    /** Each packet takes it a round of input and output, and until `meanwhile` is done. */
    const slowly = (meanwhile?: Promise<unknown>) => ({
      serialize: async (packet: OutgoingPacket) => {
        await inputHandled();
        await meanwhile;
        if (packet.data === 'bad') throw new Error('not serializable');
        return packet as unknown;
      },
    });

    it('that takes its time: keeps the order, and fails only what it cannot serialize', async () => {
      const { client, peer } = await pair({ serializer: slowly() });
      const results = [
        client.emit('e', 1),
        client.emit('e', 'bad'),
        client.send('r', 'bad'),
        client.emit('e', 2),
      ].map(outcome);
      const settled = await Promise.all(results);
      expect(settled.map((each) => each instanceof Error)).toEqual([false, true, true, false]);
      expect(settled[1]).toMatchObject({ delivery: 'unsent', code: 'PIKE_ERR_SERIALIZER' });
      await nextTurn();
      expect(packetsOf(peer.received).map(({ data }) => data)).toEqual([1, 2]);
    });

    it('that takes its time: says that nothing was sent when the connection ends meanwhile', async () => {
      let goOn = (): void => {};
      const meanwhile = new Promise<void>((resolve) => (goOn = resolve));
      const { client, peer } = await pair({ serializer: slowly(meanwhile), retryUnsent: false });
      const results = [client.emit('e', 1), client.send('r', 2)].map(outcome);
      await inputHandled();
      peer.reset();
      for (const result of results) {
        await expect(result).resolves.toMatchObject({ delivery: 'unsent' });
      }
      goOn();
      await inputHandled();
      expect(peer.received).toHaveLength(0);
    });

    it('that makes nothing of a request: fails it, and does not wait for its reply', async () => {
      const converter = new LengthPrefixedConverter<string>({ bytes: 1, payload: textPayload });
      const { client, peer } = await pair<string>({
        converter,
        correlation: 'order',
        serializer: {
          serialize: ({ data }) => (data === 'nothing' ? undefined : (data as string)),
        },
        deserializer: { deserialize: (response) => ({ response }) },
      });
      const results = ['nothing', 'a'].map((data) => outcome(client.send('p', data)));
      await peer.sees('a');
      peer.write('\u0001A');
      await expect(results[0]).resolves.toMatchObject({
        code: 'PIKE_ERR_SERIALIZER',
        delivery: 'unsent',
      });
      await expect(results[1]).resolves.toEqual(['A']);
    });
  });

  describe('with replies in order', () => {
    const numbers = {
      converter: Primitives.FLOAT_CONVERTER,
      ...rawMessages<number>('p', { reply: true }),
    };

    it('does not mind replies that nobody asked for', async () => {
      const { client, peer } = await pair<number>(numbers);
      peer.write('1.0 2.0 ');
      for (let i = 0; i < 5; i++) await inputHandled();
      const result = outcome(client.send('p', 3));
      await peer.sees('3.0 ');
      peer.write('6.0 ');
      await expect(result).resolves.toEqual([6]);
    });

    it('completes with the one reply, though the deserializer does not say that it is the last', async () => {
      const { client, peer } = await pair<number>({
        ...numbers,
        deserializer: { deserialize: (response) => ({ response }) },
      });
      const result = outcome(client.send('p', 3));
      await peer.sees('3.0 ');
      peer.write('6.0 ');
      await expect(result).resolves.toEqual([6]);
    });

    it('gives each caller its own reply, though an equal request is given up', async () => {
      const { client, peer } = await pair<number>(numbers);
      const first = outcome(client.send('p', 5));
      const other = outcome(client.send('p', 7));
      client.send('p', 5).subscribe().unsubscribe();
      const last = outcome(client.send('p', 9));
      await peer.sees('9.0 ');
      peer.write(peer.text.replaceAll('.0', '.5'));
      await expect(Promise.all([first, other, last])).resolves.toEqual([[5.5], [7.5], [9.5]]);
    });

    it('withdraws a request that is given up before it is sent', async () => {
      const { client, peer } = await pair<number>(numbers);
      client.send('p', 5).subscribe().unsubscribe();
      const last = outcome(client.send('p', 9));
      await expect(peer.sees('9.0 ')).resolves.toBe('9.0 ');
      peer.write('9.5 ');
      await expect(last).resolves.toEqual([9.5]);
    });

    it('gives each caller its own reply, though one before could not be sent', async () => {
      const converter = new LengthPrefixedConverter<string>({ bytes: 1, payload: textPayload });
      const { client, peer } = await pair<string>({
        converter,
        ...rawMessages<string>('p', { reply: true }),
      });
      const long = 'x'.repeat(300);
      const failing = outcome(client.send('p', long));
      client
        .send('p', long)
        .subscribe({ error: () => undefined })
        .unsubscribe();
      const last = outcome(client.send('p', 'a'));
      await expect(failing).resolves.toMatchObject({ delivery: 'unsent' });
      await peer.sees('a');
      peer.write('\u0001A');
      await expect(last).resolves.toEqual(['A']);
    });

    it('gives each caller its own reply, though one before was given up and then not serialized', async () => {
      const { client, peer } = await pair<number>({
        ...numbers,
        serializer: {
          serialize: async ({ data }) => {
            await inputHandled();
            if (data === 13) throw new Error('unlucky');
            return data as number;
          },
        },
      });
      client.send('p', 13).subscribe().unsubscribe();
      const last = outcome(client.send('p', 9));
      await peer.sees('9.0 ');
      peer.write('9.5 ');
      await expect(last).resolves.toEqual([9.5]);
    });

    it('never calls a request unsent that was sent, though an equal one was not', async () => {
      // The first chunk holds the first request, and the kernel takes no more than that.
      const { client, peer } = await pair<string>(
        {
          converter: new LengthPrefixedConverter<string>({ bytes: 4, payload: textPayload }),
          ...rawMessages<string>('p', { reply: true }),
          retryUnsent: false,
        },
        true,
      );
      const sent = outcome(client.send('p', 'equal'));
      await peer.sees('equal');
      peer.pause();
      // Fills the kernel, so that the equal one stays queued.
      const filling = Array.from({ length: 30 }, (_, i) =>
        outcome(client.send('p', `${i}`.repeat(400_000))),
      );
      const queued = outcome(client.send('p', 'equal'));
      const givenUp = client.send('p', 'equal').subscribe({ error: () => undefined });
      await inputHandled();
      givenUp.unsubscribe();
      peer.reset();
      await expect(sent).resolves.toMatchObject({ delivery: 'in-doubt' });
      await expect(queued).resolves.toMatchObject({ delivery: 'unsent' });
      await Promise.all(filling);
    });
  });
});
