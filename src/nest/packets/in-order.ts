import { isPromise } from './packets.js';

/**
 * Uses values in the order in which they were handed in, even where some are promises that take
 * their time. Costs nothing as long as none is.
 */
export class InOrder {
  #tail: Promise<void> | undefined;
  #waiting = 0;

  /** Resolves when the last of those that are waited for has been used; `undefined` if none is. */
  get tail(): Promise<void> | undefined {
    return this.#tail;
  }

  /** How many have not been used. */
  get waiting(): number {
    return this.#waiting;
  }

  /** @param failed told if the promise rejects, or `use` throws */
  run<Value>(
    value: Value | Promise<Value>,
    use: (value: Value) => void,
    failed: (thrown: unknown) => void,
  ): void {
    if (isPromise(value) || this.#tail !== undefined) {
      this.#runLater(value, use, failed);
      return;
    }
    try {
      use(value);
    } catch (thrown) {
      failed(thrown);
    }
  }

  #runLater<Value>(
    pending: Value | Promise<Value>,
    use: (value: Value) => void,
    failed: (thrown: unknown) => void,
  ): void {
    this.#waiting++;
    const before = this.#tail;
    // Both are awaited from the start: a rejection must not count as unhandled meanwhile.
    const tail = Promise.allSettled([pending, before]).then(([outcome]) => {
      this.#waiting--;
      if (this.#tail === tail) this.#tail = undefined;
      try {
        if (outcome.status === 'rejected') throw outcome.reason;
        use(outcome.value);
      } catch (thrown) {
        failed(thrown);
      }
    });
    this.#tail = tail;
  }
}
