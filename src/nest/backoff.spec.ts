// Prevents: peers that have lost their server hammer it, come back all at once, or never again.
import { describe, expect, it } from '@jest/globals';
import { BACKOFF, backoffDelay, readBackoffOptions } from './backoff.js';

const OPTIONS = { initialDelay: 100, maxDelay: 3000 };
const most = (attempt: number): number => backoffDelay(attempt, OPTIONS, () => 1);

describe('the delay before connecting again', () => {
  it('doubles at most with every attempt, up to the longest', () => {
    expect([1, 2, 3, 4, 5, 6, 7].map(most)).toEqual([100, 200, 400, 800, 1600, 3000, 3000]);
  });

  it('is the longest after any number of attempts', () => {
    expect([100, 1025, Number.MAX_SAFE_INTEGER].map(most)).toEqual([3000, 3000, 3000]);
  });

  it('is anywhere between nothing and that', () => {
    expect(backoffDelay(3, OPTIONS, () => 0)).toBe(0);
    expect(backoffDelay(3, OPTIONS, () => 0.25)).toBe(100);
    const delays = Array.from({ length: 1000 }, () => backoffDelay(2, OPTIONS));
    for (const delay of delays) expect(delay >= 0 && delay <= 200).toBe(true);
    expect(new Set(delays).size).toBeGreaterThan(900);
  });

  it('never passes the longest, even if the first was set above it', () => {
    expect(backoffDelay(1, { initialDelay: 5000, maxDelay: 10 }, () => 1)).toBe(10);
  });
});

describe('the reconnect option', () => {
  it('has defaults', () => {
    expect(readBackoffOptions('PikeServer', {})).toEqual({
      initialDelay: BACKOFF.initialDelay.default,
      maxDelay: BACKOFF.maxDelay.default,
    });
  });

  it.each<[unknown, string]>([
    [5, '"reconnect"'],
    [null, '"reconnect"'],
    [{ delay: 5 }, '"delay"'],
    [{ initialDelay: 0 }, '"initialDelay"'],
    [{ initialDelay: 1.5 }, '"initialDelay"'],
    [{ maxDelay: Number.POSITIVE_INFINITY }, '"maxDelay"'],
    [{ maxDelay: '1' }, '"maxDelay"'],
  ])('that is %j is refused, naming what is wrong', (reconnect, name) => {
    expect(() => readBackoffOptions('PikeServer', reconnect as never)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(name),
      }),
    );
  });
});
