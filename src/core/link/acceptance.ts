import type { Arrival } from '../events.js';

/** What is opened, or not. */
export interface AcceptanceHost {
  /** The peer is accepted; calls {@link Acceptance.decide}. */
  accept(separate: boolean): void;
}

/** Whether a peer is accepted: decided once, and a promise only for those who ask. */
export class Acceptance implements Arrival {
  readonly #host: AcceptanceHost;
  #decision: boolean | undefined;
  #promise: Promise<boolean> | undefined;
  #resolve: ((accepted: boolean) => void) | undefined;

  constructor(host: AcceptanceHost) {
    this.#host = host;
  }

  finishAccept(separate: boolean): boolean {
    if (this.#decision !== undefined) return false;
    this.#host.accept(separate);
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
