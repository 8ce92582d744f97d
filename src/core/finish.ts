import { inspect } from 'node:util';
import { PikeError } from './errors.js';

/**
 * How a connection is finished: exactly one of three ways is `true` (Pike's README, Starting and
 * Stopping).
 *
 * - `now`: closed immediately; a partly sent message and all queued ones come back;
 * - `finishMessages`: what has been handed to the system is finished; the rest comes back;
 * - `finishQueues`: everything is sent first.
 *
 * `deadline` (ms, default none) turns what is left into `now` when it has passed; of several, the
 * soonest counts.
 */
export type Finish = ({ now: true } | { finishMessages: true } | { finishQueues: true }) & {
  deadline?: number;
};

/** The three ways, the gentlest first: a later request may only make a connection end sooner. */
export const FINISH_WAYS = ['finishQueues', 'finishMessages', 'now'] as const;

/** One of the three ways to finish. */
export type FinishWay = (typeof FINISH_WAYS)[number];

/** Which of two ways ends sooner. */
export function soonerWay(one: FinishWay, other: FinishWay): FinishWay {
  return FINISH_WAYS.indexOf(one) > FINISH_WAYS.indexOf(other) ? one : other;
}

/**
 * Reads a {@link Finish}.
 * @throws PikeError `PIKE_ERR_INVALID_FINISH` unless exactly one way is `true` and nothing else is given
 */
export function readFinish(how: Finish): { way: FinishWay; deadline: number | undefined } {
  const given = (how ?? {}) as Record<string, unknown>;
  const ways = FINISH_WAYS.filter((way) => given[way] === true);
  const stray = Object.keys(given).filter(
    (key) =>
      key !== 'deadline' &&
      !(FINISH_WAYS.includes(key as FinishWay) && typeof given[key] === 'boolean'),
  );
  const { deadline } = given;
  const [way] = ways;
  if (way === undefined || ways.length > 1 || stray.length > 0) {
    throw new PikeError(
      'PIKE_ERR_INVALID_FINISH',
      `Exactly one of { now: true }, { finishMessages: true } and { finishQueues: true } must be given, ` +
        `with an optional deadline; got ${inspect(how, { depth: 0 })}.`,
    );
  }
  if (deadline !== undefined && !(typeof deadline === 'number' && deadline >= 0)) {
    throw new PikeError(
      'PIKE_ERR_INVALID_FINISH',
      `deadline must be a number of milliseconds, 0 or more; got ${String(deadline)}.`,
    );
  }
  return { way, deadline };
}
