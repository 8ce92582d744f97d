// Prevents: a caller that waits for ever; one that has left and is sent to, or answered, all the
// same; and one that is given the reply of another who has left.
import { describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { rawMessages } from 'nestjs-pike';
import { LengthPrefixedConverter, LineConverter, textPayload } from 'nestjs-pike/converters';
import { firstValueFrom, retry, shareReplay, Subject, take, takeUntil, timeout } from 'rxjs';
import { nextTurn } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import { clientPair, rawClientPair, dataUpTo, echo, outcomeOf, statusOf } from './raw-server.js';

const sockets = useSockets();

const TIMED_OUT = 'PIKE_ERR_REQUEST_TIMEOUT';

const lines = {
  converter: new LineConverter(),
  ...rawMessages<string>('p', { reply: true }),
};

describe('send', () => {
  it('does nothing before it is subscribed to, and then at once', async () => {
    const { client, peer } = await clientPair(sockets);
    const request = client.send('r', 'cold');
    client.emit('e', 'first');
    request.subscribe({ error: () => undefined });
    await expect(dataUpTo(peer, 'cold')).resolves.toEqual(['first', 'cold']);
  });

  it('is sent again by retry()', async () => {
    const { client, peer } = await clientPair(sockets);
    const result = outcomeOf(client.send('r', 1).pipe(retry(2)));
    for (let id = 1; id <= 3; id++) {
      await peer.reply((packet) => packet.id === id);
      peer.send(id < 3 ? { id, err: 'not yet' } : { id, response: 'now', isDisposed: true });
    }
    await expect(result).resolves.toEqual(['now']);
  });

  it('is cancelled by timeout(), and by takeUntil()', async () => {
    const { client, peer } = await clientPair(sockets);
    const enough = new Subject<void>();
    const timedOut = outcomeOf(client.send('r', 1).pipe(timeout(10)));
    const taken = outcomeOf(client.send('r', 2).pipe(takeUntil(enough)));
    await peer.reply(({ data }) => data === 2);
    enough.next();
    await peer.reply(({ id, cancel }) => id === 1 && cancel === true);
    await peer.reply(({ id, cancel }) => id === 2 && cancel === true);
    await expect(timedOut).resolves.toMatchObject({ name: 'TimeoutError' });
    await expect(taken).resolves.toEqual([]);
  });

  it('is one request for all who share it', async () => {
    const { client, peer } = await clientPair(sockets);
    const shared = client.send('r', 1).pipe(shareReplay(1));
    const results = [outcomeOf(shared), outcomeOf(shared)];
    echo(peer);
    await expect(Promise.all(results)).resolves.toEqual([[1], [1]]);
    await expect(firstValueFrom(shared)).resolves.toBe(1);
    await expect(outcomeOf(client.send('r', 2))).resolves.toEqual([2]);
  });

  it('is not disturbed by a server that goes on with a stream that nobody wants', async () => {
    const { client, peer } = await clientPair(sockets);
    const first = outcomeOf(client.send('r', 'stream').pipe(take(1)));
    await peer.reply(({ data }) => data === 'stream');
    peer.send({ id: 1, response: 'value' });
    await expect(first).resolves.toEqual(['value']);
    await peer.reply(({ cancel }) => cancel === true);
    const other = outcomeOf(client.send('r', 'other'));
    await peer.reply(({ data }) => data === 'other');
    peer.send(...Array.from({ length: 20_000 }, () => ({ id: 1, response: 'more' })));
    peer.send({ id: 2, response: 'done', isDisposed: true });
    await expect(other).resolves.toEqual(['done']);
  });
});

describe('a request without a reply', () => {
  it('is cancelled at the server when its time is over; a late reply is nobody’s', async () => {
    const { client, peer } = await clientPair(sockets, { requestTimeout: 10 });
    await expect(outcomeOf(client.send('r', 1))).resolves.toMatchObject({ code: TIMED_OUT });
    await peer.reply(({ id, cancel }) => id === 1 && cancel === true);
    peer.send({ id: 1, response: 'late', isDisposed: true });
    const next = outcomeOf(client.send('r', 2, { timeout: 0 }));
    await peer.reply(({ data }) => data === 2);
    peer.send({ id: 2, response: 'in time', isDisposed: true });
    await expect(next).resolves.toEqual(['in time']);
  });

  it('has a time of its own if it is given one', async () => {
    const { client } = await clientPair(sockets);
    const error = await outcomeOf(client.send('r', 1, { timeout: 5 }));
    expect(error).toMatchObject({ code: TIMED_OUT, message: expect.stringContaining('5 ms') });
    for (const wrong of [-1, 0.5, NaN, Infinity, '5' as never]) {
      await expect(outcomeOf(client.send('r', 1, { timeout: wrong }))).resolves.toMatchObject({
        code: 'PIKE_ERR_INVALID_OPTION',
      });
    }
  });

  it('leaves no timer behind once it is answered, cancelled or failed', async () => {
    const { client, peer } = await clientPair(sockets, { requestTimeout: 60_000 });
    const timers = (): number =>
      process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const results = [1, 2].map((data) => outcomeOf(client.send('r', data)));
    const cancelled = client.send('r', 3).subscribe();
    expect(timers()).toBeGreaterThan(before);
    await peer.reply(({ data }) => data === 3);
    cancelled.unsubscribe();
    peer.send({ id: 1, response: 1, isDisposed: true }, { id: 2, err: 'no' });
    await Promise.all(results);
    expect(timers()).toBe(before);
  });

  it('is taken back when its time is over, if none of it has left', async () => {
    const { client, peer } = await clientPair(sockets, {}, false);
    const big = outcomeOf(client.send('r', 'x'.repeat(16_000_000)));
    await nextTurn();
    const late = outcomeOf(client.send('r', 'late', { timeout: 5 }));
    await expect(late).resolves.toMatchObject({ code: TIMED_OUT, delivery: 'unsent' });
    client.emit('e', 'last');
    peer.raw.resume();
    expect(await dataUpTo(peer, 'last')).toEqual([expect.stringMatching(/^x/), 'last']);
    echo(peer);
    await big;
  });

  it('is taken back when its time is over while there is no connection', async () => {
    const { server, client } = await clientPair(sockets);
    await server.stop();
    await statusOf(client, 'reconnecting');
    const late = outcomeOf(client.send('r', 'late', { timeout: 5 }));
    await expect(late).resolves.toMatchObject({ code: TIMED_OUT, delivery: 'unsent' });
    client.emit('e', 'last');
    await server.restart();
    expect(await dataUpTo(await server.accept(), 'last')).toEqual(['last']);
  });

  it('is taken back when its time is over while it is being serialized', async () => {
    let ready: () => void = () => undefined;
    const wait = new Promise<void>((resolve) => (ready = resolve));
    const { client, peer } = await clientPair(sockets, {
      serializer: {
        serialize: async (packet) => {
          await wait;
          return packet;
        },
      },
    });
    const late = outcomeOf(client.send('r', 'late', { timeout: 5 }));
    const event = outcomeOf(client.emit('e', 'last'));
    await expect(late).resolves.toMatchObject({ code: TIMED_OUT, delivery: 'unsent' });
    ready();
    await expect(event).resolves.toEqual([undefined]);
    expect(await dataUpTo(peer, 'last')).toEqual(['last']);
  });
});

describe('where replies come in order', () => {
  it('a request that was given up keeps its place: the next get their own replies', async () => {
    const { client, peer } = await rawClientPair<string>(sockets, lines);
    const timedOut = outcomeOf(client.send('p', 'one', { timeout: 5 }));
    const cancelled = client.send('p', 'two').subscribe();
    await peer.sees('two\n');
    cancelled.unsubscribe();
    await expect(timedOut).resolves.toMatchObject({ code: TIMED_OUT, delivery: 'in-doubt' });
    const result = outcomeOf(client.send('p', 'three'));
    await peer.sees('three\n');
    peer.write('ONE\nTWO\nTHREE\n');
    await expect(result).resolves.toEqual(['THREE']);
  });

  it('no place is kept for a request that was taken back before it left', async () => {
    const { client, peer } = await rawClientPair<string>(
      sockets,
      {
        ...lines,
        converter: new LengthPrefixedConverter<string>({ bytes: 4, payload: textPayload }),
      },
      false,
    );
    const big = outcomeOf(client.send('p', 'x'.repeat(16_000_000)));
    await nextTurn();
    const late = outcomeOf(client.send('p', 'late', { timeout: 5 }));
    await expect(late).resolves.toMatchObject({ code: TIMED_OUT, delivery: 'unsent' });
    const result = outcomeOf(client.send('p', 'last'));
    peer.resume();
    const bytes = await peer.bytes(4 + 16_000_000 + 4 + 'last'.length);
    expect(bytes.subarray(4 + 16_000_000 + 4).toString()).toBe('last');
    peer.write('\0\0\0\u0001A\0\0\0\u0001B');
    await expect(Promise.all([big, result])).resolves.toEqual([['A'], ['B']]);
  });

  it('places are not kept without end: the connection is given up, and made again', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const { server, client, peer } = await rawClientPair<string>(sockets, lines);
    for (let i = 0; i <= 1024; i++) {
      const given = client.send('p', `${i}`).subscribe();
      await peer.sees(`${i}\n`);
      given.unsubscribe();
    }
    const next = await server.acceptRaw();
    const result = outcomeOf(client.send('p', 'again'));
    await next.sees('again\n');
    next.write('AGAIN\n');
    await expect(result).resolves.toEqual(['AGAIN']);
    jest.restoreAllMocks();
  });

  it('what comes before any request was sent is no reply', async () => {
    let ready: () => void = () => undefined;
    const wait = new Promise<void>((resolve) => (ready = resolve));
    const { client, peer } = await rawClientPair<string>(sockets, {
      ...lines,
      serializer: {
        serialize: async ({ data }) => {
          await wait;
          return data as string;
        },
      },
    });
    const unasked = firstValueFrom(client.events('p'));
    const result = outcomeOf(client.send('p', 'asked'));
    peer.write('unasked\n');
    await expect(unasked).resolves.toBe('unasked');
    ready();
    await peer.sees('asked\n');
    peer.write('answered\n');
    await expect(result).resolves.toEqual(['answered']);
  });
});
