import { MOST_MS } from './options.js';

/** The two clocks of a connection: one for the state it is in, one for its deadline to finish. */
export class LinkTimers {
  #ofState: NodeJS.Timeout | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #deadlineAt = Number.POSITIVE_INFINITY;

  /** Limits the present state. */
  startState(ms: number, onTimeout: () => void): void {
    clearTimeout(this.#ofState);
    this.#ofState = setTimeout(onTimeout, ms);
  }

  stopState(): void {
    clearTimeout(this.#ofState);
    this.#ofState = undefined;
  }

  /** Limits finishing. Of several deadlines the soonest counts. */
  startDeadline(ms: number, onTimeout: () => void): void {
    const at = performance.now() + ms;
    // What no timer can wait for is no deadline: Node's would go off at once.
    if (at >= this.#deadlineAt || ms > MOST_MS) return;
    clearTimeout(this.#deadline);
    this.#deadlineAt = at;
    this.#deadline = setTimeout(onTimeout, ms);
  }

  stop(): void {
    clearTimeout(this.#ofState);
    clearTimeout(this.#deadline);
  }
}
