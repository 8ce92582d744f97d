// Prevents: a void run, or a missing peer, of which the page and the chart say nothing.
import { describe, expect, it } from '@jest/globals';
import { drawResults, writeResults } from './results.mjs';
import { summarise } from './summary.mjs';

const machine = {
  date: '2026-01-02',
  node: 'v20.0.0',
  cpu: '2 × some CPU',
  memory: '8 GiB',
  kernel: '6.1',
  load: 0.5,
};
const results = new Map([
  [{ name: 'ceiling' }, { 'messages/s': [4e6] }],
  [{ name: 'nestjs-pike, fast' }, { 'messages/s': [2e6] }],
]);
const document = {
  name: 'one-way',
  title: 'One way',
  machine,
  rounds: 1,
  quick: true,
  versions: { ceiling: 'v20.0.0', 'nestjs-pike, fast': '1.0.0', absent: 'missing' },
  missing: ['absent (npm run bench:setup)'],
  sections: [summarise({ title: '100 bytes', unit: 'messages/s', results })],
};
const flaw = 'The ceiling is low.';

describe.each([
  ['page', writeResults],
  ['chart', drawResults],
])('the %s of the results', (_, made) => {
  it('has the figures, the ratios, and the conditions', () => {
    const text = made([document]);
    expect(text).toContain('4.00 M');
    expect(text).toContain('0.50 ×');
    expect(text).toContain('1 round, a quick run; 2026-01-02, Node v20.0.0, 2 × some CPU, 8 GiB');
    expect(text).not.toContain('VOID');
  });

  it('says which peers are missing', () => {
    expect(made([document])).toContain('Missing: absent (npm run bench:setup)');
  });

  it('says that a run is void', () => {
    expect(made([{ ...document, void: flaw }])).toContain(`VOID: ${flaw}`);
  });

  it('can be made of whichever benchmarks have succeeded', () => {
    expect(made([{ ...document, name: 'streams' }])).toContain('2026-01-02');
  });
});
