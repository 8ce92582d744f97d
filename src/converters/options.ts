import { PikeError } from '../core/errors.js';
import type { PayloadCodec } from './payload-codec.js';

/**
 * Refuses options that are no object, and names that a converter does not know, so that a misspelt one
 * is not ignored.
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function refuseUnknownOptions(
  owner: string,
  options: object,
  known: readonly string[],
): void {
  if (typeof options !== 'object' || options === null) {
    throw new PikeError(
      'PIKE_ERR_INVALID_OPTION',
      `${owner} takes an object of options; got ${options === null ? 'null' : typeof options}.`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new PikeError(
        'PIKE_ERR_INVALID_OPTION',
        `${owner} has no option "${name}"; it knows ${known.join(', ')}.`,
      );
    }
  }
}

/** The error for a wrong option. */
export function invalidOption(owner: string, name: string, must: string, got: unknown): PikeError {
  return new PikeError(
    'PIKE_ERR_INVALID_OPTION',
    `${name} of ${owner} ${must}; got ${String(got)}.`,
  );
}

/**
 * Reads the option `payload`.
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function readPayload<T>(
  owner: string,
  payload: PayloadCodec<T> | undefined,
  standard: PayloadCodec<unknown>,
): PayloadCodec<T> {
  // Without a payload T is what the standard one gives.
  if (payload === undefined) return standard as PayloadCodec<T>;
  if (typeof payload?.encode !== 'function' || typeof payload.decode !== 'function') {
    throw invalidOption(
      owner,
      'payload',
      'must be a PayloadCodec, with encode and decode',
      payload,
    );
  }
  return payload;
}

/** How deeply values may nest when no `maxDepth` is given: `[[1]]` nests two deep. */
export const DEFAULT_MAX_DEPTH = 64;

/** The largest `maxDepth`: decoders recurse, and the stack must hold on every thread. */
export const MOST_MAX_DEPTH = 512;

/**
 * Reads the option `maxDepth`.
 * @throws PikeError `PIKE_ERR_INVALID_OPTION` unless it is an integer from 1 to {@link MOST_MAX_DEPTH}
 */
export function readMaxDepth(owner: string, maxDepth: number = DEFAULT_MAX_DEPTH): number {
  if (!Number.isInteger(maxDepth) || maxDepth < 1 || maxDepth > MOST_MAX_DEPTH) {
    throw invalidOption(
      owner,
      'maxDepth',
      `must be an integer from 1 to ${MOST_MAX_DEPTH}`,
      maxDepth,
    );
  }
  return maxDepth;
}
