import type { Converter } from '../../core/converter.js';
import type { CallSettings } from '../calls/calls.js';
import { readPacketOptions } from '../packets/packet-options.js';
import type { PacketOptions } from '../packets/packet-options.js';
import type { ReceivedPacket, SentPacket } from '../packets/packets.js';

/** How packets travel: as messages, and as requests with replies. */
export type SessionSettings<T> = CallSettings &
  Required<PacketOptions<ReceivedPacket, SentPacket, T>>;

/**
 * Checks the packet options of a server or client and fills in the defaults.
 * @param converter `undefined` if the connector was made elsewhere: then nothing is known of it
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function readSessionSettings<T>(
  owner: string,
  options: PacketOptions<ReceivedPacket, SentPacket, T>,
  converter: Converter<T> | undefined,
): SessionSettings<T> {
  return {
    ...readPacketOptions(owner, options),
    atomic: converter?.atomic === true,
    sendsCancels: options.serializer === undefined,
  };
}
