import { expect } from '@jest/globals';
import type { Connection, ConnectorEvent } from 'nestjs-pike/core';
import { isLast } from './books.js';

const OPENINGS: ConnectorEvent['type'][] = ['remoteConnect', 'finishConnect'];

/**
 * Holds each connection to the order of its events: an opening, messages, at most one end, and
 * behind it nothing but rejected messages. Those whose events went elsewhere may lack some.
 */
export function expectOrderOfEvents(events: readonly ConnectorEvent<string>[]): void {
  for (const connection of new Set(events.map((event) => event.connection))) {
    const life = lifeOf(connection, events);
    expect(life.slice(1).filter(({ type }) => OPENINGS.includes(type))).toEqual([]);
    expect(life.slice(0, -1).filter(isLast)).toEqual([]);
  }
}

/** Holds the events of a connection that has ended, all on record, to the order: exactly one opening and one end. */
export function expectOneLife(
  connection: Connection,
  events: readonly ConnectorEvent<string>[],
): void {
  const life = lifeOf(connection, events);
  expectOrderOfEvents(life);
  expect(OPENINGS).toContain(life[0]?.type);
  expect(life.filter(isLast)).toHaveLength(1);
}

/** Its events, in order. Messages may be rejected at any time. */
function lifeOf(
  connection: Connection,
  events: readonly ConnectorEvent<string>[],
): ConnectorEvent<string>[] {
  return events.filter(
    (event) => event.connection === connection && event.type !== 'rejectedMessage',
  );
}
