/** The files that a converter has open or is still tidying up. */
export class OpenFiles {
  readonly #parts = new Set<string>();
  #count = 0;
  #waiters: (() => void)[] = [];

  /** @param part where it is, if it is the part of a file that is being received */
  opened(part?: string): void {
    this.#count += 1;
    if (part !== undefined) this.#parts.add(part);
  }

  closed(part?: string): void {
    this.#count -= 1;
    if (part !== undefined) this.#parts.delete(part);
    if (this.#count > 0) return;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const resolve of waiters) resolve();
  }

  /** Whether there is a part of a file that is being received. */
  hasPart(path: string): boolean {
    return this.#parts.has(path);
  }

  /** Resolves once no file is open. */
  settled(): Promise<void> {
    if (this.#count === 0) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push(resolve));
  }
}
