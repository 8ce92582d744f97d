// Prevents: clients that have lost the same server come back in step, or ever later, or never.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { propertyRuns } from '../../../test/support/property-runs.js';
import { Backoff } from './backoff.js';

const LATEST = 1 - Number.EPSILON;

describe('the backoff', () => {
  it('doubles its ceiling, up to the longest delay', () => {
    const backoff = new Backoff({ minDelay: 50, maxDelay: 300 }, () => LATEST);
    const delays = Array.from({ length: 5 }, () => backoff.next());
    expect(delays).toEqual([50, 100, 200, 300, 300]);
  });

  it('may take no time at all', () => {
    const backoff = new Backoff({ minDelay: 50, maxDelay: 300 }, () => 0);
    expect([backoff.next(), backoff.next()]).toEqual([0, 0]);
  });

  it('begins anew', () => {
    const backoff = new Backoff({ minDelay: 50, maxDelay: 300 }, () => LATEST);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(50);
  });

  it('is a number of ms within the ceiling, however often it is asked', () => {
    const delay = fc.nat(1_000_000);
    const random = fc.double({ min: 0, max: LATEST, noNaN: true });
    fc.assert(
      fc.property(delay, delay, random, (one, other, chance) => {
        const [minDelay, maxDelay] = [Math.min(one, other), Math.max(one, other)];
        const backoff = new Backoff({ minDelay, maxDelay }, () => chance);
        const isWrong = (_: unknown, attempt: number): boolean => {
          const next = backoff.next();
          return !(next >= 0 && next <= Math.min(maxDelay, minDelay * 2 ** Math.min(attempt, 31)));
        };
        expect(Array.from({ length: 1100 }).findIndex(isWrong)).toBe(-1);
      }),
      propertyRuns(20),
    );
  });
});
