import type { MessageHandler } from '@nestjs/microservices';
import { isPromise } from '../packets/packets.js';
import type { PikeContext } from '../pike-context.js';
import type { Run } from './run.js';
import type { Runs } from './runs.js';

/**
 * Calls a handler, and gives what it returns to a run.
 * @param runs counts it among those that are running
 * @returns resolves when the handler has returned; `undefined` if it has
 */
export function runHandler<T>(
  handler: MessageHandler,
  data: unknown,
  context: PikeContext<T>,
  run: Run,
  runs: Runs,
): Promise<void> | undefined {
  runs.begin();
  let result: unknown;
  try {
    result = handler(data, context);
  } catch (thrown) {
    run.threw(thrown);
    runs.end();
    return undefined;
  }
  if (!isPromise(result)) {
    run.resolve(result);
    run.whenGiven(runs.end);
    return undefined;
  }
  return result.then(
    (value) => {
      run.resolve(value);
      run.whenGiven(runs.end);
    },
    (reason: unknown) => {
      run.threw(reason);
      runs.end();
    },
  );
}
