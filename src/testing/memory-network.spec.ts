// Prevents: connectors of one process that do not find each other, find somebody who no longer
// listens, or take a place that is another's.
import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import type { ConnectionEnds } from '../core/connection.js';
import { MemoryNetwork } from './memory-network.js';

function noOne(): void {}

function dial(
  network: MemoryNetwork,
  endpoint: Parameters<MemoryNetwork['dial']>[0],
): Promise<ConnectionEnds> {
  return new Promise((resolve, reject) => {
    network.dial(endpoint, resolve).once('error', reject);
  });
}

describe('MemoryNetwork', () => {
  it('brings who dials to who listens, and tells both where the other is', async () => {
    const network = new MemoryNetwork();
    const arrivals: ConnectionEnds[] = [];
    const { address } = network.listen({ port: 4000, host: undefined }, (_, ends) => {
      arrivals.push(ends);
    });
    expect(address).toEqual({ host: '127.0.0.1', port: 4000 });

    const ends = await dial(network, { host: 'localhost', port: 4000 });

    expect(ends).toEqual({
      local: { host: '127.0.0.1', port: expect.any(Number) },
      remote: address,
    });
    expect(arrivals).toEqual([{ local: address, remote: ends.local }]);
  });

  it('knows paths as well, at which only one side has a place', async () => {
    const network = new MemoryNetwork();
    const arrivals: ConnectionEnds[] = [];
    network.listen({ path: '/run/app.sock' }, (_, ends) => arrivals.push(ends));

    const ends = await dial(network, { path: '/run/app.sock' });

    expect(ends).toEqual({ local: undefined, remote: { path: '/run/app.sock' } });
    expect(arrivals).toEqual([{ local: { path: '/run/app.sock' }, remote: undefined }]);
  });

  it('picks ports that are free', () => {
    const network = new MemoryNetwork();
    const ports = Array.from({ length: 100 }, () =>
      network.listen({ port: 0, host: 'here' }, noOne),
    );
    const distinct = new Set(ports.map(({ address }) => JSON.stringify(address)));
    expect(distinct.size).toBe(100);
  });

  it('refuses a port when all have been taken', () => {
    const network = new MemoryNetwork();
    const take = (): unknown => network.listen({ port: 0, host: undefined }, noOne);
    for (let i = 49_152; i <= 65_535; i++) take();
    expect(take).toThrow('EADDRINUSE');
  });

  it('gives a place to one listener at a time, whatever host it names', () => {
    const network = new MemoryNetwork();
    const first = network.listen({ port: 4000, host: 'a' }, noOne);
    expect(() => network.listen({ port: 4000, host: 'b' }, noOne)).toThrow(
      'listen EADDRINUSE b:4000',
    );
    first.close();
    expect(network.listen({ port: 4000, host: 'b' }, noOne).address).toEqual({
      host: 'b',
      port: 4000,
    });
  });

  it('refuses who dials where nobody listens, or nobody does any more when its turn has come', async () => {
    const network = new MemoryNetwork();
    await expect(dial(network, { host: 'a', port: 1 })).rejects.toMatchObject({
      code: 'ECONNREFUSED',
      syscall: 'connect',
      message: 'connect ECONNREFUSED a:1',
    });
    await expect(dial(network, { path: '/nowhere' })).rejects.toMatchObject({ code: 'ENOENT' });
    const { close } = network.listen({ port: 1, host: undefined }, noOne);
    const dialled = dial(network, { host: 'a', port: 1 });
    close();
    await expect(dialled).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('tells nobody of who has given up before its turn', async () => {
    const network = new MemoryNetwork();
    let arrivals = 0;
    network.listen({ port: 1, host: undefined }, () => arrivals++);
    const socket = network.dial({ host: 'a', port: 1 }, noOne);
    socket.destroy();
    await once(socket, 'close');
    await dial(network, { host: 'a', port: 1 });
    expect(arrivals).toBe(1);
  });
});
