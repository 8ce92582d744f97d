import type { Converter } from '../../core/converter.js';
import { PikeError } from '../../core/errors.js';
import { MessagePackConverter } from '../../converters/message-pack.js';
import { isMap } from './packet-checks.js';
import type { PacketDeserializer, PacketSerializer } from './packets.js';

/**
 * The converter of the default protocol (docs/wire-protocol.md): 4 bytes of length, big-endian,
 * then one MessagePack map with the keys of Nest's own packets.
 */
export function createDefaultConverter(): Converter<unknown> {
  return new MessagePackConverter();
}

/** Packets are messages: nothing to do. */
export const PACKET_SERIALIZER: PacketSerializer<unknown, unknown> = {
  serialize: (packet) => packet,
};

/** Messages are packets, if they are maps at all. */
export const PACKET_DESERIALIZER: PacketDeserializer<object, unknown> = {
  deserialize: (message) => {
    if (isMap(message)) return message;
    throw new PikeError(
      'PIKE_ERR_MALFORMED',
      'A packet must be a map with the keys of Nest packets.',
    );
  },
};
