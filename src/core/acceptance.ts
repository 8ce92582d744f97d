import type { Arrival } from './events.js';

/** Whether a peer is accepted: decided once, and a promise only for those who ask. */
export class Acceptance implements Arrival {
  readonly #open: (separate: boolean) => void;
  #decision: boolean | undefined;
  #promise: Promise<boolean> | undefined;
  #resolve: ((accepted: boolean) => void) | undefined;

  /** @param open opens the connection, which calls {@link decide} */
  constructor(open: (separate: boolean) => void) {
    this.#open = open;
  }

  finishAccept(separate: boolean): boolean {
    if (this.#decision !== undefined) return false;
    this.#open(separate);
    return true;
  }

  get accepted(): Promise<boolean> {
    this.#promise ??=
      this.#decision === undefined
        ? new Promise((resolve) => (this.#resolve = resolve))
        : Promise.resolve(this.#decision);
    return this.#promise;
  }

  decide(accepted: boolean): void {
    this.#decision = accepted;
    this.#resolve?.(accepted);
  }
}
