import type { FinishWay } from '../core/finish.js';
import { FINISH_WAYS } from '../core/finish.js';
import { checkKnown, checkType, invalidOption } from '../core/options.js';

/** How a server or client shuts down when it is closed. */
export interface PikeShutdownOptions {
  /** Which of the three ways to shut down. Default: `'finishQueues'`. */
  mode?: FinishWay;
  /** How long shutting down may take, waiting for handlers included, in ms. Default: 10 000 ms. */
  deadline?: number;
}

/** Checks options and fills in the defaults. @throws PikeError `PIKE_ERR_INVALID_OPTION` */
export function readShutdownOptions(
  owner: string,
  shutdown: PikeShutdownOptions,
): Required<PikeShutdownOptions> {
  checkType(owner, 'shutdown', shutdown, 'object');
  checkKnown(`${owner}: option "shutdown"`, shutdown, ['mode', 'deadline']);
  const { mode = 'finishQueues', deadline = 10_000 } = shutdown;
  if (!FINISH_WAYS.includes(mode)) {
    throw invalidOption(
      owner,
      'shutdown.mode',
      `must be one of ${FINISH_WAYS.join(', ')}; got ${mode}`,
    );
  }
  if (!Number.isInteger(deadline) || deadline < 0) {
    throw invalidOption(
      owner,
      'shutdown.deadline',
      `must be a whole number of ms, 0 or more; got ${String(deadline)}`,
    );
  }
  return { mode, deadline };
}
