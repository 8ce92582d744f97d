import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { PikeError } from '../../core/errors.js';
import { EventResult } from '../calls/event-result.js';
import type { PeerVerbs } from './peer-verbs.js';

/** Who is at the other end of a connection while the server does not run: nobody. */
export class AbsentPeer implements PeerVerbs {
  readonly #unseen: (error: unknown) => void;

  /** @param unseen told that an event was not sent, if nobody has subscribed */
  constructor(unseen: (error: unknown) => void) {
    this.#unseen = unseen;
  }

  emit(): Observable<void> {
    const result = new EventResult<void>(this.#unseen);
    result.failed(notRunning());
    return result.asObservable();
  }

  send<Result>(): Observable<Result> {
    return throwError(notRunning);
  }

  join(): boolean {
    return false;
  }

  leave(): boolean {
    return false;
  }
}

function notRunning(): PikeError {
  return new PikeError('PIKE_ERR_NOT_RUNNING', 'The server does not run: it has no connections.', {
    delivery: 'unsent',
  });
}
