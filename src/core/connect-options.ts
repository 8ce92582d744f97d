import type { ConnectOptions, ConnectWaitingOptions } from './connector.js';
import { LIMITS, checkKnown, checkType, invalidOption, readNumbers } from './options.js';

/** Options of `connect` with the defaults filled in. */
export interface ConnectSettings {
  readonly separate: boolean;
  readonly timeout: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Checks the options of `connect` and fills in the defaults.
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option
 */
export function readConnectOptions(
  options: ConnectOptions,
  connectTimeout: number,
): ConnectSettings {
  return read('connect', options, KNOWN, connectTimeout);
}

/**
 * Checks the options of `connectWaiting` and fills in the defaults.
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option
 */
export function readConnectWaitingOptions(
  options: ConnectWaitingOptions,
  connectTimeout: number,
): ConnectSettings {
  const owner = 'connectWaiting';
  const settings = read(owner, options, [...KNOWN, 'onFinish'], connectTimeout);
  if (options.onFinish !== undefined) checkType(owner, 'onFinish', options.onFinish, 'function');
  return settings;
}

const KNOWN = ['separate', 'timeout', 'signal'];

function read(
  owner: string,
  options: ConnectOptions,
  known: readonly string[],
  connectTimeout: number,
): ConnectSettings {
  checkType(owner, 'options', options, 'object');
  checkKnown(owner, options, known);
  const { separate = false, signal } = options;
  checkType(owner, 'separate', separate, 'boolean');
  if (signal !== undefined && typeof signal?.addEventListener !== 'function') {
    throw invalidOption(owner, 'signal', 'must be an AbortSignal');
  }
  const { timeout } = readNumbers(
    owner,
    { timeout: options.timeout },
    { timeout: { ...LIMITS.connectTimeout, default: connectTimeout } },
  );
  return { separate, timeout, signal };
}
