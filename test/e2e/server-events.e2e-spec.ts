// Prevents: what a server sends unasked is lost, reaches the wrong caller, is kept for nobody, or
// is taken for a reply; and a server that asks its client waits for ever.
import { describe, expect, it } from '@jest/globals';
import { rawMessages } from 'nestjs-pike';
import { LineConverter } from 'nestjs-pike/converters';
import { firstValueFrom } from 'rxjs';
import type { Observable } from 'rxjs';
import { useSockets } from '../support/use-sockets.js';
import { clientPair, rawClientPair, outcomeOf } from './raw-server.js';

const sockets = useSockets();

/** What an Observable has emitted so far, and how it ended. */
function recorded(observable: Observable<unknown>): unknown[] {
  const all: unknown[] = [];
  observable.subscribe({
    next: (value) => all.push(value),
    error: (error: unknown) => all.push(error),
    complete: () => all.push('complete'),
  });
  return all;
}

describe('the events of a server', () => {
  it('reach those who have subscribed to their pattern', async () => {
    const { client, peer } = await clientPair(sockets);
    const noted = recorded(client.events('noted'));
    const mapped = recorded(client.events({ cmd: 'noted', level: 1 }));
    const last = firstValueFrom(client.events('last'));
    peer.send(
      { pattern: 'noted', data: 1 },
      { pattern: 'other', data: 2 },
      { pattern: { level: 1, cmd: 'noted' }, data: 3 },
      { pattern: 'noted', data: null },
      { pattern: 'last' },
    );
    await last;
    expect(noted).toEqual([1, null]);
    expect(mapped).toEqual([3]);
  });

  it('go on when the connection was made again, and complete when the client is closed', async () => {
    const { server, client, peer } = await clientPair(sockets);
    const noted = recorded(client.events('noted'));
    const [first, second] = [client.events('noted'), client.events('again')].map((each) =>
      firstValueFrom(each),
    );
    peer.send({ pattern: 'noted', data: 1 });
    await first;
    peer.raw.reset();
    const next = await server.accept();
    next.send({ pattern: 'noted', data: 2 }, { pattern: 'again' });
    await second;
    await client.close();
    expect(noted).toEqual([1, 2, 'complete']);
  });

  it('come in order with replies, and are none', async () => {
    const { client, peer } = await clientPair(sockets);
    const order: unknown[] = [];
    client.events('noted').subscribe((data) => order.push(data));
    const result = outcomeOf(client.send('r', 1));
    await peer.reply(({ data }) => data === 1);
    peer.send({ pattern: 'noted', data: 'before' }, { id: 1, response: 'reply', isDisposed: true });
    await result.then(() => order.push('reply'));
    expect(order).toEqual(['before', 'reply']);
  });

  it('are, where replies come in order, the messages that nobody has asked for', async () => {
    const { client, peer } = await rawClientPair<string>(sockets, {
      converter: new LineConverter(),
      ...rawMessages<string>('p', { reply: true }),
    });
    const unasked = firstValueFrom(client.events('p'));
    peer.write('news\n');
    await expect(unasked).resolves.toBe('news');
    const result = outcomeOf(client.send('p', 'ask'));
    await peer.sees('ask\n');
    peer.write('answer\n');
    await expect(result).resolves.toEqual(['answer']);
  });

  it('reach nobody who subscribes later', async () => {
    const { client, peer } = await clientPair(sockets);
    peer.send({ pattern: 'noted', data: 'early' }, { pattern: 'mark' });
    await firstValueFrom(client.events('mark'));
    const noted = recorded(client.events('noted'));
    const late = firstValueFrom(client.events('late'));
    peer.send({ pattern: 'noted', data: 'now' }, { pattern: 'late' });
    await late;
    expect(noted).toEqual(['now']);
  });
});

describe('the requests of a server', () => {
  it('are answered: a client has no handlers', async () => {
    const { client, peer } = await clientPair(sockets);
    const unasked = recorded(client.events('r'));
    peer.send({ id: 'mine', pattern: 'r', data: 1 }, { id: 'theirs', cancel: true });
    await expect(peer.lastReply('mine')).resolves.toEqual({
      id: 'mine',
      status: 'error',
      err: 'There is no matching message handler defined in the remote service.',
      isDisposed: true,
    });
    expect(unasked).toEqual([]);
    const result = outcomeOf(client.send('r', 2));
    await peer.reply(({ data }) => data === 2);
    peer.send({ id: 1, response: 'fine', isDisposed: true });
    await expect(result).resolves.toEqual(['fine']);
  });
});
