import { jest } from '@jest/globals';
import { Logger } from '@nestjs/common';

/**
 * Keeps the errors and warnings of Nest's logger out of the output, until `jest.restoreAllMocks()`.
 * @param log called with each instead
 */
export function muteLogger(log: (entry: unknown) => void = () => undefined): void {
  for (const level of ['error', 'warn'] as const) {
    jest.spyOn(Logger.prototype, level).mockImplementation(log);
  }
}
