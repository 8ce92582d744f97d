// Prevents: a log full of control characters, a bar that swallows the lines above it, or one that is
// drawn so often that drawing takes the time.
import { describe, expect, it } from '@jest/globals';
import { Display } from './display.js';
import { Progress } from './progress.js';

class Screen {
  readonly columns = 60;
  readonly isTTY: boolean;
  written = '';

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(text: string): void {
    this.written += text;
  }

  /** What a reader sees: of each line what was written after it was last erased. */
  get lines(): string[] {
    return this.written.split('\n').map((line) => line.split('\r\u001b[K').at(-1) as string);
  }
}

function play(isTTY: boolean): Screen {
  const screen = new Screen(isTTY);
  let now = 0;
  const display = new Display(screen, screen, () => now);
  const progress = new Progress(900, 0);
  for (now = 0; now < 900; now++) {
    progress.advance(1, now);
    display.show(progress);
    if (now === 300) display.problem('the second is late');
    if (now === 500) display.line('the first is done');
  }
  display.line('the second is done');
  display.clear();
  return screen;
}

describe('Display', () => {
  it('draws a bar on a terminal, at most ten times a second, below the lines', () => {
    const screen = play(true);
    expect(screen.lines).toEqual([
      'the second is late',
      'the first is done',
      'the second is done',
      '',
    ]);
    const bars = screen.written.match(/\[=* *\]/g) as string[];
    expect(bars.length).toBeGreaterThan(5);
    // One for each tenth of a second, and one again below each line.
    expect(bars.length).toBeLessThanOrEqual(12);
    expect(screen.written.lastIndexOf('second is done')).toBeLessThan(
      screen.written.lastIndexOf(']'),
    );
  });

  it('prints plain lines elsewhere: one for each tenth', () => {
    const screen = play(false);
    // oxlint-disable-next-line eslint/no-control-regex
    expect(screen.written).not.toMatch(/[\r\u001b]/);
    expect(screen.lines.filter((line) => line.includes('%'))).toHaveLength(10);
    expect(screen.lines.filter((line) => !line.includes('%'))).toEqual([
      'the second is late',
      'the first is done',
      'the second is done',
      '',
    ]);
    expect(screen.lines.at(-3)).toMatch(/^100 % {2}900 B of 900 B {2}/);
  });

  it('keeps what is wrong out of the output', () => {
    const [screen, problems] = [new Screen(false), new Screen(false)];
    const display = new Display(screen, problems, () => 0);
    display.problem('nobody is there');
    display.line('done');
    expect([screen.written, problems.written]).toEqual(['done\n', 'nobody is there\n']);
  });
});
