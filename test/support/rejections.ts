import { isPikeError } from 'nestjs-pike/core';
import type { PikeError } from 'nestjs-pike/core';

/** What a call throws, or its promise rejects with; fails if that is no PikeError. */
export async function pikeErrorOf(run: () => unknown): Promise<PikeError> {
  try {
    await run();
  } catch (thrown) {
    if (isPikeError(thrown)) return thrown;
    throw thrown;
  }
  throw new Error('Nothing was thrown.');
}
