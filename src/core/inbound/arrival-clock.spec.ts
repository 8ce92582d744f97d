// Prevents: a slow but honest peer is cut off, or one that never finishes a message is kept for ever.
import { describe, expect, it } from '@jest/globals';
import { ArrivalClock } from './arrival-clock.js';

describe('ArrivalClock', () => {
  const clock = () => new ArrivalClock(1000, 100);

  it('says nothing between messages', () => {
    const idle = clock();
    expect(idle.isOverdue(1_000_000)).toBe(false);
    idle.begin(0, 10);
    idle.end();
    expect(idle.isOverdue(1_000_000)).toBe(false);
  });

  it('counts from the first byte of the message', () => {
    const slow = clock();
    slow.arrived(500, 1);
    expect(slow.isOverdue(1499)).toBe(false);
    expect(slow.isOverdue(1500)).toBe(true);
  });

  it('goes on waiting while enough arrives, on average', () => {
    const honest = clock();
    for (let now = 0; now <= 10_000; now += 100) {
      honest.arrived(now, 10);
      expect(honest.isOverdue(now)).toBe(false);
    }
    expect(honest.isOverdue(10_200)).toBe(true);
  });

  it('starts again with the next message', () => {
    const busy = clock();
    busy.begin(0, 1);
    busy.begin(900, 1);
    expect(busy.isOverdue(1800)).toBe(false);
    expect(busy.isOverdue(1900)).toBe(true);
  });

  it('forgives the time in which we did not read', () => {
    const paused = clock();
    paused.begin(0, 1);
    paused.forgive(5000);
    expect(paused.isOverdue(5999)).toBe(false);
    expect(paused.isOverdue(6000)).toBe(true);
  });

  it('waits for ever when told so', () => {
    const patient = new ArrivalClock(0, 100);
    patient.begin(0, 1);
    expect(patient.isOverdue(1e9)).toBe(false);
  });
});
