import { throwError } from 'rxjs';
import type { Observable } from 'rxjs';
import { PikeError } from '../../core/errors.js';
import { outcomeOf } from '../calls/outcome.js';
import type { PeerVerbs } from './peer-verbs.js';

/** Who is at the other end of a connection while the server does not run: nobody. */
export class AbsentPeer implements PeerVerbs {
  readonly #unobserved: (error: unknown) => void;

  constructor(unobserved: (error: unknown) => void) {
    this.#unobserved = unobserved;
  }

  emit(): Observable<void> {
    return outcomeOf(Promise.reject(notRunning()), this.#unobserved);
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
