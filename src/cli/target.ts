import type { Endpoint, NetTlsOptions } from '../core/index.js';
import { parseAddress } from './address.js';
import { loadProtocol } from './protocols/load-protocol.js';
import type { ProtocolOptions } from './protocols/load-protocol.js';
import type { Protocol } from './protocols/protocol.js';
import { readTls } from './tls-files.js';
import type { TlsOptions } from './tls-files.js';

/** The options of every command that speaks a protocol somewhere. */
export interface TargetOptions extends ProtocolOptions, TlsOptions {
  maxMessageBytes?: number;
}

/** Where to speak, what, and how. */
export interface Target {
  endpoint: Endpoint;
  protocol: Protocol;
  /** Options of a connector. */
  connector: { tls?: NetTlsOptions; maxMessageBytes?: number };
}

/**
 * Reads what the options say.
 * @param lowestPort see `parseAddress`
 * @throws CommandError (rejection) `USAGE`
 */
export async function readTarget(
  address: string,
  options: TargetOptions,
  lowestPort: 0 | 1 = 1,
): Promise<Target> {
  const { endpoint, secure } = parseAddress(address, lowestPort);
  const tls = await readTls(options, secure);
  const { maxMessageBytes } = options;
  return { endpoint, protocol: await loadProtocol(options), connector: { tls, maxMessageBytes } };
}
