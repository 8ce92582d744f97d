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
  const { host, port, path }: { host?: unknown; port?: unknown; path?: unknown } = endpoint ?? {};
  if (typeof path === 'string' && host === undefined && port === undefined) {
    const problem = pathProblem(path);
    if (problem !== undefined) throw notAnEndpoint(endpoint, `The path ${problem}.`);
    return { path };
  }
  if (typeof host === 'string' && host !== '' && isPort(port, 1) && path === undefined) {
    return { host, port };
  }
  throw notAnEndpoint(
    endpoint,
    'Give either { host, port }, with a port from 1 to 65535, or { path }.',
  );
}

/** What is wrong with the path of a unix-domain socket; `undefined` if nothing is. */
export function pathProblem(path: string): string | undefined {
  if (path === '') return 'must not be empty';
  // In front it is Linux's mark of an abstract socket.
  if (path.includes('\0', 1)) return 'must not contain a null character';
  if (Buffer.byteLength(path) <= MOST_PATH_BYTES) return undefined;
  return `must take at most ${MOST_PATH_BYTES} bytes: the system has no room for more`;
}

/** The room for a path in a socket's address, less its terminator. Node 20 cuts off the rest, silently. */
const MOST_PATH_BYTES =
  ({ linux: 107, win32: 255 } as Record<string, number>)[process.platform] ?? 103;

function notAnEndpoint(endpoint: unknown, advice: string): PikeError {
  return new PikeError(
    'PIKE_ERR_INVALID_ENDPOINT',
    `Not an endpoint: ${inspect(endpoint, { depth: 0 })}. ${advice}`,
  );
}

/** Whether a value is a port number, `lowest` (0 to listen on a free one, 1 to connect) or above. */
export function isPort(value: unknown, lowest: 0 | 1): value is number {
  return Number.isInteger(value) && (value as number) >= lowest && (value as number) <= 65_535;
}
