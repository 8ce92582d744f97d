// Prevents: a chart whose bars do not stand to each other as the figures do, or that is no SVG.
import { describe, expect, it } from '@jest/globals';
import { chart, ticksFor } from './chart.mjs';

describe('the axis of a chart', () => {
  it.each([
    [5.2e6, [0, 2e6, 4e6, 6e6]],
    [100, [0, 20, 40, 60, 80, 100]],
    [0.3, [0, 0.1, 0.2, 0.3]],
    [1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [12, [0, 2.5, 5, 7.5, 10, 12.5]],
  ])('to %d has these ticks: %j', (most, ticks) => {
    expect(ticksFor(most)).toEqual(ticks);
  });

  it('has three to six ticks and ends at the largest figure or less than a step behind it', () => {
    for (let most = 1e-3; most < 1e9; most *= 1.07) {
      const ticks = ticksFor(most);
      expect(ticks.length).toBeGreaterThanOrEqual(3);
      expect(ticks.length).toBeLessThanOrEqual(6);
      expect(ticks.at(-1)).toBeGreaterThanOrEqual(most * (1 - 1e-9));
      expect(ticks.at(-2)).toBeLessThan(most);
    }
  });
});

describe('a chart', () => {
  const svg = chart({
    title: 'Messages & more',
    panels: [
      {
        title: '100 bytes',
        unit: 'messages/s',
        ours: 'FramedConverter',
        bars: [
          { name: 'ours <fast>', value: 4e6, ours: true },
          { name: 'other', value: 1e6, ours: false, ratio: 4 },
        ],
      },
    ],
    warnings: ['VOID: a weak ceiling'],
    note: ['5 rounds'],
  });

  it('has bars as long as the figures are large', () => {
    const [ours, other] = Array.from(
      svg.matchAll(/<rect [^>]*width="([\d.]+)"[^>]*rx=/g),
      ([, width]) => Number(width),
    );
    expect(ours / other).toBeCloseTo(4);
  });

  it('names, figures and ratios stand beside them, whatever signs they have', () => {
    expect(svg).toContain('>ours &#60;fast&#62;<');
    expect(svg).toContain('>4.00 M<');
    expect(svg).toContain('>1.00 M (4.00 ×)<');
    expect(svg).toContain('aria-label="Messages &#38; more"');
    expect(svg).toContain('>100 bytes: messages/s, and how many times as fast FramedConverter is<');
    expect(svg).toContain('>5 rounds<');
    expect(svg).toContain('>VOID: a weak ceiling<');
  });

  it('has an axis that is labelled, without empty digits', () => {
    const labels = Array.from(svg.matchAll(/class="tick"[^>]*>([^<]+)</g), ([, label]) => label);
    expect(labels).toEqual(['0', '1 M', '2 M', '3 M', '4 M']);
  });

  it('closes what it opens', () => {
    const open = [];
    for (const [, closing, name, self] of svg.matchAll(/<(\/?)(\w+)[^>]*?(\/?)>/g)) {
      if (closing) expect(open.pop()).toBe(name);
      else if (!self) open.push(name);
    }
    expect(open).toEqual([]);
  });

  it('has colours for the light and for the dark', () => {
    const [light, dark] = svg.split('@media (prefers-color-scheme: dark)');
    for (const kind of ['.page', '.ours', '.other', '.line', '.note']) {
      expect(light).toContain(kind);
      expect(dark).toContain(kind);
    }
  });
});
