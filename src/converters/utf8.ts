import { isUtf8 } from 'node:buffer';
import { PikeError } from '../core/errors.js';

/**
 * Decodes UTF-8 strictly: what `Buffer` would silently turn into U+FFFD is refused.
 * @throws PikeError `PIKE_ERR_MALFORMED`
 */
export function decodeUtf8(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  // Invalid input always leaves a U+FFFD, so the bytes are looked at again only when there is one
  // (which may have been sent as such). A text of Latin-1 characters is not even searched.
  if (text.includes('\uFFFD') && !isUtf8(bytes.subarray(start, end))) {
    throw new PikeError('PIKE_ERR_MALFORMED', 'A text is not valid UTF-8.');
  }
  return text;
}
