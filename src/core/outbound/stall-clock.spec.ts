// Prevents: a peer that never reads holds our messages for ever, or one that reads slowly is cut off.
import { describe, expect, it } from '@jest/globals';
import { StallClock } from './stall-clock.js';

describe('StallClock', () => {
  it('tells when nothing was accepted for the timeout', () => {
    const clock = new StallClock(1000);
    expect(clock.isStalled(0, 64)).toBe(false);
    expect(clock.isStalled(999, 64)).toBe(false);
    expect(clock.isStalled(1000, 64)).toBe(true);
  });

  it('starts again with every byte', () => {
    const clock = new StallClock(1000);
    for (let now = 0; now < 10_000; now += 900) expect(clock.isStalled(now, now)).toBe(false);
  });

  it('does not count the time in which nothing was to be sent', () => {
    const clock = new StallClock(1000);
    clock.isStalled(0, 64);
    expect(clock.isStalled(5000, undefined)).toBe(false);
    expect(clock.isStalled(5500, 64)).toBe(false);
    expect(clock.isStalled(6400, 64)).toBe(false);
    expect(clock.isStalled(6500, 64)).toBe(true);
  });

  it('waits for ever when told so', () => {
    const clock = new StallClock(0);
    clock.isStalled(0, 64);
    expect(clock.isStalled(1e9, 64)).toBe(false);
  });
});
