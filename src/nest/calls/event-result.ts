import type { PikeError } from '../../core/errors.js';
import type { EventOutcome } from './call.js';
import { Outcome } from './outcome.js';

/** What becomes of an event. */
export class EventResult<Result> extends Outcome<Result> implements EventOutcome {
  sent(): void {
    this.settle(undefined as Result);
  }

  failed(error: PikeError): void {
    this.fail(error);
  }
}
