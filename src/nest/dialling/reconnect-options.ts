import { checkKnown, checkType, invalidOption, MOST_MS, readNumbers } from '../../core/options.js';
import type { NumericOption } from '../../core/options.js';

/**
 * How a lost connection is made again: in the background, in attempts between which the time grows
 * from one to the next and is random (exponential backoff with full jitter).
 */
export interface ReconnectOptions {
  /** The longest time before the first attempt, doubled for each further one. Default: 50 ms. */
  minDelay?: number;
  /** What that time grows to. A connection that lasts as long starts it over. Default: 5 000 ms. */
  maxDelay?: number;
  /** After so many failed attempts in a row it is given up. An attempt tries every endpoint. Default: Infinity. */
  attempts?: number;
}

/** Options with every default filled in; no `attempts`: a lost connection is not made again. */
export type ReconnectSettings = Readonly<Required<ReconnectOptions>>;

/** The numeric options of reconnecting. */
export const RECONNECT_LIMITS = {
  minDelay: { default: 50, lowest: 0, highest: MOST_MS, unit: 'ms' },
  maxDelay: { default: 5_000, lowest: 0, highest: MOST_MS, unit: 'ms' },
  attempts: { default: Infinity, lowest: 1, unit: 'attempts' },
} as const satisfies Record<keyof ReconnectOptions, NumericOption>;

/**
 * Checks options and fills in the defaults.
 * @param reconnect `false`: not at all
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option
 */
export function readReconnectOptions(
  owner: string,
  reconnect: ReconnectOptions | false,
): ReconnectSettings {
  if (reconnect === false) return { minDelay: 0, maxDelay: 0, attempts: 0 };
  checkType(owner, 'reconnect', reconnect, 'object');
  const own = `${owner}: option "reconnect"`;
  checkKnown(own, reconnect, Object.keys(RECONNECT_LIMITS));
  const { attempts: limit, ...delays } = RECONNECT_LIMITS;
  const { minDelay, maxDelay } = readNumbers(own, reconnect, delays);
  if (minDelay > maxDelay) throw invalidOption(own, 'minDelay', 'must not exceed maxDelay');
  const { attempts = limit.default } = reconnect;
  return attempts === Infinity
    ? { minDelay, maxDelay, attempts }
    : { minDelay, maxDelay, ...readNumbers(own, { attempts }, { attempts: limit }) };
}
