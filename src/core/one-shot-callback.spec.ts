// Prevents: a converter that is called again before it asked to be, twice for one callback, or
// after its message has ended; and one that is never called again.
import { describe, expect, it } from '@jest/globals';
import { OneShotCallback } from './one-shot-callback.js';

function counted(): { callback: OneShotCallback; calls: () => number } {
  let calls = 0;
  return { callback: new OneShotCallback(() => calls++), calls: () => calls };
}

describe('OneShotCallback', () => {
  it('reports the first call while the converter waits, and no other', () => {
    const { callback, calls } = counted();
    const handed = callback.arm();
    expect(callback.wait()).toBe(true);
    expect(callback.waiting).toBe(true);
    handed();
    expect(calls()).toBe(1);
    expect(callback.waiting).toBe(false);
    handed();
    expect(calls()).toBe(1);
  });

  it('takes a call from within as the end of the waiting', () => {
    const { callback, calls } = counted();
    callback.arm()();
    expect(callback.wait()).toBe(false);
    expect(callback.waiting).toBe(false);
    expect(calls()).toBe(0);
  });

  it('counts a synchronous call once: the next waiting needs a call of its own', () => {
    const { callback, calls } = counted();
    const first = callback.arm();
    first();
    callback.wait();
    const second = callback.arm();
    expect(callback.wait()).toBe(true);
    first();
    expect(calls()).toBe(0);
    second();
    expect(calls()).toBe(1);
  });

  it('forgets a call made when the converter did not wait after all', () => {
    const { callback, calls } = counted();
    const first = callback.arm();
    first();
    // It answered with bytes instead; the next answer is to wait.
    callback.arm();
    expect(callback.wait()).toBe(true);
    first();
    expect(calls()).toBe(0);
  });

  it('takes a callback of an earlier answer that comes late, while it waits', () => {
    const { callback, calls } = counted();
    const first = callback.arm();
    callback.arm();
    callback.wait();
    first();
    expect(calls()).toBe(1);
  });

  it('ignores calls after it was disarmed', () => {
    const { callback, calls } = counted();
    const handed = callback.arm();
    callback.wait();
    callback.disarm();
    expect(callback.waiting).toBe(false);
    handed();
    const next = callback.arm();
    callback.wait();
    handed();
    expect(calls()).toBe(0);
    next();
    expect(calls()).toBe(1);
  });

  it('lets others have their turn when a converter always calls back at once', async () => {
    let resumed: (() => void) | undefined;
    const waited = new Promise<void>((resolve) => (resumed = resolve));
    const callback = new OneShotCallback(() => resumed?.());
    let synchronous = 0;
    do {
      callback.arm()();
      synchronous++;
      if (synchronous > 100_000) throw new Error('It would have gone on for ever.');
    } while (!callback.wait());
    expect(callback.waiting).toBe(true);
    await waited;
    expect(callback.waiting).toBe(false);
    // And it starts to count afresh.
    callback.arm()();
    expect(callback.wait()).toBe(false);
  });
});
