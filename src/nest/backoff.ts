import { MOST_MS, checkKnown, checkType, readNumbers } from '../core/options.js';
import type { NumericOption } from '../core/options.js';

/** How long to wait before connecting again: exponential backoff with full jitter. */
export interface BackoffOptions {
  /** The most that is waited after one attempt, in ms; each further attempt doubles it. Default: 100 ms. */
  initialDelay?: number;
  /** The most that is ever waited, in ms. Default: 30 000 ms. */
  maxDelay?: number;
}

/** The {@link BackoffOptions}, all of them numbers. */
export const BACKOFF: Readonly<Record<keyof BackoffOptions, NumericOption>> = {
  initialDelay: { default: 100, lowest: 1, highest: MOST_MS, unit: 'ms' },
  maxDelay: { default: 30_000, lowest: 1, highest: MOST_MS, unit: 'ms' },
};

/** Checks the option `reconnect` and fills in the defaults. @throws PikeError `PIKE_ERR_INVALID_OPTION` */
export function readBackoffOptions(
  owner: string,
  reconnect: BackoffOptions,
): Required<BackoffOptions> {
  checkType(owner, 'reconnect', reconnect, 'object');
  const named = `${owner}: option "reconnect"`;
  checkKnown(named, reconnect, Object.keys(BACKOFF));
  return readNumbers(named, reconnect, BACKOFF);
}

/**
 * How long to wait before connecting again, in ms: anything from 0 to `initialDelay`, doubled with
 * every attempt up to `maxDelay`. That it is anything (full jitter) keeps peers that have all lost
 * the same server from coming back at once, again and again.
 * @param attempt how many attempts were made since the last connection that held, from 1
 * @param random a number from 0 to 1
 */
export function backoffDelay(
  attempt: number,
  { initialDelay, maxDelay }: Required<BackoffOptions>,
  random: () => number = Math.random,
): number {
  return random() * Math.min(maxDelay, initialDelay * 2 ** (attempt - 1));
}
