// Prevents: a queue that loses, repeats or reorders items when it grows, when one is removed from its
// middle, or when it is emptied and used again; and one that sees the items of another.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PROPERTY_TIMEOUT, propertyRuns } from '../../test/support/property-runs.js';
import { Fifo } from './fifo.js';

type Step =
  | { do: 'push'; count: number }
  | { do: 'shift'; count: number }
  | { do: 'drop'; count: number }
  | { do: 'remove'; item: number; from: number }
  | { do: 'takeAll'; kept: number };

const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    // Enough at a time to go round, and to grow where the items have gone round.
    fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ do: fc.constant('shift' as const), count: fc.integer({ min: 1, max: 3000 }) }),
    fc.record({ do: fc.constant('drop' as const), count: fc.integer({ min: 0, max: 3000 }) }),
    fc.record({
      do: fc.constant('remove' as const),
      item: fc.integer({ min: 0, max: 12 }),
      from: fc.integer({ min: 0, max: 20 }),
    }),
    fc.record({ do: fc.constant('takeAll' as const), kept: fc.integer({ min: 0, max: 1 }) }),
  ),
  { maxLength: 20 },
);

describe('Fifo', () => {
  it(
    'does what an array does',
    () => {
      fc.assert(
        fc.property(steps, (all) => {
          const fifo = new Fifo<number>();
          let model: number[] = [];
          let next = 0;
          for (const step of all) {
            switch (step.do) {
              case 'push':
                for (let i = 0; i < step.count; i++) {
                  // Few values, so that removing meets duplicates.
                  const item = next++ % 13;
                  fifo.push(item);
                  model.push(item);
                }
                break;
              case 'shift':
                for (let i = 0; i < step.count; i++) {
                  if (fifo.shift() !== model[i]) throw new Error(`shift ${i} gave another item`);
                }
                model = model.slice(step.count);
                break;
              case 'drop':
                fifo.drop(step.count);
                model = model.slice(step.count);
                break;
              case 'remove': {
                const index = model.indexOf(step.item, step.from);
                expect(fifo.remove(step.item, step.from)).toBe(index);
                if (index !== -1) model.splice(index, 1);
                break;
              }
              case 'takeAll':
                expect(fifo.takeAll(step.kept)).toEqual(model.splice(step.kept));
            }
            expect(fifo.length).toBe(model.length);
            expect(fifo.at(0)).toBe(model[0]);
            expect(fifo.at(model.length - 1)).toBe(model.at(-1));
            expect(fifo.at(model.length)).toBeUndefined();
          }
          expect(fifo.takeAll()).toEqual(model);
        }),
        propertyRuns(200),
      );
    },
    PROPERTY_TIMEOUT,
  );

  it('is empty again after the last shift', () => {
    const fifo = new Fifo<string>();
    fifo.push('a');
    expect(fifo.shift()).toBe('a');
    expect(fifo.shift()).toBeUndefined();
    expect(fifo.length).toBe(0);
    fifo.push('b');
    expect(fifo.at(0)).toBe('b');
  });

  it('has its items to itself, wherever its array was before', () => {
    const [one, other] = [new Fifo<number>(), new Fifo<number>()];
    const many = Array.from({ length: 1000 }, (_, index) => index);
    for (const number of many) one.push(number);
    one.drop(1000);
    for (const number of many) other.push(number);
    for (const number of many) one.push(-number);
    expect(other.takeAll()).toEqual(many);
    expect(one.takeAll()).toEqual(many.map((number) => -number));
  });

  it('passes over an equal item before `from`', () => {
    const fifo = new Fifo<string>();
    for (const item of ['a', 'b', 'a']) fifo.push(item);
    expect(fifo.remove('a', 1)).toBe(2);
    expect(fifo.remove('a', 1)).toBe(-1);
    expect(fifo.takeAll()).toEqual(['a', 'b']);
  });
});
