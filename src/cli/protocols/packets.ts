import type { Packet, Protocol } from './protocol.js';

/** The packet that a message stands for. @throws what the deserializer throws (rejection) */
export async function packetOf({ deserializer }: Protocol, message: unknown): Promise<Packet> {
  const packet = deserializer === undefined ? message : await deserializer.deserialize(message);
  return typeof packet === 'object' && packet !== null ? packet : {};
}

/**
 * The message that stands for a packet; `undefined` if the protocol has none for it.
 * @throws what the serializer throws (rejection)
 */
export async function messageOf({ serializer }: Protocol, packet: Packet): Promise<unknown> {
  return serializer === undefined ? packet : serializer.serialize(packet);
}

/** Whether a request has an id by which it can be cancelled. */
export function hasIds({ hasPackets, correlation = 'id' }: Protocol): boolean {
  return hasPackets && correlation === 'id';
}

/** Whether a peer can be asked for a sign of life. */
export function isDefaultProtocol({ serializer, deserializer }: Protocol): boolean {
  return serializer === undefined && deserializer === undefined;
}
