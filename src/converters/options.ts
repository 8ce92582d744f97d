import { PikeError } from '../core/errors.js';

/**
 * Refuses option names that a converter does not know, so that a misspelt one is not ignored.
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function refuseUnknownOptions(
  owner: string,
  options: object,
  known: readonly string[],
): void {
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) {
      throw new PikeError(
        'PIKE_ERR_INVALID_OPTION',
        `${owner} has no option "${name}"; it knows ${known.join(', ')}.`,
      );
    }
  }
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
    throw new PikeError(
      'PIKE_ERR_INVALID_OPTION',
      `maxDepth of ${owner} must be an integer from 1 to ${MOST_MAX_DEPTH}; got ${String(maxDepth)}.`,
    );
  }
  return maxDepth;
}
