// Prevents: a figure of the benchmarks that is no median, or a ratio taken across rounds.
import { describe, expect, it } from '@jest/globals';
import { linearFit, median, percentile, ratioOf, sureGrowth } from './statistics.mjs';

describe('the statistics of the benchmarks', () => {
  it('take the middle of an odd number of rounds, and the middle of the two of an even one', () => {
    expect(median([9, 1, 1000])).toBe(9);
    expect(median([4, 1, 2, 1000])).toBe(3);
    expect(median([10, 9])).toBe(9.5); // by number, not by letter
  });

  it('leave the order of the rounds as it was', () => {
    const figures = [3, 1, 2];
    median(figures);
    expect(figures).toEqual([3, 1, 2]);
  });

  it('compare within each round, so that a slow round counts for both', () => {
    expect(ratioOf([100, 10, 100], [50, 5, 25])).toEqual({ median: 2, lowest: 2, highest: 4 });
  });

  it('find percentiles in a sorted series', () => {
    const sorted = Float64Array.from({ length: 101 }, (_, i) => i);
    expect([0, 0.5, 0.99, 1].map((share) => percentile(sorted, share))).toEqual([0, 50, 99, 100]);
    expect(percentile([7], 0.99)).toBe(7);
  });

  it('fit a line: exactly through points on one, with its error where they scatter', () => {
    const line = linearFit([
      [0, 5],
      [1, 8],
      [2, 11],
    ]);
    expect(line).toEqual({ slope: 3, slopeError: 0, mean: 8 });
    const scattered = linearFit([
      [0, 1],
      [1, 3],
      [2, 2],
      [3, 4],
    ]);
    expect(scattered.slope).toBeCloseTo(0.8);
    expect(scattered.slopeError).toBeCloseTo(Math.sqrt(0.18)); // residues 1.8, over 2 degrees and a spread of 5
  });

  it('tell growth from scatter', () => {
    const noise = (i) => ((i * 7919) % 13) - 6;
    const series = (slope) => Array.from({ length: 60 }, (_, i) => [i, 100 + slope * i + noise(i)]);
    expect(sureGrowth(linearFit(series(0)), 60)).toBeLessThan(3);
    expect(sureGrowth(linearFit(series(-1)), 60)).toBeLessThan(0);
    expect(sureGrowth(linearFit(series(1)), 60)).toBeGreaterThan(50);
  });
});
