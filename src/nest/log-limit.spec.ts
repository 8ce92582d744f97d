// Prevents: peers that fill the log, or a log in which nobody sees that something was left out.
import { describe, expect, it } from '@jest/globals';
import { LogLimit } from './log-limit.js';

const MINUTE = 60_000;

/** How many of so many entries pass at one moment. */
const passed = (limit: LogLimit, count: number, now: number): number => {
  let passes = 0;
  for (let i = 0; i < count; i++) passes += limit.pass(now) === undefined ? 0 : 1;
  return passes;
};

describe('a log limit', () => {
  it('lets so many entries pass in a minute', () => {
    const limit = new LogLimit(3);
    expect(passed(limit, 10, 0)).toBe(3);
    expect(passed(limit, 10, MINUTE - 1)).toBe(0);
    expect(passed(limit, 10, MINUTE)).toBe(3);
  });

  it('says with the next entry how many were left out, once', () => {
    const limit = new LogLimit(2);
    passed(limit, 9, 0);
    expect(limit.pass(MINUTE)).toBe(' (7 such entries were left out before.)');
    expect(limit.pass(MINUTE)).toBe('');
  });

  it('adds nothing where nothing was left out', () => {
    const limit = new LogLimit(2);
    expect([limit.pass(0), limit.pass(0)]).toEqual(['', '']);
  });

  it('counts a minute from the first entry, not from when it was made', () => {
    const limit = new LogLimit(1);
    expect(limit.pass(10.5 * MINUTE)).toBe('');
    expect(limit.pass(11.4 * MINUTE)).toBeUndefined();
    expect(limit.pass(11.5 * MINUTE)).toBe(' (1 such entries were left out before.)');
  });

  it('knows the time by itself', () => {
    const limit = new LogLimit(1);
    expect([limit.pass(), limit.pass()]).toEqual(['', undefined]);
  });
});
