import { PikeError, toError } from './errors.js';

/**
 * Where errors of the application's own listeners and callbacks go, which must reach neither a
 * decoder nor another connection.
 */
export type ErrorHandler = (error: Error) => void;

/** Runs code of the application; what it throws, or what its promise rejects with, is reported. */
export function runReported<Argument>(
  onError: ErrorHandler | undefined,
  run: (argument: Argument) => unknown,
  argument: Argument,
): void {
  try {
    const result = run(argument);
    if (isThenable(result)) {
      result.then(undefined, (reason: unknown) => report(onError, reason));
    }
  } catch (thrown) {
    report(onError, thrown);
  }
}

/** Reports an error: to the handler, or as an uncaught exception in a turn of its own. */
export function report(onError: ErrorHandler | undefined, thrown: unknown): void {
  const error = toError(thrown);
  if (onError === undefined) {
    throwLater(error);
    return;
  }
  try {
    onError(error);
  } catch (again) {
    throwLater(
      new PikeError('PIKE_ERR_LISTENER', 'The onError option itself threw.', { cause: again }),
    );
  }
}

function throwLater(error: Error): void {
  setImmediate(() => {
    throw error;
  });
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    'then' in value &&
    typeof value.then === 'function'
  );
}
