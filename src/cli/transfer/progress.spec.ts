// Prevents: a progress bar that runs over its line, or tells nonsense of how long it will take.
import { describe, expect, it } from '@jest/globals';
import { drawProgress, Progress, showBytes, showDuration } from './progress.js';

describe('a progress', () => {
  it('knows neither rate nor end before something has happened', () => {
    const progress = new Progress(1_000, 0);
    progress.reached(500, 10);
    expect([progress.rate(10), progress.remaining(10)]).toEqual([undefined, undefined]);
  });

  it('tells the rate of the last seconds, not of the whole', () => {
    const progress = new Progress(100_000, 0);
    for (let second = 1; second <= 10; second++) progress.reached(second * 1_000, second * 1_000);
    for (let second = 11; second <= 20; second++) {
      progress.reached(10_000 + (second - 10) * 3_000, second * 1_000);
    }
    expect(progress.rate(20_000)).toBe(3_000);
    expect(progress.remaining(20_000)).toBe(20);
  });

  it('is done from the start if there is nothing to do', () => {
    expect(new Progress(0, 0).share).toBe(1);
  });
});

describe('a progress bar', () => {
  it('fills its line but for one column, whatever the width', () => {
    const progress = new Progress(2_000_000, 0);
    progress.reached(1_000_000, 1_000);
    expect(drawProgress('a.bin', progress, 1_000, 80)).toBe(
      'a.bin [===========            ] 50 %  977 KiB of 1.91 MiB  977 KiB/s  0:01 left',
    );
    for (let columns = 1; columns <= 200; columns++) {
      expect(drawProgress('a.bin', progress, 1_000, columns).length).toBeLessThan(columns);
    }
  });
});

describe('sizes and times', () => {
  it('have three digits and a unit', () => {
    expect([0, 999, 1_000, 10_240, 1_048_576, 5e12].map(showBytes)).toEqual([
      '0 B',
      '999 B',
      '0.98 KiB',
      '10.0 KiB',
      '1.00 MiB',
      '4.55 TiB',
    ]);
  });

  it('are rounded up, in minutes, and hours if there are any', () => {
    expect([0, 0.2, 61, 3_723].map(showDuration)).toEqual(['0:00', '0:01', '1:01', '1:02:03']);
  });
});
