// Prevents: one who talks without end being let, or one who pastes a few lines being thrown out.
import { describe, expect, it } from '@jest/globals';
import { Allowance } from './allowance.js';

/** How many of so many attempts at one time are allowed. */
function allowed(allowance: Allowance, attempts: number, now: number): number {
  return Array.from({ length: attempts }, () => allowance.take(now)).filter(Boolean).length;
}

describe('Allowance', () => {
  it('allows so many at once', () => {
    expect(allowed(new Allowance(10, 2), 50, 1_000)).toBe(10);
  });

  it('then as many as time brings back', () => {
    const allowance = new Allowance(10, 2);
    allowed(allowance, 50, 1_000);

    expect(allowed(allowance, 50, 1_400)).toBe(0);
    expect(allowed(allowance, 50, 2_000)).toBe(2);
    expect(allowed(allowance, 50, 4_000)).toBe(4);
  });

  it('never more at once than that, however long nothing was done', () => {
    const allowance = new Allowance(10, 2);
    allowed(allowance, 10, 1_000);

    expect(allowed(allowance, 50, 1_000_000)).toBe(10);
  });
});
