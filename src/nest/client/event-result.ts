import { AsyncSubject, Observable } from 'rxjs';
import type { PikeError } from '../../core/errors.js';
import type { EventOutcome } from '../calls/call.js';

/** What becomes of an event, for whoever subscribes, and whenever. */
export class EventResult<Result> implements EventOutcome {
  readonly #onUnseen: (error: unknown) => void;
  readonly #subject = new AsyncSubject<Result>();
  #subscribed = false;

  /** @param onUnseen told of a failure that nobody has subscribed to when the turn ends */
  constructor(onUnseen: (error: unknown) => void) {
    this.#onUnseen = onUnseen;
  }

  asObservable(): Observable<Result> {
    return new Observable((subscriber) => {
      this.#subscribed = true;
      return this.#subject.subscribe(subscriber);
    });
  }

  sent(): void {
    this.#subject.next(undefined as Result);
    this.#subject.complete();
  }

  failed(error: PikeError): void {
    this.threw(error);
  }

  /** There was an error of the application's own. */
  threw(error: unknown): void {
    this.#subject.error(error);
    if (this.#subscribed) return;
    // It may have failed before emit() has returned, or while its caller still awaits something else.
    setImmediate(() => {
      if (!this.#subscribed) this.#onUnseen(error);
    });
  }
}
