import { once } from './once.js';
import { within } from './within.js';

/** Counts the handlers that are running, for those who wait until none is. */
export class Runs {
  #running = 0;
  #waiters: (() => void)[] = [];

  begin(): void {
    this.#running++;
  }

  readonly end = (): void => {
    if (--this.#running > 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  };

  /** As {@link begin}. @returns ends it, the first time it is called */
  beginOnce(): () => void {
    this.begin();
    return once(this.end);
  }

  /**
   * Waits until no handler runs, for `ms` at most.
   * @returns whether none runs
   */
  async idle(ms: number): Promise<boolean> {
    if (this.#running === 0) return true;
    await within(ms, new Promise<void>((resolve) => this.#waiters.push(resolve)));
    return this.#running === 0;
  }
}
