import type { SecureContextOptions } from 'node:tls';

/**
 * TLS options of which some are exchanged: what is given takes the place of what was, and what is not
 * given, or undefined, stays.
 */
export function exchange<Options extends SecureContextOptions>(
  options: Options,
  given: SecureContextOptions,
): Options {
  const changes = Object.entries(given).filter(([, value]) => value !== undefined);
  if (changes.length === 0) return options;
  const rest: Record<string, unknown> = Object.fromEntries(Object.entries(options));
  // Node takes this before any option that it could have been made of.
  delete rest['secureContext'];
  // These two say the same; given both, Node takes what is in the first.
  if (given.key !== undefined || given.cert !== undefined) delete rest['pfx'];
  if (given.pfx !== undefined) {
    delete rest['key'];
    delete rest['cert'];
  }
  return { ...rest, ...Object.fromEntries(changes) } as Options;
}
