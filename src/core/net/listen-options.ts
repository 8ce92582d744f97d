import { isPort, pathProblem, showEndpoint } from '../endpoint.js';
import { PikeError, describeThrown } from '../errors.js';
import { checkType, invalidOption } from '../options.js';

/** Where to listen: at a port, of one host or of every one that there is, or at a path. */
export type ListenOn = { path: string } | { port: number; host: string | undefined };

/** The names of the options that say where to listen. */
export const LISTEN_OPTIONS = ['port', 'host', 'path'];

/**
 * Checks the options that say where to listen.
 * @param owner whose options they are, for the error message
 * @returns `undefined`: not at all
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option
 */
export function readListenOptions(
  owner: string,
  { port, host, path }: { port?: number; host?: string; path?: string },
): ListenOn | undefined {
  if (port !== undefined && !isPort(port, 0)) {
    throw invalidOption(
      owner,
      'port',
      `must be a whole number from 0 to 65535; got ${String(port)}`,
    );
  }
  if (path !== undefined) {
    checkType(owner, 'path', path, 'string');
    const problem = pathProblem(path);
    if (problem !== undefined) throw invalidOption(owner, 'path', problem);
    if (port !== undefined) {
      throw invalidOption(owner, 'path', 'cannot be given together with port');
    }
  }
  if (host !== undefined) {
    checkType(owner, 'host', host, 'string');
    // Node would take it for every address of the machine.
    if (host === '') throw invalidOption(owner, 'host', 'must not be empty');
    if (port === undefined) throw invalidOption(owner, 'host', 'needs a port to listen on');
  }
  return path !== undefined ? { path } : port !== undefined ? { port, host } : undefined;
}

/** Listening was not possible. @param cause the system's error */
export function listenFailed(listenOn: ListenOn, cause: unknown): PikeError {
  const where = 'path' in listenOn ? listenOn : { host: listenOn.host ?? '*', port: listenOn.port };
  return new PikeError(
    'PIKE_ERR_LISTEN_FAILED',
    `Could not listen on ${showEndpoint(where)}: ${describeThrown(cause)}`,
    { cause },
  );
}
