// Prevents: a caller is told the fate of another's message: that sending again is safe when it is
// not, or the other way round.
import { describe, expect, it } from '@jest/globals';
import { deliveryOf, leftoverFates } from './leftover-fates.js';

/** Calls whose messages are these. */
const calls = (...messages: (number | undefined)[]) => messages.map((message) => ({ message }));

describe('the fates of what was given to a connection', () => {
  it('are those of its last event', () => {
    const [sent, incomplete, uncertain, queued] = calls(1, 2, 3, 4);
    const fates = leftoverFates([sent!, incomplete!, uncertain!, queued!], {
      incomplete: 2,
      uncertain: [3],
      queued: [4],
    });
    expect([sent, incomplete, uncertain, queued].map((call) => fates.get(call!))).toEqual([
      undefined,
      'incomplete',
      'uncertain',
      'queued',
    ]);
  });

  it('of equal messages: the last ones are left over', () => {
    const all = calls(5, 7, 5, 5);
    const fates = leftoverFates(all, { uncertain: [], queued: [5, 5] });
    expect(all.map((call) => fates.get(call))).toEqual([undefined, undefined, 'queued', 'queued']);
  });

  it('of what was not given yet: queued, wherever it stands', () => {
    const all = calls(undefined, 7, undefined);
    const fates = leftoverFates(all, { uncertain: [], queued: [7] });
    expect(all.map((call) => fates.get(call))).toEqual(['queued', 'queued', 'queued']);
  });

  it('are not disturbed by messages for which nobody waits', () => {
    const all = calls(1, 2);
    const fates = leftoverFates(all, { uncertain: [99], queued: [98, 2, 97] });
    expect(all.map((call) => fates.get(call))).toEqual([undefined, 'queued']);
  });

  it('are found in no time, though many messages are waited for by nobody', () => {
    const all = calls(...Array.from({ length: 20_000 }, (_, index) => index));
    const cancels = Array.from({ length: 20_000 }, (_, index) => -1 - index);
    const fates = leftoverFates(all, { uncertain: [], queued: [...cancels, 19_999] });
    expect(fates.size).toBe(1);
  });
});

describe('what a peer may have acted on', () => {
  it.each([
    [undefined, true, 'in-doubt'],
    ['uncertain', true, 'in-doubt'],
    ['incomplete', false, 'in-doubt'],
    ['incomplete', true, 'unsent'],
    ['queued', false, 'unsent'],
  ] as const)('%s, atomic: %s, is %s', (fate, atomic, delivery) => {
    expect(deliveryOf(fate, atomic)).toBe(delivery);
  });
});
