import { AsyncSubject, Observable } from 'rxjs';

/**
 * What becomes of something that is under way, for whoever subscribes, and whenever. Nobody has to:
 * a failure never becomes an unhandled rejection.
 */
export class Outcome<Value> {
  readonly #onUnseen: (error: unknown) => void;
  readonly #subject = new AsyncSubject<Value>();
  #subscribed = false;

  /** @param onUnseen told of a failure that nobody has subscribed to when the turn ends */
  constructor(onUnseen: (error: unknown) => void) {
    this.#onUnseen = onUnseen;
  }

  asObservable(): Observable<Value> {
    return new Observable((subscriber) => {
      this.#subscribed = true;
      return this.#subject.subscribe(subscriber);
    });
  }

  /** It is over. @param failure what the value tells has failed, if it does */
  settle(value: Value, failure?: unknown): void {
    this.#subject.next(value);
    this.#subject.complete();
    if (failure !== undefined) this.#tellIfUnseen(failure);
  }

  /** It has failed. */
  fail(error: unknown): void {
    this.#subject.error(error);
    this.#tellIfUnseen(error);
  }

  #tellIfUnseen(error: unknown): void {
    if (this.#subscribed) return;
    // It may have failed before its caller was given it, or while its caller still awaits something else.
    setImmediate(() => {
      if (!this.#subscribed) this.#onUnseen(error);
    });
  }
}
