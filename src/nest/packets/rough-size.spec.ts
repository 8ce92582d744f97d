// Prevents: a reply of a megabyte that counts as a hundred bytes, so that a peer that does not read
// may have thousands of them kept for it; or measuring that takes longer than sending.
import { describe, expect, it } from '@jest/globals';
import { roughSize } from './rough-size.js';

const MIB = 1_048_576;
const text = (bytes: number): string => 'x'.repeat(bytes);
const row = (index: number) => ({ id: index, name: text(100), tags: ['a', 'b'], at: new Date(0) });
const keys = (count: number): [string, unknown][] =>
  Array.from({ length: count }, (_, index) => [`key ${index}`, 1]);
const rows = (count: number): unknown[] => Array.from({ length: count }, (_, index) => row(index));

describe('roughSize', () => {
  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['null', null],
    ['a boolean', true],
    ['a number', 1.5],
    ['a big integer', 2n ** 63n],
    ['a function', () => 1],
    ['an empty text', ''],
    ['an empty array', []],
    ['an empty object', {}],
  ])('of %s is small, but something', (_, value) => {
    expect(roughSize(value)).toBeGreaterThan(0);
    expect(roughSize(value)).toBeLessThan(100);
  });

  it.each<[string, unknown]>([
    ['a text', text(MIB)],
    ['a buffer', Buffer.alloc(MIB)],
    ['an array buffer', new ArrayBuffer(MIB)],
    ['other binary content', new Float64Array(MIB / 8)],
    ['content deep inside', { a: [{ b: { c: [text(MIB)] } }] }],
    ['content behind other keys', { id: 1, status: 'ok', note: '', content: text(MIB) }],
    ['a view of a part', Buffer.alloc(4 * MIB).subarray(0, MIB)],
    ['many rows', rows(7_000)],
    ['many numbers', Array.from({ length: MIB / 8 }, (_, index) => index)],
    ['many keys', Object.fromEntries(rows(5_000).map((each, index) => [`key ${index}`, each]))],
    ['rows of rows', rows(100).map(() => rows(70))],
    ['content deeper inside', Array.from({ length: 50 }).reduce((inner) => [inner], text(MIB))],
    ['one text among many values', [1, text(MIB), ...Array.from({ length: 30 }, () => 1)]],
    ['one text behind many keys', Object.fromEntries([...keys(30), ['content', text(MIB)]])],
    ['a text behind many values', { rows: rows(200), content: text(MIB) }],
    ['the largest at the end', [...Array.from({ length: 15 }, () => 1), text(MIB)]],
  ])('of a megabyte of %s is no less than half of it, and no more than four times', (_, value) => {
    expect(roughSize(value)).toBeGreaterThan(MIB / 2);
    expect(roughSize(value)).toBeLessThan(4 * MIB);
  });

  it('of a value that refers to itself is a number that can be added and taken away again', () => {
    const circle: Record<string, unknown> = { name: 'circle' };
    circle['self'] = circle;
    const list: unknown[] = [];
    for (let i = 0; i < 1_000_000; i++) list.push(list);

    for (const value of [circle, list]) {
      const size = roughSize(value);
      expect(Number.isSafeInteger(1_000 * size)).toBe(true);
      expect(1_000 * size + 1 - 1_000 * size).toBe(1);
    }
  });

  it('of an object without a prototype, or with keys of all kinds, is measured too', () => {
    const bare = Object.assign(Object.create(null) as object, { content: text(MIB) });
    expect(roughSize(bare)).toBeGreaterThan(MIB);
    expect(roughSize(new Map([['a', 1]]))).toBeGreaterThan(0);
    expect(roughSize({ length: 1e9, constructor: 1, ['__proto__']: null })).toBeLessThan(1_000);
  });

  it('of what is hidden behind more values than are looked at is not that of a small value', () => {
    const decoys = Array.from({ length: 3_000 }, () => 1);
    expect(roughSize({ decoys, content: text(MIB) })).toBeGreaterThan(MIB / 64);
    expect(roughSize([decoys, [[decoys, [text(MIB)]]]])).toBeGreaterThan(MIB / 64);
  });

  it('looks at no more than a few thousand values, whatever there are', () => {
    let looked = 0;
    const counting = (depth: number): unknown =>
      new Proxy(
        Array.from({ length: 100 }, () => 0),
        {
          get: (target, key) => {
            if (key === 'length') return target.length;
            looked++;
            return depth === 0 ? 1 : counting(depth - 1);
          },
        },
      );

    roughSize(counting(20));

    expect(looked).toBeLessThan(4_000);
  });

  it('leaves it to the serializer to tell of a value that throws when it is looked at', () => {
    const value = {
      get content() {
        throw new Error('not now');
      },
    };
    expect(roughSize(value)).toBeLessThan(100);
    expect(roughSize({ next: 'works' })).toBeGreaterThan(0);
  });
});
