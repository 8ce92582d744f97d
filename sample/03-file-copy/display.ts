import { describeProgress, drawProgress } from './progress.js';
import type { Progress } from './progress.js';

/** Where a display writes: `process.stdout` is one. */
export interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const ERASE_LINE = '\r\u001b[K';
/** How often a bar is drawn, at most, in ms. */
const REDRAW_MS = 100;

/**
 * Shows lines of text and, below them, how far a transfer is: as a bar on a terminal, and as a line
 * at each tenth elsewhere, such as in a log. What is wrong goes to an output of its own.
 */
export class Display {
  readonly #output: Output;
  readonly #problems: Output;
  readonly #now: () => number;
  #drawn: string | undefined;
  #drawnAt = -Infinity;
  #tenths = 0;

  constructor(output: Output, problems: Output, now: () => number) {
    this.#output = output;
    this.#problems = problems;
    this.#now = now;
  }

  /** Prints a line, above the bar. */
  line(text: string): void {
    this.#print(this.#output, text);
  }

  /** Prints a line that says what is wrong; on a terminal it, too, stands above the bar. */
  problem(text: string): void {
    this.#print(this.#problems, text);
  }

  show(progress: Progress): void {
    const now = this.#now();
    if (this.#output.isTTY === true) {
      if (now - this.#drawnAt < REDRAW_MS) return;
      this.#drawnAt = now;
      this.#draw(drawProgress(progress, now, this.#output.columns ?? 80));
      return;
    }
    const tenths = Math.floor(progress.share * 10);
    if (tenths === this.#tenths) return;
    this.#tenths = tenths;
    this.line(describeProgress(progress, now));
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#drawn !== undefined) this.#output.write(ERASE_LINE);
    this.#drawn = undefined;
  }

  #print(output: Output, text: string): void {
    const bar = this.#drawn;
    this.clear();
    output.write(`${text}\n`);
    if (bar !== undefined) this.#draw(bar);
  }

  #draw(bar: string): void {
    this.#output.write(`${ERASE_LINE}${bar}`);
    this.#drawn = bar;
  }
}
