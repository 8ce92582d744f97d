// Prevents: a reply that reaches another's request, an id that two requests share, a request that
// is lost when others come and go, and a table that stays as large as a burst has made it.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PROPERTY_TIMEOUT, propertyRuns } from '../../../test/support/property-runs.js';
import { RequestTable } from './request-table.js';
import type { Identified } from './request-table.js';

function filled(count: number): { table: RequestTable<Identified>; requests: Identified[] } {
  const table = new RequestTable<Identified>();
  const requests = Array.from({ length: count }, () => ({ id: 0 }));
  for (const request of requests) table.add(request);
  return { table, requests };
}

describe('RequestTable', () => {
  it(
    'finds what is in it, by its id alone, however many come and go and some stay',
    () => {
      const step = fc.record({
        add: fc.integer({ min: 0, max: 60 }),
        remove: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      });
      fc.assert(
        fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
          const table = new RequestTable<Identified>();
          const known = new Map<number, Identified>();
          let last = 0;
          for (const { add, remove } of steps) {
            for (let i = 0; i < add; i++) {
              const request = { id: 0 };
              table.add(request);
              expect(request.id).toBeGreaterThan(last);
              last = request.id;
              known.set(request.id, request);
            }
            for (const share of remove) {
              const request = [...known.values()][Math.floor(share * known.size)];
              if (request === undefined) break;
              expect(table.delete(request)).toBe(true);
              expect(table.delete(request)).toBe(false);
              known.delete(request.id);
            }
            for (let id = 0; id <= last + 1; id++) expect(table.find(id)).toBe(known.get(id));
          }
        }),
        propertyRuns(100),
      );
    },
    PROPERTY_TIMEOUT,
  );

  it('counts from 1 on, and leaves out an id only where its place is taken', () => {
    const { table, requests } = filled(100);
    expect(requests.map(({ id }) => id)).toEqual(requests.map((_, index) => index + 1));
    for (const request of requests.slice(1)) table.delete(request);
    const [first] = requests;
    for (let i = 0; i < 10_000; i++) {
      const request = { id: 0 };
      table.add(request);
      table.delete(request);
    }
    expect(table.find(1)).toBe(first);
  });

  it.each([
    ['no number', '1'],
    ['none', undefined],
    ['not whole', 1.5],
    ['not a number', NaN],
    ['negative', -1],
    ['negative, with the same lowest bits', 1 - 2 ** 32],
    ['the same lowest bits, and more', 1 + 2 ** 32],
    ['infinite', Infinity],
    ['huge', Number.MAX_VALUE],
    ['of whatever type', [1]],
  ])('finds nothing for an id that is %s', (_, id) => {
    const { table, requests } = filled(20);
    expect(table.find(1)).toBe(requests[0]);
    expect(table.find(id)).toBeUndefined();
  });

  it('does not take out a request of another table that has the same id', () => {
    const { table, requests } = filled(3);
    const other = filled(3).requests[1] as Identified;
    expect(table.delete(other)).toBe(false);
    expect(table.find(other.id)).toBe(requests[1]);
  });

  it('goes on counting when it has been made small again', () => {
    const { table, requests } = filled(5000);
    for (const request of requests) expect(table.delete(request)).toBe(true);
    const next = { id: 0 };
    table.add(next);
    expect(next.id).toBe(5001);
    expect(table.find(5001)).toBe(next);
    for (const { id } of requests) expect(table.find(id)).toBeUndefined();
  });
});
