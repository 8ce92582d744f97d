import { constants } from 'node:os';
import type { FinishWay } from '../core/finish.js';
import { FINISH_WAYS } from '../core/finish.js';
import { checkKnown, checkType, invalidOption, MOST_MS } from '../core/options.js';

/** How to shut down: in which way, and how long it may take. */
export interface PikeShutdownWay {
  /** Which of the three ways to shut down. Default: `'finishQueues'`. */
  mode?: FinishWay;
  /**
   * How long shutting down may take, waiting for handlers included, in ms; then what is left is
   * handled as by `'now'`. Default: 10 000 ms.
   */
  deadline?: number;
}

/** How a server or client shuts down when it is closed. */
export interface PikeShutdownOptions extends PikeShutdownWay {
  /**
   * Other ways for signals: `{ SIGINT: 'now', SIGTERM: { deadline: 25_000 } }`. What a signal leaves
   * out holds as without it. A server learns the signal from `PikeModule`, which must be imported.
   * Default: none.
   */
  signals?: Partial<Record<NodeJS.Signals, FinishWay | PikeShutdownWay>>;
}

/** A way with both parts. */
export type ShutdownWay = Required<PikeShutdownWay>;

/** Options with every default filled in. */
export interface ShutdownSettings extends ShutdownWay {
  readonly signals: ReadonlyMap<string, ShutdownWay>;
}

const STANDARD: ShutdownWay = { mode: 'finishQueues', deadline: 10_000 };

/** Checks options and fills in the defaults. @throws PikeError `PIKE_ERR_INVALID_OPTION` */
export function readShutdownOptions(
  owner: string,
  shutdown: PikeShutdownOptions,
): ShutdownSettings {
  checkType(owner, 'shutdown', shutdown, 'object');
  const { signals = {}, ...way } = shutdown;
  const settings = readShutdownWay(owner, 'shutdown', way, STANDARD, ['signals']);
  checkType(owner, 'shutdown.signals', signals, 'object');
  const ways = new Map<string, ShutdownWay>();
  for (const [signal, given] of Object.entries(signals)) {
    const name = `shutdown.signals.${signal}`;
    if (!Object.hasOwn(constants.signals, signal)) {
      throw invalidOption(owner, name, 'names no signal of this system');
    }
    const signalWay = typeof given === 'string' ? { mode: given } : given;
    ways.set(signal, readShutdownWay(owner, name, signalWay, settings));
  }
  return { ...settings, signals: ways };
}

/**
 * Checks a way and fills in what it leaves out.
 * @param also names that the message lists, besides its own
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function readShutdownWay(
  owner: string,
  name: string,
  way: PikeShutdownWay,
  standard: ShutdownWay,
  also: readonly string[] = [],
): ShutdownWay {
  checkType(owner, name, way, 'object');
  checkKnown(`${owner}: option "${name}"`, way, ['mode', 'deadline', ...also]);
  const { mode = standard.mode, deadline = standard.deadline } = way;
  if (!FINISH_WAYS.includes(mode)) {
    throw invalidOption(
      owner,
      `${name}.mode`,
      `must be one of ${FINISH_WAYS.join(', ')}; got ${mode}`,
    );
  }
  if (!Number.isInteger(deadline) || deadline < 0 || deadline > MOST_MS) {
    throw invalidOption(
      owner,
      `${name}.deadline`,
      `must be a whole number of ms from 0 to ${MOST_MS}; got ${String(deadline)}`,
    );
  }
  return { mode, deadline };
}

/** The way that holds for a signal, or without one. */
export function shutdownWayOf(settings: ShutdownSettings, signal: string | undefined): ShutdownWay {
  const { mode, deadline, signals } = settings;
  return (signal === undefined ? undefined : signals.get(signal)) ?? { mode, deadline };
}
