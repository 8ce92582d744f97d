// Prevents: calls told in another order than they were given in, one that is lost with its neighbour,
// or one that is told twice.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { propertyRuns } from '../../../test/support/property-runs.js';
import { PendingCalls } from './pending-calls.js';
import type { Pending } from './pending-calls.js';

class Member implements Pending<Member> {
  list: PendingCalls<Member> | undefined;
  previous: Member | undefined;
  next: Member | undefined;
}

describe('PendingCalls', () => {
  it('keeps order as a Set does', () => {
    const members = Array.from({ length: 8 }, () => new Member());
    const step = fc.tuple(fc.constantFrom(...members), fc.boolean());
    fc.assert(
      fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
        const list = new PendingCalls<Member>();
        const model = new Set<Member>();
        for (const [member, isAdded] of steps) {
          const wasThere = model.has(member);
          expect(list.has(member)).toBe(wasThere);
          expect(list.delete(member)).toBe(wasThere);
          model.delete(member);
          if (isAdded) {
            list.push(member);
            model.add(member);
          }
          expect([...list]).toEqual([...model]);
        }
        expect(list.takeAll()).toEqual([...model]);
        expect([...list]).toEqual([]);
        expect(members.some((member) => list.has(member))).toBe(false);
      }),
      propertyRuns(200),
    );
  });

  it('knows its own from those of another', () => {
    const [ours, others] = [new PendingCalls<Member>(), new PendingCalls<Member>()];
    const member = new Member();
    others.push(member);
    expect(ours.has(member)).toBe(false);
    expect(ours.delete(member)).toBe(false);
    expect(others.takeAll()).toEqual([member]);
    ours.push(member);
    expect([...ours]).toEqual([member]);
  });
});
