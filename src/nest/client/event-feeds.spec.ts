// Prevents: an event of the server reaches nobody, somebody else, or somebody who has left; or a
// hostile pattern costs time or memory.
import { describe, expect, it } from '@jest/globals';
import { EventFeeds } from './event-feeds.js';
import { RoutingClient } from '../../../test/support/routing-client.js';

const feeds = (): EventFeeds => {
  const client = new RoutingClient();
  return new EventFeeds((pattern) => client.routeOf(pattern));
};

describe('the feeds of events', () => {
  it.each<[wanted: string | object, came: unknown]>([
    ['noted', 'noted'],
    [
      { cmd: 'noted', by: 1 },
      { by: 1, cmd: 'noted' },
    ],
    [{ cmd: 'noted', by: { b: 1, a: 2 } }, '{"by":{"a":2,"b":1},"cmd":"noted"}'],
    ['5', 5],
    ['{broken', '{broken'],
    ['', undefined],
  ])('bring %j to those who want %j', (wanted, came) => {
    const all = feeds();
    const data: unknown[] = [];
    all.of(wanted).subscribe((each) => data.push(each));
    all.deliver(came, 1);
    expect(data).toEqual([1]);
  });

  it.each<[wanted: string | object, came: unknown]>([
    ['noted', 'noted '],
    ['noted', { noted: true }],
    [{ cmd: 'noted' }, { cmd: 'noted', by: 1 }],
    ['__proto__', 'constructor'],
    ['toString', {}],
  ])('do not bring to those who want %j what is %j', (wanted, came) => {
    const all = feeds();
    const data: unknown[] = [];
    all.of(wanted).subscribe((each) => data.push(each));
    all.deliver(came, 1);
    expect(data).toEqual([]);
  });

  it('bring each to all of its subscribers, from when to as long as they are subscribed', () => {
    const all = feeds();
    const data: string[] = [];
    all.deliver('p', 0);
    const one = all.of('p').subscribe((each) => data.push(`one ${String(each)}`));
    all.deliver('p', 1);
    all.of('p').subscribe((each) => data.push(`other ${String(each)}`));
    all.deliver('p', 2);
    one.unsubscribe();
    all.deliver('p', 3);
    expect(data).toEqual(['one 1', 'one 2', 'other 2', 'other 3']);
  });

  it('complete, and may be subscribed to again', () => {
    const all = feeds();
    const data: unknown[] = [];
    const feed = all.of('p');
    feed.subscribe({ next: (each) => data.push(each), complete: () => data.push('complete') });
    all.complete();
    all.deliver('p', 1);
    const again = feed.subscribe((each) => data.push(each));
    all.deliver('p', 2);
    again.unsubscribe();
    all.deliver('p', 3);
    expect(data).toEqual(['complete', 2]);
  });

  it('do not care for patterns that cannot be anybody’s', () => {
    const all = feeds();
    const data: unknown[] = [];
    all.of('p').subscribe((each) => data.push(each));
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    let deep: unknown = 'p';
    for (let depth = 0; depth < 5000; depth++) deep = [deep];
    for (const pattern of [circular, deep, 'x'.repeat(1_000_000), null, 1n, () => 'p', NaN]) {
      expect(() => all.deliver(pattern, 1)).not.toThrow();
    }
    expect(data).toEqual([]);
  });
});
