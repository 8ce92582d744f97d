import { invalidOption } from '../../core/options.js';
import { PACKET_DESERIALIZER, PACKET_SERIALIZER } from './default-protocol.js';
import type { Correlation, PacketDeserializer, PacketSerializer } from './packets.js';

/** How a server or client maps its packets to messages of the converter's type `T`. */
export interface PacketOptions<Incoming, Outgoing, T> {
  /** Turns packets into messages. Default: packets are messages. */
  serializer?: PacketSerializer<Outgoing, T>;
  /** Turns messages into packets. Default: messages are packets. */
  deserializer?: PacketDeserializer<Incoming, T>;
  /**
   * How replies find their requests: `'id'`, in any order, or `'order'`, one reply per request, in
   * request order. Default: `'id'`.
   */
  correlation?: Correlation;
}

/** The names of the {@link PacketOptions}. */
export const PACKET_OPTIONS = ['serializer', 'deserializer', 'correlation'] as const;

/** Checks options and fills in the defaults. @throws PikeError `PIKE_ERR_INVALID_OPTION` */
export function readPacketOptions<Incoming, Outgoing, T>(
  owner: string,
  options: PacketOptions<Incoming, Outgoing, T>,
): Required<PacketOptions<Incoming, Outgoing, T>> {
  const {
    serializer = PACKET_SERIALIZER as PacketSerializer<Outgoing, T>,
    deserializer = PACKET_DESERIALIZER as PacketDeserializer<Incoming, T>,
    correlation = 'id',
  } = options;
  if (typeof serializer?.serialize !== 'function') {
    throw invalidOption(owner, 'serializer', 'must be an object with a serialize method');
  }
  if (typeof deserializer?.deserialize !== 'function') {
    throw invalidOption(owner, 'deserializer', 'must be an object with a deserialize method');
  }
  if (correlation !== 'id' && correlation !== 'order') {
    throw invalidOption(
      owner,
      'correlation',
      `must be 'id' or 'order'; got ${String(correlation)}`,
    );
  }
  return { serializer, deserializer, correlation };
}
