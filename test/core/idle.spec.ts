/*
 * Prevents: an idle connection that takes the memory of a busy one, so that a server with ten thousand
 * of them takes half as much again; and one that has done nothing yet behaving otherwise than the rest.
 */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { Connection, Connector } from 'nestjs-pike/core';
import { Inbox } from '../../src/core/inbound/inbox.js';
import { Outbox } from '../../src/core/outbound/outbox.js';
import { eventually } from '../support/eventually.js';
import { stateOf } from '../support/state-path.js';
import { inputHandled } from '../support/turns.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Recorded } from '../support/use-sockets.js';

const sockets = useSockets();
const PEERS = 20;

/** Looks on: whatever sends or receives is started as soon as its connection is open. */
const starts = () =>
  [jest.spyOn(Outbox.prototype, 'start'), jest.spyOn(Inbox.prototype, 'start')] as const;
let started: ReturnType<typeof starts>;
beforeEach(() => void (started = starts()));
afterEach(() => void jest.restoreAllMocks());

/** How many connections of this test have what sends, and what receives. */
function halves(): { outboxes: number; inboxes: number } {
  const [outboxes, inboxes] = started.map(({ mock }) => new Set<unknown>(mock.contexts).size);
  return { outboxes: outboxes as number, inboxes: inboxes as number };
}

/** A server with idle connections. */
async function idling(): Promise<Recorded & { connections: Connection[] }> {
  const server = await sockets.server();
  const connections = [];
  for (let i = 0; i < PEERS; i++) {
    await sockets.peer(addressOf(server.connector));
    const { connection } = await server.events.next('remoteConnect');
    connections.push(connection);
  }
  expect(connections.map(stateOf)).toEqual(connections.map(() => 'open'));
  return { ...server, connections };
}

describe('connections that are idle', () => {
  it('have nothing that sends or receives, also when somebody looks at them', async () => {
    const { connector, connections } = await idling();
    for (const connection of connections) {
      const { bytesRead, paused, separate, ended } = connection;
      expect({ bytesRead, paused, separate, ended }).toEqual({
        bytesRead: 0,
        paused: false,
        separate: false,
        ended: false,
      });
      expect(connector.has(connection)).toBe(true);
    }
    expect(halves()).toEqual({ outboxes: 0, inboxes: 0 });
  });

  it('have nothing that sends or receives, also if it was us who connected', async () => {
    const server = await sockets.server();
    const { connector, events } = await sockets.client();
    for (let i = 0; i < PEERS; i++) {
      connector.connect(addressOf(server.connector));
      await events.next('finishConnect');
      await server.events.next('remoteConnect');
    }
    expect([...connector.connections].map(stateOf)).toEqual(Array(PEERS).fill('open'));
    expect(halves()).toEqual({ outboxes: 0, inboxes: 0 });
  });

  it('have what sends from the first message on, and what receives from the first byte on', async () => {
    const { connector, events, connections } = await idling();
    const [first, second] = connections as [Connection, Connection];

    connector.send(first, 'to the first');
    await connector.flushed(first);
    expect(halves()).toEqual({ outboxes: 1, inboxes: 0 });

    const peer = await sockets.peer(addressOf(connector));
    const { connection: third } = await events.next('remoteConnect');
    peer.write('from the third\n');
    expect(await events.next('messageReceived')).toMatchObject({ connection: third });
    expect(halves()).toEqual({ outboxes: 1, inboxes: 1 });
    expect(second.bytesRead).toBe(0);
  });

  it('are ended without any being made', async () => {
    const { connector, events, connections } = await idling();
    for (const connection of connections) {
      connector.disconnect(connection, { now: true });
      await events.next('finishDisconnect');
    }
    await eventually(() => [...connector.connections].length === 0);
    expect(halves()).toEqual({ outboxes: 0, inboxes: 0 });
    expect(connections.map(stateOf)).toEqual(connections.map(() => 'closed'));
  });
});

describe('a connection that has ended before it sent or received anything', () => {
  const ENDS: Record<string, (connector: Connector<string>, connection: Connection) => void> = {
    'by us': (connector, connection) => connector.disconnect(connection, { now: true }),
    'by us, behind what there is to send': (connector, connection) =>
      connector.disconnect(connection, { finishQueues: true }),
  };

  async function ended(how: string): ReturnType<typeof sockets.accepted> {
    const pair = await sockets.accepted();
    const { connector, connection, events, peer } = pair;
    const end = ENDS[how];
    if (end === undefined) peer.end();
    else end(connector, connection);
    await events.next(end === undefined ? 'remoteDisconnect' : 'finishDisconnect');
    peer.end();
    await eventually(() => stateOf(connection) === 'closed');
    return pair;
  }

  it.each([...Object.keys(ENDS), 'by its peer'])(
    'answers every call as any other does: %s',
    async (how) => {
      const { connector, connection, events, books, peer } = await ended(how);

      expect(connection).toMatchObject({ bytesRead: 0, ended: true });
      await connector.flushed(connection);
      await connector.drained(connection);
      expect(connector.withdraw(connection, 'never given')).toBe(false);
      connector.pause(connection);
      connector.resume(connection);
      connector.disconnect(connection, { finishQueues: true, deadline: 1 });

      expect(connector.send(connection, 'late')).toBe(false);
      expect(await events.next('rejectedMessage')).toMatchObject({
        message: 'late',
        error: { code: 'PIKE_ERR_DISCONNECTED' },
      });
      await connector.flushed(connection);
      const fates = await books.fatesSeenBy(peer, connection);
      expect(fates).toMatchObject({ rejected: ['late'], sent: [], queued: [] });
      expect(events.types().slice(2)).toEqual(['rejectedMessage']);
      await connector.shutdown({ now: true });
    },
  );
});

describe('a connection that has not received anything', () => {
  it('is paused and resumed as any other is', async () => {
    const { connector, connection, events, peer } = await sockets.accepted();
    connector.pause(connection);
    expect(connection.paused).toBe(true);
    connector.resume(connection);
    expect(connection.paused).toBe(false);
    connector.pause(connection);
    peer.write('read on\n');
    for (let i = 0; i < 5; i++) await inputHandled();
    expect(events.types()).toEqual(['remoteConnect']);
    connector.resume(connection);
    expect(await events.next('messageReceived')).toMatchObject({ message: 'read on' });
  });
});
