import { latin1Payload } from './latin1-payload.js';
import { invalidOption } from './options.js';
import type { PayloadCodec } from './payload-codec.js';
import { textPayload } from './text-payload.js';

const ENCODINGS = { utf8: textPayload, latin1: latin1Payload } as const;

/** How text stands on the wire: in UTF-8, or in ISO 8859-1, of which ASCII is a part. */
export type TextEncoding = keyof typeof ENCODINGS;

/**
 * Reads the option `encoding`.
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function readEncoding(
  owner: string,
  encoding: TextEncoding | undefined,
): PayloadCodec<string> {
  if (encoding !== undefined && !Object.hasOwn(ENCODINGS, encoding)) {
    throw invalidOption(owner, 'encoding', "must be 'utf8' or 'latin1'", encoding);
  }
  return ENCODINGS[encoding ?? 'utf8'];
}
