import { AsyncResource } from 'node:async_hooks';

// Nobody destroys it: it ends with whoever holds it. Otherwise Node would watch for that.
const OPTIONS = { requireManualDestroy: true };

/**
 * The present context of every `AsyncLocalStorage`, to run something in later by `runInAsyncScope`. What
 * is run there may enter other contexts and not leave them: they end with it.
 */
export function captureScope(): AsyncResource {
  return new AsyncResource('NestjsPike', OPTIONS);
}
