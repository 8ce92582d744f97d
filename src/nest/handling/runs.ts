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

  /**
   * Waits until no handler runs, for `ms` at most.
   * @returns whether none runs
   */
  async idle(ms: number): Promise<boolean> {
    if (this.#running === 0) return true;
    let timer: NodeJS.Timeout | undefined;
    await Promise.race([
      new Promise<void>((resolve) => this.#waiters.push(resolve)),
      new Promise<void>((resolve) => {
        timer = setTimeout(resolve, ms);
      }),
    ]);
    clearTimeout(timer);
    return this.#running === 0;
  }
}
