import { inspect } from 'node:util';
import { PikeError } from './errors.js';

/** Where a connector listens or connects to: a TCP port of a host, or the path of a unix-domain socket. */
export type Endpoint = { host: string; port: number } | { path: string };

/** An endpoint as people write it: `127.0.0.1:4000`, `[::1]:4000` or `/run/app.sock`. */
export function showEndpoint(endpoint: Endpoint): string {
  if ('path' in endpoint) return endpoint.path;
  const { host, port } = endpoint;
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/**
 * Returns the endpoint if it is one.
 * @throws PikeError `PIKE_ERR_INVALID_ENDPOINT`
 */
export function checkEndpoint(endpoint: Endpoint): Endpoint {
  const given: { host?: unknown; port?: unknown; path?: unknown } = endpoint ?? {};
  if (typeof given.path === 'string' && given.path !== '' && given.port === undefined) {
    return { path: given.path };
  }
  if (typeof given.host === 'string' && given.host !== '' && isPort(given.port, 1)) {
    return { host: given.host, port: given.port };
  }
  throw new PikeError(
    'PIKE_ERR_INVALID_ENDPOINT',
    `Not an endpoint: ${inspect(endpoint, { depth: 0 })}. Give { host, port } with a port from 1 to 65535, or { path }.`,
  );
}

/** Whether a value is a port number, `lowest` (0 to listen on a free one, 1 to connect) or above. */
export function isPort(value: unknown, lowest: 0 | 1): value is number {
  return Number.isInteger(value) && (value as number) >= lowest && (value as number) <= 65_535;
}
