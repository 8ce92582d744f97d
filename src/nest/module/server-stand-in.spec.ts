// Prevents: what is injected in place of a server is not the server to those who use it.
import { describe, expect, it } from '@jest/globals';
import { PikeServer } from '../server/pike-server.js';
import { standInFor } from './server-stand-in.js';
import type { FoundServer } from './server-stand-in.js';

const server = new PikeServer({ host: '127.0.0.1', port: 0, name: 'real' });

describe('the stand-in for a server', () => {
  it('is that server, with its accessors, methods and fields, from when there is one', async () => {
    let found: FoundServer = 'There is none yet.';
    const standIn = standInFor(() => found, 'PikeServer');
    expect(standIn).toBeInstanceOf(PikeServer);
    found = server;
    expect(standIn.address).toBeUndefined();
    expect(standIn.transportId).toBe(server.transportId);
    await new Promise<void>((resolve) => standIn.listen(() => resolve()));
    expect(standIn.address).toEqual(server.address);
    expect(standIn.unwrap()).toBe(server.unwrap());
    standIn.setTransportId?.(Symbol.for('another'));
    expect(server.transportId).toBe(Symbol.for('another'));
    standIn.transportId = Symbol.for('a third');
    expect(server.transportId).toBe(Symbol.for('a third'));
    await standIn.close();
    expect(server.address).toBeUndefined();
  });

  it('before that says so when it is used, but not when Nest looks at it', () => {
    const standIn = standInFor(() => 'There is none yet.', 'PikeServer(devices)');
    const error = {
      code: 'PIKE_ERR_NO_SERVER',
      message: expect.stringMatching(/^PikeServer\(devices\)\.\w+: There is none yet\.$/),
    };
    expect(() => standIn.address).toThrow(expect.objectContaining(error));
    expect(() => standIn.drain()).toThrow(expect.objectContaining(error));
    expect(() => {
      standIn.transportId = Symbol.for('x');
    }).toThrow(expect.objectContaining(error));
    for (const name of ['then', 'onModuleInit', 'onApplicationShutdown', 'constructor']) {
      expect(Reflect.get(standIn, name)).toBeUndefined();
    }
    expect(Reflect.get(standIn, Symbol.iterator)).toBeUndefined();
  });
});
