import { usageError } from './failure.js';
import type { Endpoint } from '../core/index.js';

/** An address as it is typed: where, and whether TLS is spoken there. */
export interface Address {
  endpoint: Endpoint;
  secure: boolean;
}

const FORMS = 'host:port, [ipv6]:port, tcp://host:port, tls://host:port or unix:/path/of.sock';

/**
 * Reads an address.
 * @param lowestPort 0 where a free port may be asked for, otherwise 1
 * @throws CommandError `USAGE`
 */
export function parseAddress(text: string, lowestPort: 0 | 1): Address {
  const path = /^unix:(?:\/\/)?(.+)$/.exec(text)?.[1];
  if (path !== undefined) return { endpoint: { path }, secure: false };
  const [, scheme, ipv6, name, digits] =
    /^(?:(tcp|tls):\/\/)?(?:\[([^\]]+)\]|([^:/[\]]+)):(\d{1,5})\/?$/.exec(text) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host === undefined || port < lowestPort || port > 65_535) {
    throw usageError(
      `"${text}" is no address. Write ${FORMS}, a port from ${lowestPort} to 65535.`,
    );
  }
  return { endpoint: { host, port }, secure: scheme === 'tls' };
}
