import { PikeError } from '../../core/errors.js';
import type {
  Correlation,
  IncomingPacket,
  IncomingReply,
  PacketDeserializer,
  PacketSerializer,
  ReplyPacket,
  SentPacket,
} from './packets.js';

/** Options of {@link rawMessages}. */
export interface RawMessagesOptions<T> {
  /** Whether each message is a request, answered by one message; otherwise each is an event. */
  reply: boolean;
  /**
   * The message that tells a peer that its request has failed, or that its handler has returned
   * nothing. Default: none; since a protocol without one cannot say so, and the next reply would be
   * taken for this one's, the connection is ended instead.
   */
  error?: (err: unknown) => T;
}

/** What {@link rawMessages} gives: spread it into the options of a server or a client. */
export interface RawMessages<T> {
  serializer: PacketSerializer<SentPacket, T>;
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
  const errorReply = (err: unknown): T => {
    if (error !== undefined) return error(err);
    throw new PikeError(
      'PIKE_ERR_NO_ERROR_REPLY',
      'The handler failed, or returned nothing, and the protocol has no message to say so: give rawMessages an error option.',
      { cause: err },
    );
  };
  return {
    correlation: 'order',
    serializer: {
      serialize: (packet) => {
        if ('pattern' in packet) return packet.data as T;
        const { response, err } = packet as ReplyPacket;
        if (err !== undefined) return errorReply(err);
        return response === undefined ? errorReply(noReply()) : (response as T);
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

/** To leave a request without its reply would give it the reply of the next. */
function noReply(): Error {
  return new Error('The handler returned nothing, and every request needs a reply.');
}
