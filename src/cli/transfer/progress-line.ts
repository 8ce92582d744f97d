import { drawProgress } from './progress.js';
import type { Progress } from './progress.js';

/** Where a progress is shown: `process.stderr` is one. */
export interface ProgressOutput {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

const ERASE_LINE = '\r\u001b[K';
/** How often it is drawn, at most, in ms. */
const REDRAW_MS = 100;

/** The line on which a progress is shown: on a terminal only, for a script has no use for it. */
export class ProgressLine {
  readonly #output: ProgressOutput;
  readonly #now: () => number;
  #shown = false;
  #drawnAt = -Infinity;

  /** @param now the time in ms */
  constructor(output: ProgressOutput, now: () => number) {
    this.#output = output;
    this.#now = now;
  }

  show(name: string, progress: Progress): void {
    const now = this.#now();
    if (this.#output.isTTY !== true || now - this.#drawnAt < REDRAW_MS) return;
    this.#drawnAt = now;
    this.#shown = true;
    const line = drawProgress(name, progress, now, this.#output.columns ?? 80);
    this.#output.write(`${ERASE_LINE}${line}`);
  }

  /** Takes it away. */
  clear(): void {
    if (this.#shown) this.#output.write(ERASE_LINE);
    this.#shown = false;
  }
}
