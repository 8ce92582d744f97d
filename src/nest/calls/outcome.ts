import { AsyncSubject } from 'rxjs';
import type { Observable } from 'rxjs';

/**
 * What becomes of something that is under way, for anybody who wants to know, however late: a value,
 * or an error. Nobody has to: it never becomes an unhandled rejection.
 * @param unobserved told the error if nobody has subscribed when it comes
 * @param failureIn the error that a value tells of, if it does: for what fails in part
 */
export function outcomeOf<Value>(
  underWay: Promise<Value>,
  unobserved: (error: unknown) => void,
  failureIn?: (value: Value) => unknown,
): Observable<Value> {
  const outcome = new AsyncSubject<Value>();
  underWay.then(
    (value) => {
      const failure = failureIn?.(value);
      if (failure !== undefined && !outcome.observed) unobserved(failure);
      outcome.next(value);
      outcome.complete();
    },
    (error: unknown) => {
      if (!outcome.observed) unobserved(error);
      outcome.error(error);
    },
  );
  return outcome.asObservable();
}
