import { isPath, ownProtocol } from './own-protocol.js';
import type { Protocol } from './protocol.js';
import { readyProtocol } from './ready-protocols.js';

/** The options about the protocol, as they are typed. */
export interface ProtocolOptions {
  converter: string;
  /** Messages stand for packets, whatever the converter is. */
  packets?: true;
  /** Messages are nothing but their own data. */
  raw?: true;
}

/** Loads what the options name. @throws CommandError (rejection) `USAGE` */
export async function loadProtocol({
  converter,
  packets,
  raw,
}: ProtocolOptions): Promise<Protocol> {
  const protocol = await (isPath(converter) ? ownProtocol(converter) : readyProtocol(converter));
  if (packets === true) return { ...protocol, hasPackets: true };
  return raw === true ? { ...protocol, hasPackets: false } : protocol;
}
