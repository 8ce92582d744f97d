// Prevents: a progress that jumps, never ends, or promises what nobody can know.
import { describe, expect, it } from '@jest/globals';
import {
  describeProgress,
  drawProgress,
  formatBytes,
  formatDuration,
  Progress,
} from './progress.js';

const MIB = 1024 * 1024;

describe('Progress', () => {
  it('says how fast it goes and how long it will take, by the last seconds', () => {
    const progress = new Progress(100 * MIB, 0);
    for (let second = 1; second <= 20; second++) progress.advance(MIB, second * 1000);
    expect(progress.rate(20_000)).toBeCloseTo(MIB);
    expect(progress.remaining(20_000)).toBeCloseTo(80);
    // Five times as fast from now on: a few seconds later nothing else counts.
    for (let second = 21; second <= 26; second++) progress.advance(5 * MIB, second * 1000);
    expect(progress.rate(26_000)).toBeCloseTo(5 * MIB);
    expect(progress.remaining(26_000)).toBeCloseTo(10);
  });

  it('slows down when nothing comes any more', () => {
    const progress = new Progress(100 * MIB, 0);
    progress.advance(10 * MIB, 1000);
    expect(progress.rate(1000)).toBeCloseTo(10 * MIB);
    expect(progress.rate(10_000)).toBeCloseTo(MIB);
  });

  it('promises nothing before anything can be known', () => {
    const progress = new Progress(100, 0);
    expect([progress.rate(0), progress.remaining(0)]).toEqual([undefined, undefined]);
    expect([progress.rate(500), progress.remaining(500)]).toEqual([0, undefined]);
    expect(describeProgress(progress, 0)).toBe('  0 %  0 B of 100 B');
  });

  it('is done at once if there is nothing to do', () => {
    expect(new Progress(0, 0).share).toBe(1);
  });

  it('holds a bounded number of moments, however often it is told', () => {
    const progress = new Progress(1e9, 0);
    for (let at = 0; at < 100_000; at++) progress.advance(1000, at);
    expect(progress.rate(100_000)).toBeCloseTo(1e6, -4);
  });
});

describe('drawProgress', () => {
  const progress = new Progress(4 * MIB, 0);
  progress.advance(MIB, 1000);

  it('fills the line with a bar, and stays within it', () => {
    expect(drawProgress(progress, 1000, 80)).toBe(
      '[======                    ] 25 %  1.00 MiB of 4.00 MiB  1.00 MiB/s  0:03 left',
    );
  });

  it.each([1, 10, 40, 60, 80, 200])('stays within %i columns', (columns) => {
    expect(drawProgress(progress, 1000, columns).length).toBeLessThan(columns);
  });
});

it.each([
  [0, '0 B'],
  [999, '999 B'],
  [1000, '0.98 KiB'],
  [1024 * 12.34, '12.3 KiB'],
  [512 * MIB, '512 MiB'],
  [2 * 1024 * MIB, '2.00 GiB'],
  [5e15, '4547 TiB'],
])('formats %i bytes as %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

it.each([
  [0, '0:00'],
  [0.2, '0:01'],
  [59.5, '1:00'],
  [61, '1:01'],
  [3599, '59:59'],
  [36_610, '10:10:10'],
])('formats %d seconds as %s', (seconds, text) => {
  expect(formatDuration(seconds)).toBe(text);
});
