// Prevents: what waits for a connection is lost, overtaken, or waits for longer than it may.
import { describe, expect, it } from '@jest/globals';
import { OfflineQueue } from './offline-queue.js';

const all = (queue: OfflineQueue<string>): string[] => {
  const items = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) items.push(item);
  return items;
};

/** A queue of so many ms, and what has expired; resolves when so many have. */
function expiring(timeout: number) {
  const expired: string[] = [];
  let changed: () => void = () => undefined;
  const queue = new OfflineQueue<string>(timeout, (item) => {
    expired.push(item);
    changed();
  });
  const until = async (count: number): Promise<string[]> => {
    if (expired.length >= count) return expired;
    await new Promise<void>((resolve) => (changed = resolve));
    return until(count);
  };
  return { queue, expired, until };
}

describe('what waits for a connection', () => {
  it('keeps its order', () => {
    const { queue } = expiring(0);
    for (const item of ['a', 'b', 'c']) queue.add(item);
    expect(queue.length).toBe(3);
    expect(all(queue)).toEqual(['a', 'b', 'c']);
    expect(queue.length).toBe(0);
  });

  it('lets what came back go ahead', () => {
    const { queue } = expiring(0);
    queue.add('new');
    queue.putBack(['a', 'b']);
    expect(all(queue)).toEqual(['a', 'b', 'new']);
  });

  it('can be taken back', () => {
    const { queue } = expiring(0);
    for (const item of ['a', 'b', 'c']) queue.add(item);
    expect(queue.delete('b')).toBe(true);
    expect(queue.delete('b')).toBe(false);
    expect(all(queue)).toEqual(['a', 'c']);
  });

  it('expires in its order, and only once', async () => {
    const { queue, until } = expiring(5);
    queue.add('a');
    queue.add('b');
    queue.putBack(['back']);
    await expect(until(3)).resolves.toEqual(['back', 'a', 'b']);
    expect(queue.length).toBe(0);
    queue.add('later');
    await expect(until(4)).resolves.toEqual(['back', 'a', 'b', 'later']);
  });

  it('expires though what was ahead of it was taken back', async () => {
    const { queue, until } = expiring(5);
    queue.add('a');
    queue.add('b');
    queue.delete('a');
    await expect(until(1)).resolves.toEqual(['b']);
  });

  it('does not expire if its time is not limited', async () => {
    const { queue, until, expired } = expiring(5);
    queue.add('patient', false);
    queue.shift();
    queue.add('a');
    queue.add('patient', false);
    await until(1);
    expect(expired).toEqual(['a']);
    expect(all(queue)).toEqual(['patient']);
  });

  it('may be given more when something expires', async () => {
    const items: string[] = [];
    let done: () => void = () => undefined;
    const twice = new Promise<void>((resolve) => (done = resolve));
    const queue = new OfflineQueue<string>(2, (item) => {
      items.push(item);
      if (items.length === 1) queue.add('again');
      else done();
    });
    queue.add('a');
    await twice;
    expect(items).toEqual(['a', 'again']);
  });
});
