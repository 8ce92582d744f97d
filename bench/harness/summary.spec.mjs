// Prevents: a ratio of the benchmarks that is upside down, or that compares a peer with the wrong one.
import { describe, expect, it } from '@jest/globals';
import { summarise } from './summary.mjs';
import { asMarkdown, asText, tableOf } from './table.mjs';

const results = new Map([
  [{ name: 'other' }, { 'messages/s': [100, 50, 100], 'p99 ms': [3, 1, 2] }],
  [{ name: 'nestjs-pike, fast' }, { 'messages/s': [400, 200, 800], 'p99 ms': [1, 1, 1] }],
  [{ name: 'nestjs-pike, plain' }, { 'messages/s': [200, 100, 200], 'p99 ms': [1, 1, 1] }],
]);

describe('the summary of a benchmark', () => {
  const section = summarise({ title: 'one way', unit: 'messages/s', results });

  it('says how many times as fast each of ours is as each peer, within the rounds', () => {
    expect(section.comparisons).toEqual(['nestjs-pike, fast is', 'nestjs-pike, plain is']);
    const [other, fast] = section.rows;
    expect(other.medians).toEqual({ 'messages/s': 100, 'p99 ms': 2 });
    expect(other.ratios).toEqual([
      { median: 4, lowest: 4, highest: 8 },
      { median: 2, lowest: 2, highest: 2 },
    ]);
    expect(fast.ratios).toEqual([null, { median: 0.5, lowest: 0.25, highest: 0.5 }]);
  });

  it('says, where costs grow, how many times the cost of the least each is', () => {
    const grown = summarise({
      title: 'growth',
      unit: 'ns',
      lessIsBetter: true,
      against: 'one',
      results: new Map([
        [{ name: 'one' }, { ns: [10, 20] }],
        [{ name: 'many' }, { ns: [15, 40] }],
      ]),
    });
    expect(grown.comparisons).toEqual(['against one']);
    expect(grown.rows.map(({ ratios }) => ratios)).toEqual([
      [null],
      [{ median: 1.75, lowest: 1.5, highest: 2 }],
    ]);
  });

  it('is a table whose columns are the figure, those beside it, and the comparisons', () => {
    const table = tableOf(section);
    expect(table[0]).toEqual([
      'one way',
      'messages/s',
      'p99 ms',
      'nestjs-pike, fast is',
      'nestjs-pike, plain is',
    ]);
    expect(table[1]).toEqual(['other', '100', '2.00', '4.00 × (4.00–8.00)', '2.00 × (2.00–2.00)']);
    expect(table[2]).toEqual(['nestjs-pike, fast', '400', '1.00', '', '0.50 × (0.25–0.50)']);
    expect(asMarkdown(table).split('\n').slice(0, 2)).toEqual([
      '| one way | messages/s | p99 ms | nestjs-pike, fast is | nestjs-pike, plain is |',
      '| --- | ---: | ---: | ---: | ---: |',
    ]);
    const lines = asText(table);
    expect(lines[1]).toMatch(/^other {15} +100 +2\.00 +4\.00 × .* +2\.00 × \(2\.00–2\.00\)$/);
    expect(lines[2].indexOf(' 400 ')).toBe(lines[1].indexOf(' 100 '));
  });
});
