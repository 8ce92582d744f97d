import type { NumericOption } from '../../core/options.js';
import { readNumbers } from '../../core/options.js';

/** How much one connection's peer may have us do. */
export interface HandlingLimits {
  /**
   * Handlers that may run for one connection at a time, streams included. As many requests and events
   * may wait; further requests are answered with `PIKE_ERR_OVERLOADED`, and further events hold the
   * connection back: it is not read until half of what waits has begun. Default: 1 024 handlers.
   */
  maxInFlight: number;
  /**
   * Replies that may wait for a peer that does not read them, roughly; beyond, its connection is
   * ended. (As the option of Nest's TCP transport.) What can wait, waits long before: handlers do not
   * begin, and AsyncIterables are not pulled, while a megabyte waits. 0 for any number. Default:
   * 134 217 728 bytes.
   */
  maxSendBufferSize: number;
}

/** The names of the {@link HandlingLimits}, with range and default. */
export const HANDLING_LIMITS: Readonly<Record<keyof HandlingLimits, NumericOption>> = {
  maxInFlight: { default: 1_024, lowest: 1, unit: 'handlers' },
  maxSendBufferSize: { default: 134_217_728, lowest: 0, unit: 'bytes' },
};

/** Checks options and fills in the defaults. @throws PikeError `PIKE_ERR_INVALID_OPTION` */
export function readHandlingLimits(
  owner: string,
  options: Partial<HandlingLimits>,
): HandlingLimits {
  return readNumbers(owner, options, HANDLING_LIMITS);
}
