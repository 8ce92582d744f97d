/*
 * Prevents: a connection that the application has paused being read on, never being read again, or
 * losing what its peer sent meanwhile.
 */
import { describe, expect, it } from '@jest/globals';
import { once } from 'node:events';
import { eventually } from '../support/eventually.js';
import { inputHandled } from '../support/turns.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Pair } from '../support/use-sockets.js';

const sockets = useSockets();
const LINE = `${'x'.repeat(999)}\n`;
/** Far more than the system buffers for one connection. */
const FLOOD_LINES = 64 * 1024;
/** What may have been read already when `pause` is called. */
const MOST_READ = 128 * 1024;

/** Lets whatever would still arrive do so. */
async function quiet(): Promise<void> {
  for (let i = 0; i < 20; i++) await inputHandled();
}

/** A connection whose peer sends and sends, paused at the first message. */
async function flooded(): Promise<Pair & { lines: number; accepted: () => boolean }> {
  const pair = await sockets.accepted();
  let accepted = false;
  pair.peer.socket.write(LINE.repeat(FLOOD_LINES), () => (accepted = true));
  await pair.events.next('messageReceived');
  pair.connector.pause(pair.connection);
  const lines = pair.events.messages().length;
  return { ...pair, lines, accepted: () => accepted };
}

describe('a connection that is paused', () => {
  it('is not read: its peer is slowed down, and no more than was read already comes', async () => {
    const { events, lines, accepted } = await flooded();
    await quiet();

    expect(events.messages().length - lines).toBeLessThanOrEqual(MOST_READ / LINE.length);
    expect(accepted()).toBe(false);
  });

  it('delivers everything once it is resumed, in order, and then the end of its peer', async () => {
    const { connector, connection, events, peer } = await flooded();
    peer.end();
    await quiet();

    connector.resume(connection);

    expect(await events.next('remoteDisconnect')).toMatchObject({ error: undefined });
    expect(events.messages()).toHaveLength(FLOOD_LINES);
    expect(events.types().slice(-2)).toEqual(['messageReceived', 'remoteDisconnect']);
  });

  it('is paused once, however often it is told', async () => {
    const { connector, connection, events, peer } = await flooded();
    connector.pause(connection);
    connector.pause(connection);
    peer.end();

    connector.resume(connection);
    connector.resume(connection);

    await events.next('remoteDisconnect');
    expect(events.messages()).toHaveLength(FLOOD_LINES);
  });

  it('can be paused and resumed at every message', async () => {
    const pair = await sockets.accepted();
    const { connector, connection, events, peer } = pair;
    const lines = Array.from({ length: 2000 }, (_, index) => `line ${index}`);
    peer.write(lines.map((line) => `${line}\n`).join(''));
    for (const line of lines) {
      expect(await events.next('messageReceived')).toMatchObject({ message: line });
      connector.pause(connection);
      connector.resume(connection);
    }
    expect(events.messages()).toEqual(lines);
  });

  it('still sends', async () => {
    const { connector, connection, peer } = await flooded();

    connector.send(connection, 'slow down');

    await expect(peer.sees('slow down\n')).resolves.toContain('slow down');
    await expect(connector.flushed(connection)).resolves.toBeUndefined();
  });

  it('does not keep others from being read', async () => {
    const { connector, events } = await flooded();
    const other = await sockets.peer(addressOf(connector));
    other.write('hello\n');

    await eventually(() => events.messages().includes('hello'));
    expect(events.messages().length).toBeLessThan(FLOOD_LINES);
  });

  it.each([{ now: true }, { finishMessages: true }, { finishQueues: true }] as const)(
    'ends when it is told to, by %j, and is let go of',
    async (how) => {
      const { connector, connection, events, peer } = await flooded();
      connector.disconnect(connection, how);

      expect(await events.next('finishDisconnect')).toMatchObject({ connection });
      await peer.ended;
      peer.socket.destroy();
      await connector.shutdown({ now: true });
      expect([...connector.connections]).toEqual([]);
    },
  );

  it('sends what is queued before it is shut down', async () => {
    const { connector, connection, peer } = await flooded();
    connector.send(connection, 'goodbye');

    const shutDown = connector.shutdown({ finishQueues: true });

    await peer.sees('goodbye\n');
    await peer.ended;
    peer.socket.destroy();
    await expect(shutDown).resolves.toBeUndefined();
  });
});

describe('pausing before there is anything to read', () => {
  it('holds while connecting, and until it is resumed', async () => {
    const listener = await sockets.listener();
    const { connector, events } = await sockets.client();
    const connection = connector.connect(listener.address);
    connector.pause(connection);
    await events.next('finishConnect');
    const peer = await listener.accept();
    peer.write('early\n');
    await quiet();
    expect(events.messages()).toEqual([]);

    connector.resume(connection);

    expect(await events.next('messageReceived')).toMatchObject({ message: 'early' });
  });

  it('holds while arriving: accepting does not resume it', async () => {
    const { connector, events } = await sockets.server({}, (event) => {
      if (event.type !== 'remoteConnect') return;
      connector.pause(event.connection);
      event.finishAccept();
    });
    const peer = await sockets.peer(addressOf(connector));
    const { connection } = await events.next('remoteConnect');
    peer.write('early\n');
    await quiet();
    expect(events.messages()).toEqual([]);

    connector.resume(connection);

    expect(await events.next('messageReceived')).toMatchObject({ message: 'early' });
  });

  it('resuming a connection that nobody has paused does not read what must not be read', async () => {
    const { connector, events } = await sockets.server({}, (event) => {
      if (event.type === 'remoteConnect') connector.resume(event.connection);
    });
    const peer = await sockets.peer(addressOf(connector));
    const arrival = await events.next('remoteConnect');
    peer.write('early\n');
    await quiet();
    expect(events.messages()).toEqual([]);

    arrival.finishAccept();

    expect(await events.next('messageReceived')).toMatchObject({ message: 'early' });
  });
});

describe('pausing what cannot be paused', () => {
  it('does nothing to a connection that has ended', async () => {
    const { connector, connection, events, peer } = await sockets.accepted();
    connector.disconnect(connection, { now: true });
    await events.next('finishDisconnect');

    connector.pause(connection);
    connector.resume(connection);

    await peer.ended;
    await connector.shutdown({ now: true });
    connector.pause(connection);
    expect(events.types().at(-1)).toBe('finishDisconnect');
  });

  it('does not stop a connection that lingers from throwing away what its peer still sends', async () => {
    const { connector, connection, events, peer } = await sockets.accepted();
    connector.send(connection, 'last');
    connector.disconnect(connection, { finishQueues: true });
    await events.next('finishDisconnect');
    connector.pause(connection);

    peer.socket.write(LINE.repeat(FLOOD_LINES));
    peer.end();

    // Were it not read, the peer could not hand everything to its system.
    await once(peer.socket, 'finish');
    expect(events.messages()).toEqual([]);
  });

  it('refuses a connection of another connector', async () => {
    const { connection } = await sockets.accepted();
    const other = await sockets.running();

    for (const verb of ['pause', 'resume'] as const) {
      expect(() => other[verb](connection)).toThrow(
        expect.objectContaining({ code: 'PIKE_ERR_FOREIGN_CONNECTION' }),
      );
    }
  });
});
