import { expect } from '@jest/globals';
import { Connection } from 'nestjs-pike/core';
import type { Connector, ConnectorEvent } from 'nestjs-pike/core';
import { Link } from '../../src/core/link/link.js';
import type { Account } from '../../src/core/outbound/outbound-queue.js';
import type { RawPeer } from './raw-peer.js';

/** The messages given to a connection, by what became of them. */
export type Fates = Record<Exclude<keyof Account, 'given'>, string[]>;

/**
 * Books on the messages of one connector, kept from outside: by what was given to it, and by what
 * its events bring back. What no event brings back was sent.
 */
export class Books {
  readonly #events: readonly ConnectorEvent<string>[];
  readonly #given = new Map<Connection, string[]>();
  readonly #withdrawn = new Map<Connection, string[]>();

  /** Watches a connector from now on. @param events all that it has posted, now and later */
  constructor(connector: Connector<string>, events: readonly ConnectorEvent<string>[]) {
    this.#events = events;
    const send = connector.send.bind(connector);
    connector.send = (connection, message) => {
      const answer = send(connection, message);
      append(this.#given, connection, message);
      return answer;
    };
    const withdraw = connector.withdraw.bind(connector);
    connector.withdraw = (connection, message) => {
      const answer = withdraw(connection, message);
      if (answer) append(this.#withdrawn, connection, message);
      return answer;
    };
  }

  /** Everything that was given to a connection. */
  given(connection: Connection): string[] {
    return this.#given.get(connection) ?? [];
  }

  /**
   * What became of the messages of a connection that has ended. Fails if one has two fates or the
   * fate of one that was never given is told, if they are out of order, or if the connection itself
   * counts otherwise.
   */
  fates(connection: Connection): Fates {
    const given = this.given(connection);
    const fates: Fates = {
      sent: [],
      incomplete: [],
      queued: [],
      uncertain: [],
      rejected: [],
      withdrawn: this.#withdrawn.get(connection) ?? [],
    };
    for (const event of this.#events) if (event.connection === connection) note(event, fates);
    fates.sent = without(given, Object.values(fates).flat());
    expect(fates.incomplete.length).toBeLessThanOrEqual(1);
    const inOrder = without(given, [...fates.rejected, ...fates.withdrawn]);
    // Of equal messages nobody can tell which was which.
    if (new Set(given).size === given.length) {
      const { sent, uncertain, incomplete, queued } = fates;
      expect([...sent, ...uncertain, ...incomplete, ...queued]).toEqual(inOrder);
    }
    expect({ ...accountOf(connection) }).toEqual({ given: given.length, ...countsOf(fates) });
    return fates;
  }

  /**
   * As {@link fates}, and held to what the peer has received, which is read to its end: all that was
   * sent, and of the rest nothing but the beginning of what is incomplete or uncertain. Messages are
   * lines.
   */
  async fatesSeenBy(peer: RawPeer, connection: Connection): Promise<Fates> {
    peer.resume();
    await peer.ended;
    const fates = this.fates(connection);
    const { sent, uncertain, incomplete } = fates;
    const most = lines([...sent, ...uncertain, ...incomplete]);
    const seen = peer.text;
    expect(seen.length).toBeGreaterThanOrEqual(lines(sent).length);
    expect(most.startsWith(seen)).toBe(true);
    return fates;
  }

  /** Holds every connection that has ended to its books, see {@link fates}. */
  check(): void {
    for (const connection of new Set([...this.#given.keys(), ...this.#withdrawn.keys()])) {
      if (this.#isWhole(connection)) {
        this.fates(connection);
        continue;
      }
      // Its events went elsewhere: to a queue of its own, or to the result of connectWaiting.
      const { given, ...others } = accountOf(connection);
      expect(Object.values(others).reduce((sum, count) => sum + count)).toBe(given);
      expect(given).toBe(this.given(connection).length);
    }
  }

  /** Whether the last event of a connection is on record. */
  #isWhole(connection: Connection): boolean {
    return this.#events.some((event) => event.connection === connection && isLast(event));
  }
}

/** How many messages met which fate. */
export function countsOf(fates: Fates): Record<keyof Fates, number> {
  const counts = Object.entries(fates).map(([fate, messages]) => [fate, messages.length]);
  return Object.fromEntries(counts) as Record<keyof Fates, number>;
}

/** Whether an event is the end of its connection. */
export function isLast(event: ConnectorEvent<string>): boolean {
  return event.type === 'finishConnect'
    ? !event.success
    : event.type === 'finishDisconnect' || event.type === 'remoteDisconnect';
}

function note(event: ConnectorEvent<string>, fates: Fates): void {
  switch (event.type) {
    case 'rejectedMessage':
      fates.rejected.push(event.message);
      break;
    case 'finishConnect':
      fates.queued.push(...event.queued);
      break;
    case 'finishDisconnect':
    case 'remoteDisconnect':
      if (event.incomplete !== undefined) fates.incomplete.push(event.incomplete);
      fates.queued.push(...event.queued);
      fates.uncertain.push(...event.uncertain);
      break;
    case 'remoteConnect':
    case 'messageReceived':
  }
}

/** What is left when others are taken away, each as often as it is there. */
function without(messages: readonly string[], others: readonly string[]): string[] {
  const left = new Map<string, number>();
  for (const message of others) left.set(message, (left.get(message) ?? 0) + 1);
  const rest = messages.filter((message) => {
    const count = left.get(message) ?? 0;
    if (count > 0) left.set(message, count - 1);
    return count === 0;
  });
  expect([...left].filter(([, count]) => count > 0)).toEqual([]);
  return rest;
}

/** The connection's own books. */
function accountOf(connection: Connection): Readonly<Account> {
  const facts = Connection.factsOf(connection);
  if (!(facts instanceof Link)) throw new Error('Not a connection of ours.');
  return facts.outbox.account;
}

function lines(messages: readonly string[]): string {
  return messages.map((message) => `${message}\n`).join('');
}

function append<Key, Item>(lists: Map<Key, Item[]>, key: Key, item: Item): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}
