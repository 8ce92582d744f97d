import { PikeError } from '../core/errors.js';

/** The error for a message over `maxMessageBytes`. */
export function tooLarge(maxMessageBytes: number): PikeError {
  return new PikeError(
    'PIKE_ERR_MESSAGE_TOO_LARGE',
    `A message exceeds ${maxMessageBytes} bytes. Raise maxMessageBytes if such messages are expected.`,
  );
}
