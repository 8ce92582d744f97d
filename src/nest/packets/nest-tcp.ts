import type { JsonOptions } from '../../converters/json-payload.js';
import { NestTcpConverter } from '../../converters/nest-tcp.js';
import { PACKET_DESERIALIZER } from './default-protocol.js';
import type {
  PacketDeserializer,
  PacketSerializer,
  ReceivedPacket,
  SentPacket,
} from './packets.js';

/** What {@link nestTcp} gives: spread it into the options of a server or a client. */
export interface NestTcp {
  converter: NestTcpConverter<object>;
  serializer: PacketSerializer<SentPacket, object>;
  deserializer: PacketDeserializer<ReceivedPacket, object>;
}

/**
 * The protocol of Nest's built-in TCP transport, for talking to those who still use it: a
 * `PikeServer` with it serves `ClientTCP` clients, and a `PikeClient` calls `ServerTCP` servers.
 *
 * ```ts
 * new PikeServer({ port: 3000, ...nestTcp() });
 * ```
 *
 * That protocol has no word for cancelling a request: a server goes on with a stream that nobody
 * wants any more until the connection ends. Its own transport takes messages of up to 128 Mi
 * characters, so raise `maxMessageBytes` if yours are larger than 1 MiB.
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function nestTcp(options: JsonOptions = {}): NestTcp {
  return {
    converter: new NestTcpConverter(options),
    serializer: {
      // Nest would take a cancellation for an event without a pattern.
      serialize: (packet) => (packet.cancel === true ? undefined : packet),
    },
    deserializer: PACKET_DESERIALIZER,
  };
}
