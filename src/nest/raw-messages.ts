import { PikeError } from '../core/errors.js';
import type {
  Correlation,
  IncomingPacket,
  IncomingReply,
  OutgoingPacket,
  PacketDeserializer,
  PacketSerializer,
  ReplyPacket,
} from './packets.js';

/** Options of {@link rawMessages}. */
export interface RawMessagesOptions<T> {
  /** Whether each message is a request, answered by one message; otherwise each is an event. */
  reply: boolean;
  /**
   * The message that tells a peer that its request has failed. Default: none; since a protocol
   * without one cannot say so, and the next reply would be taken for this one's, the connection is
   * ended instead.
   */
  error?: (err: unknown) => T;
}

/** What {@link rawMessages} gives: spread it into the options of a server or a client. */
export interface RawMessages<T> {
  serializer: PacketSerializer<ReplyPacket | OutgoingPacket, T>;
  deserializer: PacketDeserializer<IncomingPacket & IncomingReply, T>;
  correlation: Correlation;
}

/**
 * For protocols without patterns: each message goes to the handlers of one pattern, and replies come
 * back in order. The same pair serves both sides:
 *
 * ```ts
 * new PikeServer({ port: 4000, converter, ...rawMessages('double', { reply: true }) });
 * ```
 */
export function rawMessages<T>(pattern: string, options: RawMessagesOptions<T>): RawMessages<T> {
  const { reply, error } = options;
  return {
    correlation: 'order',
    serializer: {
      serialize: (packet) => {
        if ('pattern' in packet) return packet.data as T;
        if (!('err' in packet) || packet.err === undefined) {
          return (packet as ReplyPacket).response as T;
        }
        if (error !== undefined) return error(packet.err);
        throw new PikeError(
          'PIKE_ERR_NO_ERROR_REPLY',
          'The handler failed, and the protocol has no message to say so: give rawMessages an error option.',
          { cause: packet.err },
        );
      },
    },
    deserializer: {
      // A server reads the first three fields, a client the others.
      deserialize: (message) => ({
        pattern,
        data: message,
        id: reply ? 0 : undefined,
        response: message,
        isDisposed: true,
      }),
    },
  };
}
