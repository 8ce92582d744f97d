// Prevents: a reply that reaches another's request, a cancellation that stops another's, a request that
// is lost when others come and go, and an id in use that counts as free.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PROPERTY_TIMEOUT, propertyRuns } from '../../../test/support/property-runs.js';
import type { PacketId } from './packets.js';
import { RequestsById } from './requests-by-id.js';

interface Identified {
  readonly id: PacketId;
}

function filled(ids: readonly PacketId[]): { table: RequestsById<Identified>; all: Identified[] } {
  const table = new RequestsById<Identified>();
  const all = ids.map((id) => ({ id }));
  for (const request of all) table.add(request);
  return { table, all };
}

const counted = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

describe('requests by id', () => {
  it(
    'are found as in a Map, however many come and go and some stay, and whatever a peer names them',
    () => {
      const id: fc.Arbitrary<PacketId> = fc.oneof(
        { weight: 8, arbitrary: fc.integer({ min: 0, max: 300 }) },
        // The same lowest bits, and others.
        { weight: 2, arbitrary: fc.integer({ min: -8, max: 8 }).map((times) => times * 2 ** 32) },
        { weight: 2, arbitrary: fc.double() },
        { weight: 2, arbitrary: fc.nat({ max: 20 }).map(String) },
        { weight: 1, arbitrary: fc.constantFrom('', 'id', 'toString', '__proto__', -0, NaN) },
      );
      const step = fc.tuple(id, fc.boolean());
      fc.assert(
        fc.property(fc.array(step, { maxLength: 300, size: 'max' }), (steps) => {
          const table = new RequestsById<Identified>();
          const model = new Map<PacketId, Identified>();
          for (const [each, isAdded] of steps) {
            const known = model.get(each);
            expect(table.find(each)).toBe(known);
            if (known !== undefined && !isAdded) {
              table.delete(known);
              table.delete(known);
              model.delete(each);
            } else if (known === undefined && isAdded) {
              const request = { id: each };
              table.add(request);
              model.set(each, request);
            }
          }
          for (const [each] of steps) expect(table.find(each)).toBe(model.get(each));
          expect(new Set(table.all)).toEqual(new Set(model.values()));
          expect(table.all).toHaveLength(model.size);
        }),
        propertyRuns(60),
      );
    },
    PROPERTY_TIMEOUT,
  );

  it('keep one that waits while thousands come and go', () => {
    const { table, all } = filled([1]);
    for (let id = 2; id < 20_000; id++) {
      const request = { id };
      table.add(request);
      expect(table.find(id)).toBe(request);
      table.delete(request);
      expect(table.find(id)).toBeUndefined();
    }
    expect(table.find(1)).toBe(all[0]);
    expect(table.all).toEqual(all);
  });

  it.each<[what: string, id: unknown]>([
    ['no number', '1'],
    ['none', undefined],
    ['not whole', 1.5],
    ['negative, with the same lowest bits', 1 - 2 ** 32],
    ['the same lowest bits, and more', 1 + 2 ** 32],
    ['huge', Number.MAX_VALUE],
    ['an array', [1]],
  ])('are not found by an id that is %s', (_, id) => {
    const { table, all } = filled(counted(20));
    expect(table.find(1)).toBe(all[0]);
    expect(table.find(id as PacketId)).toBeUndefined();
  });

  it('are not taken out with one of another table that has the same id', () => {
    const { table, all } = filled([1, 'two']);
    for (const other of filled([1, 'two']).all) table.delete(other);
    expect(table.all).toEqual(all);
  });

  it('are found when the table has been made small again', () => {
    const { table, all } = filled(counted(5000));
    for (const request of all) table.delete(request);
    expect(table.all).toEqual([]);
    const next = { id: 5001 };
    table.add(next);
    expect(table.find(5001)).toBe(next);
    for (const { id } of all) expect(table.find(id)).toBeUndefined();
  });
});
