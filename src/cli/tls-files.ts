import { readFile } from 'node:fs/promises';
import type { NetTlsOptions } from '../core/index.js';
import { usageError } from './failure.js';

/** The options about TLS, as they are typed. */
export interface TlsOptions {
  tls?: true;
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
}

/**
 * Reads the files that the options name.
 * @param secure whether the address asks for TLS
 * @returns `undefined` without TLS
 * @throws CommandError (rejection) `USAGE`
 */
export async function readTls(
  { tls, ca, cert, key, servername }: TlsOptions,
  secure: boolean,
): Promise<NetTlsOptions | undefined> {
  const files = { ca, cert, key };
  if (tls !== true && !secure) {
    const stray = Object.entries({ ...files, servername }).find(([, value]) => value !== undefined);
    if (stray === undefined) return undefined;
    throw usageError(`--${stray[0]} is for TLS: add --tls, or write the address as tls://.`);
  }
  if ((cert === undefined) !== (key === undefined)) {
    throw usageError('--cert and --key belong together: give both, or neither.');
  }
  const options: NetTlsOptions = {};
  for (const [name, path] of Object.entries(files) as [keyof typeof files, string | undefined][]) {
    if (path !== undefined) options[name] = await readPem(name, path);
  }
  if (servername !== undefined) options.servername = servername;
  return options;
}

async function readPem(name: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw usageError(`--${name} cannot be read: ${(cause as Error).message}.`, cause);
  }
}
