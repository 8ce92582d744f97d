/*
 * Prevents: code that goes on with a peer once it is accepted beginning too early, or waiting for
 * ever for a peer that was not.
 */
import { describe, expect, it } from '@jest/globals';
import type { Connector, RemoteConnectEvent } from 'nestjs-pike/core';
import { useSockets } from '../support/use-sockets.js';
import type { Arrival } from '../support/use-sockets.js';

const sockets = useSockets();

/** What somebody does who was told of a peer before it was accepted. */
async function greet(connector: Connector<string>, event: RemoteConnectEvent): Promise<string> {
  if (!(await event.accepted)) return 'not accepted';
  const { connection } = event;
  connector.send(connection, 'Who are you?');
  const answer = await connector.receiveFrom(connection);
  if (answer?.type !== 'messageReceived') return answer?.type ?? 'merged';
  connector.merge(connection);
  return answer.message;
}

describe('accepted', () => {
  it('lets somebody go on with a separate connection as soon as it is open', async () => {
    const { connector, events, event, peer } = await sockets.arrived();
    peer.write('Ann\n');
    const greeted = greet(connector, event);

    event.finishAccept({ separate: true });
    peer.write('hello\n');

    expect(await greeted).toBe('Ann');
    expect(await events.next('messageReceived')).toMatchObject({ message: 'hello' });
    expect(await peer.sees('\n')).toBe('Who are you?\n');
  });

  it('can be asked for when it is long decided, and says the same', async () => {
    const { connector, event, peer } = await sockets.arrived();
    event.finishAccept();
    await peer.destroy();
    await connector.shutdown({ now: true });

    expect(await event.accepted).toBe(true);
  });

  it.each<[string, (arrival: Arrival) => unknown]>([
    ['acceptTimeout has passed', ({ events }) => events.next('finishDisconnect')],
    [
      'it is disconnected',
      ({ connector, event }) => connector.disconnect(event.connection, { finishQueues: true }),
    ],
    ['the connector is shut down', ({ connector }) => connector.shutdown({ finishQueues: true })],
  ])('is false when %s, and finishAccept does not change it', async (_, end) => {
    const arrival = await sockets.arrived({ acceptTimeout: 30 });
    const { connector, event, peer } = arrival;
    const greeted = greet(connector, event);

    await end(arrival);

    expect(await greeted).toBe('not accepted');
    expect(event.finishAccept({ separate: true })).toBe(false);
    expect(await event.accepted).toBe(false);
    await peer.ended;
    expect(peer.text).toBe('');
  });

  it.each(['end', 'reset'] as const)(
    'is true for a peer that has left (%s): its end comes by receiveFrom',
    async (leave) => {
      const { connector, events, event, peer } = await sockets.arrived();
      const greeted = greet(connector, event);
      peer[leave]();
      if (leave === 'reset') await peer.closed;

      event.finishAccept({ separate: true });

      expect(await greeted).toBe('remoteDisconnect');
      expect(events.types()).toEqual(['remoteConnect']);
    },
  );

  it('is true for a connection that ends in the turn in which it is accepted', async () => {
    const { connector, event } = await sockets.arrived();
    const greeted = greet(connector, event);

    event.finishAccept({ separate: true });
    connector.disconnect(event.connection, { now: true });

    expect(await greeted).toBe('finishDisconnect');
    expect(await connector.receiveFrom(event.connection)).toMatchObject({
      type: 'rejectedMessage',
      message: 'Who are you?',
    });
  });
});
