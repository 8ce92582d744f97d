import { PikeError } from '../core/errors.js';

/**
 * The message, if it is a text.
 * @throws PikeError `PIKE_ERR_SERIALIZER` otherwise
 */
export function requireText(message: string): string {
  if (typeof message !== 'string') {
    throw new PikeError('PIKE_ERR_SERIALIZER', `A string can be sent; got ${typeof message}.`);
  }
  return message;
}
