import { PikeError } from '../../core/errors.js';
import { PikeServer } from '../server/pike-server.js';

/** A server, or why there is none. */
export type FoundServer = PikeServer | string;

/**
 * An object that is a server to everybody who uses it, from when the server exists.
 * @param find finds the server, at each use
 * @throws PikeError (at each use) `PIKE_ERR_NO_SERVER`
 */
export function standInFor(find: () => FoundServer, token: string): PikeServer {
  return new Proxy<PikeServer>(Object.create(PikeServer.prototype) as PikeServer, {
    get: (target, key) => {
      const server = find();
      if (typeof server === 'string') {
        // Nest asks every provider whether it is a promise or has hooks; a server has neither.
        if (key === 'constructor' || !(key in target)) return undefined;
        throw new PikeError('PIKE_ERR_NO_SERVER', `${token}.${String(key)}: ${server}`);
      }
      const value: unknown = Reflect.get(server, key);
      return typeof value === 'function' ? value.bind(server) : value;
    },
    set: (_target, key, value) => {
      const server = find();
      if (typeof server === 'string') {
        throw new PikeError('PIKE_ERR_NO_SERVER', `${token}.${String(key)}: ${server}`);
      }
      return Reflect.set(server, key, value);
    },
    has: (target, key) => key in target,
  });
}
