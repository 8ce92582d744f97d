/** What handlers note for their test, which can await it. */
export class Notes {
  readonly all: unknown[] = [];
  #waiters: { fits: (entry: unknown) => boolean; resolve: () => void }[] = [];

  add(entry: unknown): void {
    this.all.push(entry);
    this.#waiters = this.#waiters.filter(({ fits, resolve }) => {
      if (!fits(entry)) return true;
      resolve();
      return false;
    });
  }

  /** How often an entry was noted. */
  count(entry: unknown): number {
    return this.all.filter((noted) => noted === entry).length;
  }

  /** Resolves once an entry was noted so often. */
  async seen(entry: unknown, times = 1): Promise<void> {
    while (this.count(entry) < times) {
      await new Promise<void>((resolve) =>
        this.#waiters.push({ fits: (noted) => noted === entry, resolve }),
      );
    }
  }

  clear(): void {
    this.all.length = 0;
  }
}
