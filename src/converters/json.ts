import type { JsonOptions } from './json-payload.js';
import { jsonPayload } from './json-payload.js';
import { LengthPrefixedConverter } from './length-prefixed.js';

/**
 * Messages as JSON (RFC 8259) in UTF-8, each behind its length in bytes: four bytes, big-endian,
 * which do not count themselves.
 *
 * What cannot be decoded or encoded, and with which error codes, is said at `jsonPayload` and
 * `LengthPrefixedConverter`. The wire is not trusted: `T` is what you expect, not what was checked.
 */
export class JsonConverter<T = unknown> extends LengthPrefixedConverter<T> {
  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
  constructor(options: JsonOptions = {}) {
    super({ payload: jsonPayload<T>(options) });
  }
}
