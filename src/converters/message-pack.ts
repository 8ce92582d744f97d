import { LengthPrefixedConverter } from './length-prefixed.js';
import type { MessagePackOptions } from './message-pack-payload.js';
import { messagePackPayload } from './message-pack-payload.js';

/**
 * Messages as one MessagePack value each, behind its length in bytes: four bytes, big-endian,
 * which do not count themselves. The default wire format of this library.
 *
 * Which values travel how, and what is refused with which error codes, is said at
 * `messagePackPayload` and `LengthPrefixedConverter`. The wire is not trusted: `T` is what you
 * expect, not what was checked.
 */
export class MessagePackConverter<T = unknown> extends LengthPrefixedConverter<T> {
  /** @throws PikeError `PIKE_ERR_INVALID_OPTION` */
  constructor(options: MessagePackOptions = {}) {
    super({ payload: messagePackPayload<T>(options) });
  }
}
