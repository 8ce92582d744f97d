import type { Converter } from '../../core/converter.js';
import { MOST_MS, invalidOption, readNumbers } from '../../core/options.js';
import type { NumericOption } from '../../core/options.js';
import type { CallSettings } from '../calls/calls.js';
import { readHandlingLimits } from '../handling/handling-options.js';
import type { HandlingLimits } from '../handling/handling-options.js';
import { PACKET_OPTIONS, readPacketOptions } from '../packets/packet-options.js';
import type { PacketOptions } from '../packets/packet-options.js';
import type { ReceivedPacket, SentPacket } from '../packets/packets.js';

/** Options of what both a server and a client do with a connection. */
export interface SessionOptions<Incoming, Outgoing, T> extends PacketOptions<
  Incoming,
  Outgoing,
  T
> {
  /**
   * After how long a silence a peer is asked for a sign of life, in ms; if it gives none within as
   * long again, it is disconnected with `PIKE_ERR_HEARTBEAT_TIMEOUT`. Any byte that arrives is one. So
   * connections whose other end is gone are found; `keepAliveDelay` takes far longer. Only with the
   * default protocol's packets: not with a `serializer` or `deserializer`. Default: 0, never; those
   * who ask us are always answered.
   */
  heartbeatInterval?: number;
}

/** The numeric options of a session. */
export const SESSION_LIMITS = {
  heartbeatInterval: { default: 0, lowest: 0, highest: MOST_MS, unit: 'ms' },
} as const satisfies Record<string, NumericOption>;

/** The names of the {@link SessionOptions}. */
export const SESSION_OPTIONS = [...PACKET_OPTIONS, 'heartbeatInterval'] as const;

/** How packets travel: as messages, and as requests with replies; and how many. */
export type SessionSettings<T> = CallSettings &
  HandlingLimits &
  Required<SessionOptions<ReceivedPacket, SentPacket, T>> & {
    /** Whether the protocol has pings and pongs. */
    readonly hasHeartbeats: boolean;
  };

/**
 * Checks the session options of a server or client and fills in the defaults.
 * @param converter `undefined` if the connector was made elsewhere: then nothing is known of it
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`
 */
export function readSessionSettings<T>(
  owner: string,
  options: SessionOptions<ReceivedPacket, SentPacket, T> & Partial<HandlingLimits>,
  converter: Converter<T> | undefined,
): SessionSettings<T> {
  const { serializer, deserializer } = options;
  const hasHeartbeats = serializer === undefined && deserializer === undefined;
  const { heartbeatInterval } = readNumbers(owner, options, SESSION_LIMITS);
  if (heartbeatInterval > 0 && !hasHeartbeats) {
    throw invalidOption(
      owner,
      'heartbeatInterval',
      'is for the packets of the default protocol: without a serializer and a deserializer of your own',
    );
  }
  return {
    ...readPacketOptions(owner, options),
    ...readHandlingLimits(owner, options),
    atomic: converter?.atomic === true,
    hasHeartbeats,
    heartbeatInterval,
  };
}
