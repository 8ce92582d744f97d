/*
 * Prevents: replies lost to a peer that sends its request and ends its side, as `nc` and HTTP/1.0
 * clients do.
 */
import { describe, expect, it } from '@jest/globals';
import { inputHandled, nextTurn } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import type { Pair } from '../support/use-sockets.js';

const sockets = useSockets();
const LARGE = 'x'.repeat(1_000_000);
/** More than the system takes by itself: some ten. */
const MANY = 20;

/** A connection whose peer has ended its side, which the connector has noticed. */
async function halfOpen(options: Parameters<typeof sockets.accepted>[0] = {}): Promise<Pair> {
  const pair = await sockets.accepted({ allowHalfOpen: true, ...options });
  pair.peer.write('request\n');
  pair.peer.end();
  await pair.events.next('messageReceived');
  await pair.peer.finished;
  await inputHandled();
  return pair;
}

describe('with allowHalfOpen, a peer that has ended its side', () => {
  it('still gets replies, and the connection stays', async () => {
    const { connector, connection, events, peer } = await halfOpen();
    connector.send(connection, 'one');
    await peer.sees('one\n');
    connector.send(connection, 'two');
    await peer.sees('two\n');

    expect(events.types()).toEqual(['remoteConnect', 'messageReceived']);
    expect([...connector.connections]).toEqual([connection]);
  });

  it.each([{ now: true }, { finishMessages: true }, { finishQueues: true }] as const)(
    'gives RemoteDisconnect when we disconnect with %j',
    async (how) => {
      const { connector, connection, events, peer } = await halfOpen();
      connector.send(connection, 'reply');
      await peer.sees('reply\n');

      connector.disconnect(connection, how);

      expect(await events.next('remoteDisconnect')).toMatchObject({ queued: [], error: undefined });
      await peer.closed;
      await connector.shutdown({ finishQueues: true });
      expect(events.types()).toEqual(['remoteConnect', 'messageReceived', 'remoteDisconnect']);
    },
  );

  it('gets everything that is queued with finishQueues', async () => {
    const { connector, connection, events, peer } = await halfOpen({ peerReads: false });
    for (let i = 0; i < MANY; i++) connector.send(connection, LARGE);

    connector.disconnect(connection, { finishQueues: true });
    peer.resume();

    await peer.ended;
    expect(peer.bytesReceived).toBe(MANY * (LARGE.length + 1));
    expect(await events.next('remoteDisconnect')).toMatchObject({ queued: [] });
  });

  it('is cut off by a deadline, with what was not sent', async () => {
    const { connector, connection, events } = await halfOpen({ peerReads: false });
    for (let i = 0; i < MANY; i++) connector.send(connection, LARGE);

    connector.disconnect(connection, { finishQueues: true, deadline: 20 });

    const event = await events.next('remoteDisconnect');
    expect(event.error).toMatchObject({ code: 'PIKE_ERR_DEADLINE' });
    expect(event.queued.length).toBeGreaterThan(0);
  });

  it('may end while we are finishing: everything is still sent', async () => {
    const { connector, connection, events, peer } = await sockets.accepted({
      allowHalfOpen: true,
      peerReads: false,
    });
    for (let i = 0; i < MANY; i++) connector.send(connection, LARGE);
    connector.disconnect(connection, { finishQueues: true });
    peer.write('before the end\n');
    peer.end();
    await events.next('messageReceived');
    await peer.finished;
    await inputHandled();

    peer.resume();

    await peer.ended;
    expect(peer.bytesReceived).toBe(MANY * (LARGE.length + 1));
    await events.next('remoteDisconnect');
    expect(events.types()).toEqual(['remoteConnect', 'messageReceived', 'remoteDisconnect']);
  });

  it('is noticed when it is lost afterwards and we send', async () => {
    const { connector, connection, events, peer } = await halfOpen();
    peer.reset();
    await peer.closed;

    // The first write to a peer that is gone makes the system notice, a later one reports it.
    while (events.types().at(-1) === 'messageReceived') {
      connector.send(connection, 'anybody there?');
      await nextTurn();
    }

    expect(await events.next('remoteDisconnect')).toMatchObject({
      error: { code: 'PIKE_ERR_CONNECTION_LOST' },
    });
  });

  it('ends the connection at once when it ended in the middle of a message', async () => {
    const { events, peer } = await sockets.accepted({ allowHalfOpen: true });
    peer.write('hal');
    peer.end();

    expect(await events.next('remoteDisconnect')).toMatchObject({
      error: { code: 'PIKE_ERR_TRUNCATED' },
    });
    await peer.closed;
  });

  it('is closed by shutdown', async () => {
    const { connector, connection, events } = await halfOpen();
    await connector.shutdown({ finishQueues: true });

    expect(events.types(connection).at(-1)).toBe('remoteDisconnect');
  });
});

describe('without allowHalfOpen', () => {
  it('a peer that has ended its side ends the connection', async () => {
    const { connector, connection, events, peer } = await sockets.accepted();
    peer.write('request\n');
    peer.end();
    await events.next('remoteDisconnect');

    connector.send(connection, 'reply');

    expect(await events.next('rejectedMessage')).toMatchObject({ message: 'reply' });
  });
});
