/*
 * Prevents: a subscriber to diagnostics that ends a connection in the middle of a change of its state, and
 * with it the process: the change went on with a connection that was closed.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { setTimeout } from 'node:timers/promises';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Connection, ConnectionDiagnostics, Connector } from 'nestjs-pike/core';
import type { ConnectionState } from '../../src/core/connection-state.js';
import { eventually } from '../support/eventually.js';
import { expectOneLife } from '../support/one-life.js';
import { stateOf } from '../support/state-path.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();
const STATES = 'nestjs-pike:connection';
let stop = (): unknown => undefined;
afterEach(() => void stop());

/** Has something done as soon as a connection is in a state. @returns the connection, then */
async function when(
  state: ConnectionState,
  act: (connection: Connection) => void,
  isMeant: (connection: Connection) => boolean,
): Promise<Connection> {
  return new Promise((resolve) => {
    const listener = (told: unknown): void => {
      const { connection, state: now } = told as ConnectionDiagnostics;
      if (now !== state || !isMeant(connection)) return;
      act(connection);
      resolve(connection);
    };
    subscribe(STATES, listener);
    stop = () => unsubscribe(STATES, listener);
  });
}

/** Those of a connector. */
const of =
  (connector: Connector<string>) =>
  (connection: Connection): boolean =>
    connector.has(connection);

type End = (connector: Connector<string>, connection: Connection) => void;
const ENDS: Record<string, End> = {
  'at once': (connector, connection) => connector.disconnect(connection, { now: true }),
  'behind what is queued': (connector, connection) =>
    connector.disconnect(connection, { finishQueues: true }),
  'with its connector': (connector) => void connector.shutdown({ now: true }),
};
const each = (...inStates: ConnectionState[]): [ConnectionState, string][] =>
  inStates.flatMap((state) =>
    Object.keys(ENDS).map((how): [ConnectionState, string] => [state, how]),
  );

describe('a connection that a subscriber ends while it is told of its state', () => {
  it.each(each('arriving', 'open', 'remoteEnded', 'finishing'))(
    'has one life, as an inbound one: %s, %s',
    async (state, how) => {
      const { connector, events, books } = await sockets.server({ allowHalfOpen: true });
      const told = when(state, (connection) => ENDS[how]?.(connector, connection), of(connector));
      const peer = await sockets.peer(addressOf(connector));
      if (state !== 'arriving' && state !== 'open') {
        const { connection } = await events.next('remoteConnect');
        connector.send(connection, 'the last');
        if (state === 'remoteEnded') peer.end();
        else connector.disconnect(connection, { finishQueues: true });
      }
      const connection = await told;
      await eventually(() => connection.ended);
      peer.end();
      await eventually(() => stateOf(connection) === 'closed');

      expectOneLife(connection, events.all);
      books.check();
    },
  );

  it.each(each('connecting', 'open'))(
    'has one life, as one that we dial: %s, %s',
    async (state, how) => {
      const listener = await sockets.listener();
      const { connector, events, books } = await sockets.client();
      const told = when(state, (connection) => ENDS[how]?.(connector, connection), of(connector));
      const connection = connector.connect(listener.address);
      connector.send(connection, 'the first');
      expect(await told).toBe(connection);
      if (state === 'open' || how === 'behind what is queued') (await listener.accept()).end();
      await eventually(() => stateOf(connection) === 'closed');

      expectOneLife(connection, events.all);
      books.check();
    },
  );

  it('is closed when it lingers', async () => {
    const { connector, connection, events, peer } = await sockets.accepted({ lingerTimeout: 1 });
    const told = when(
      'lingering',
      () => connector.disconnect(connection, { now: true }),
      (other) => other === connection,
    );
    connector.disconnect(connection, { finishQueues: true });
    await told;
    await eventually(() => stateOf(connection) === 'closed');

    expect(await events.next('finishDisconnect')).toMatchObject({ connection, queued: [] });
    expectOneLife(connection, events.all);
    await peer.ended;
    // Behind the time that it had for lingering: nothing is to come of that any more.
    await setTimeout(5);
  });
});
