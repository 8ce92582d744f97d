/**
 * The callback handed to a converter together with each call. Only its first call counts, only if
 * the converter has said WAIT_FOR_CALLBACK, and only while the connection lives: a converter may
 * call it synchronously, twice, or long after.
 */
export class OneShotCallback {
  readonly #onCalled: () => void;
  #current: (() => void) | undefined;
  #calledEarly = false;
  #waiting = false;
  #synchronousCalls = 0;

  constructor(onCalled: () => void) {
    this.#onCalled = onCalled;
  }

  /** Whether the converter is waiting to be called again. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** The callback for the next call to the converter. */
  arm(): () => void {
    if (this.#calledEarly) this.#current = undefined;
    this.#calledEarly = false;
    if (this.#current === undefined) {
      const callback = (): void => {
        if (this.#current !== callback) return;
        if (this.#waiting) this.#finishWaiting();
        else this.#calledEarly = true;
      };
      this.#current = callback;
    }
    return this.#current;
  }

  /**
   * The converter has answered WAIT_FOR_CALLBACK.
   * @returns whether it is to be waited for: false if the callback has come already
   */
  wait(): boolean {
    if (!this.#calledEarly) {
      this.#waiting = true;
      this.#synchronousCalls = 0;
      return true;
    }
    this.#current = undefined;
    this.#calledEarly = false;
    if (++this.#synchronousCalls < MOST_SYNCHRONOUS_CALLS) return false;
    // A converter that always calls back at once must not keep the others from their turn.
    this.#synchronousCalls = 0;
    this.#waiting = true;
    setImmediate(this.arm());
    return true;
  }

  /** Calls that come from now on are ignored. */
  disarm(): void {
    this.#current = undefined;
    this.#waiting = false;
    this.#calledEarly = false;
  }

  #finishWaiting(): void {
    this.#current = undefined;
    this.#waiting = false;
    this.#onCalled();
  }
}

const MOST_SYNCHRONOUS_CALLS = 100;
