// Prevents: a memory connector that is no drop-in for a NetConnector: options that it takes silently,
// endpoints that it does not find, or an account of messages that is not exact.
import { afterEach, describe, expect, it } from '@jest/globals';
import { EventRecorder, acceptNobody } from '../../test/support/event-recorder.js';
import { LineConverter } from '../../test/support/line-converter.js';
import { pikeErrorOf } from '../../test/support/rejections.js';
import type { Endpoint } from '../core/endpoint.js';
import { MemoryConnector } from './memory-connector.js';
import type { MemoryConnectorOptions } from './memory-connector.js';
import { MEMORY_PIPE_BYTES } from './memory-pipe.js';

const connectors: MemoryConnector<string>[] = [];
afterEach(async () => {
  await Promise.all(connectors.splice(0).map((connector) => connector.shutdown({ now: true })));
});

async function running(
  options: Partial<MemoryConnectorOptions<string>> = {},
): Promise<MemoryConnector<string>> {
  const connector = new MemoryConnector({ converter: new LineConverter(), ...options });
  connectors.push(connector);
  await connector.run();
  return connector;
}

describe('MemoryConnector', () => {
  it.each<[string, Partial<MemoryConnectorOptions<string>>, Endpoint]>([
    ['a port', { port: 4000 }, { host: 'localhost', port: 4000 }],
    ['a port and a host', { port: 4001, host: 'a' }, { host: 'b', port: 4001 }],
    ['a path', { path: '/run/app.sock' }, { path: '/run/app.sock' }],
  ])('is reached by another at %s', async (_, options, endpoint) => {
    const events = new EventRecorder(await running(options));
    const client = await running();

    const { connection, success } = await client.connectWaiting(endpoint);
    client.send(connection, 'hello');

    expect(success).toBe(true);
    expect(await events.next('messageReceived')).toMatchObject({ message: 'hello' });
  });

  it('reaches itself', async () => {
    const connector = await running({ port: 0 });
    const events = new EventRecorder(connector);
    connector.send(connector.connect(connector.address as Endpoint), 'echo');

    expect(await events.next('messageReceived')).toMatchObject({ message: 'echo' });
  });

  it('stalls at a known number of bytes, and accounts for every message exactly', async () => {
    const server = new EventRecorder(await running({ port: 4000 }), acceptNobody);
    const client = await running();
    const events = new EventRecorder(client);
    const connection = client.connect({ host: 'localhost', port: 4000 });
    const messages = Array.from({ length: 100 }, (_, index) => `${index} `.padEnd(999, 'x'));
    for (const message of messages) client.send(connection, message);
    const arrival = await server.next('remoteConnect');
    // Nothing is read before finishAccept.
    for (let i = 0; i < 10; i++) await new Promise((resolve) => setImmediate(resolve));

    client.disconnect(connection, { now: true });

    const whole = Math.floor(MEMORY_PIPE_BYTES / 1000);
    expect(await events.next('finishDisconnect')).toMatchObject({
      incomplete: messages[whole],
      queued: messages.slice(whole + 1),
      uncertain: [],
    });
    arrival.finishAccept();
    expect(await server.next('remoteDisconnect')).toMatchObject({
      error: { code: 'PIKE_ERR_TRUNCATED' },
    });
    expect(server.messages()).toEqual(messages.slice(0, whole));
  });

  it.each<[string, object]>([
    ['converter', { converter: undefined }],
    ['port', { port: 65_536 }],
    ['path', { path: '' }],
    ['path', { path: 'a', port: 1 }],
    ['host', { host: 'a' }],
    ['tls', { tls: {} }],
    ['chunkBytes', { chunkBytes: 0 }],
  ])('refuses a wrong option and names it: %s, %j', async (name, options) => {
    const make = (): unknown => new MemoryConnector({ converter: new LineConverter(), ...options });
    expect(await pikeErrorOf(make)).toMatchObject({
      code: 'PIKE_ERR_INVALID_OPTION',
      message: expect.stringMatching(`^MemoryConnector: option "${name}"`),
    });
  });
});
