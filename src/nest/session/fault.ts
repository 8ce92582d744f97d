import { describeThrown, isPikeError, PikeError } from '../../core/errors.js';

/** Why a connection cannot go on, for the event of its end and for what waits on it. */
export function faultOf(thrown: unknown): PikeError {
  if (isPikeError(thrown)) return thrown;
  return new PikeError(
    'PIKE_ERR_DESERIALIZER',
    `The deserializer failed: ${describeThrown(thrown)}`,
    { cause: thrown },
  );
}
