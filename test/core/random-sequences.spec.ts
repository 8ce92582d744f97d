/*
 * Prevents: a sequence of calls, peers and faults that nobody thought of, in which a connection
 * ends twice or never, a message has two fates, shutdown hangs, or an exception out of a socket's
 * callback ends the process.
 */
import { describe, expect, it } from '@jest/globals';
import type { Connection, ConnectorEvent, Endpoint, Finish, NetConnector } from 'nestjs-pike/core';
import { EventRecorder, acceptNobody } from '../support/event-recorder.js';
import { Random } from '../support/random.js';
import { RawPeer } from '../support/raw-peer.js';
import { nextTurn } from '../support/turns.js';
import { addressOf, unusedEndpoint, useSockets } from '../support/use-sockets.js';
import { WaywardConverter } from '../support/wayward-converter.js';

const sockets = useSockets();
const STEPS = 600;
const LARGE = 'x'.repeat(300_000);
const TERMINAL: ConnectorEvent['type'][] = ['finishDisconnect', 'remoteDisconnect'];

/** Does anything at all to the connections of one connector, one thing after the other. */
class Chaos {
  readonly events: EventRecorder<string>;
  readonly sent = new Map<Connection, Set<string>>();
  readonly withdrawn = new Set<string>();
  readonly peers: RawPeer[] = [];
  readonly #random: Random;
  readonly #connector: NetConnector<string>;
  readonly #endpoints: Endpoint[];
  #messages = 0;

  constructor(random: Random, connector: NetConnector<string>, endpoints: Endpoint[]) {
    this.#random = random;
    this.#connector = connector;
    this.#endpoints = endpoints;
    this.events = new EventRecorder(connector, acceptNobody);
  }

  /** The connections that were ever seen, ended ones included. */
  get connections(): Connection[] {
    return [...new Set([...this.#connector.connections, ...this.sent.keys(), ...this.#announced])];
  }

  get #announced(): Connection[] {
    return this.events.all.map(({ connection }) => connection);
  }

  step(): void {
    const random = this.#random;
    const connection = random.pick(this.connections) as Connection | undefined;
    const peer = random.pick(this.peers) as RawPeer | undefined;
    const [act] = [
      ...Array<() => void>(4).fill(() => this.#send(connection)),
      ...Array<() => void>(3).fill(() => peer?.write(this.#line())),
      ...Array<() => void>(3).fill(() => this.#accept()),
      () => this.#comePeer(),
      () => this.#dial(),
      () => this.#withdraw(connection),
      () => connection && this.#connector.disconnect(connection, this.finish()),
      () => peer?.end(),
      () => peer?.reset(),
      () => peer?.socket.destroy(),
      () => peer?.pause(),
      () => peer?.resume(),
      () => this.#merge(connection),
    ].toSorted(() => random.next() - 0.5);
    act?.();
  }

  finish(): Finish {
    const way = this.#random.pick([
      { now: true },
      { finishMessages: true },
      { finishQueues: true },
    ]);
    const deadline = this.#random.pick([undefined, undefined, 0, 1, 5, 60_000]);
    return { ...way, deadline } as Finish;
  }

  /** Merges what is still separate, so that every event is recorded. */
  async mergeAll(): Promise<void> {
    for (const connection of this.connections) this.#merge(connection);
    await nextTurn();
  }

  #send(connection: Connection | undefined): void {
    if (connection === undefined) return;
    const message = `${this.#random.pick(['', '', '', '~', '?', '!', '^'])}${++this.#messages} ${this.#random.pick(['', LARGE])}`;
    this.#sentOn(connection).add(message);
    this.#connector.send(connection, message);
  }

  #sentOn(connection: Connection): Set<string> {
    const sent = this.sent.get(connection) ?? new Set();
    this.sent.set(connection, sent);
    return sent;
  }

  #withdraw(connection: Connection | undefined): void {
    if (connection === undefined) return;
    const message = this.#random.pick([...this.#sentOn(connection), 'never given']);
    if (this.#connector.withdraw(connection, message)) this.withdrawn.add(message);
  }

  #line(): string {
    return this.#random.pick([
      'line\n',
      'line\n',
      'one\ntwo\nthr',
      '~slow\n',
      '?stuck\n',
      '!bad\n',
    ]);
  }

  #accept(): void {
    const arrivals = this.events.all.filter((event) => event.type === 'remoteConnect');
    const arrival = this.#random.pick(arrivals);
    try {
      arrival?.finishAccept({ separate: this.#random.below(3) === 0 });
    } catch (error) {
      expect(error).toMatchObject({ code: 'PIKE_ERR_ACCEPT_FINISHED' });
    }
  }

  #comePeer(): void {
    RawPeer.connect(addressOf(this.#connector)).then(
      (peer) => this.peers.push(peer),
      () => undefined,
    );
  }

  #dial(): void {
    const endpoint = this.#random.pick(this.#endpoints);
    const abortion = new AbortController();
    const connection = this.#connector.connect(endpoint, { signal: abortion.signal });
    this.#sentOn(connection);
    if (this.#random.below(4) === 0) setImmediate(() => abortion.abort());
  }

  #merge(connection: Connection | undefined): void {
    if (connection === undefined) return;
    try {
      this.#connector.merge(connection);
    } catch (error) {
      expect(error).toMatchObject({ code: 'PIKE_ERR_NOT_SEPARATE' });
    }
  }
}

/** The events of one connection: an opening, messages, exactly one end, and only rejections anywhere. */
function expectOneLife(all: readonly ConnectorEvent<string>[]): void {
  const life = all.filter(({ type }) => type !== 'rejectedMessage');
  const types = life.map(({ type }) => type);
  const [opening] = life;
  if (opening?.type === 'finishConnect' && !opening.success) {
    expect(types).toEqual(['finishConnect']);
    return;
  }
  expect(['finishConnect', 'remoteConnect']).toContain(opening?.type);
  expect(TERMINAL).toContain(types.at(-1));
  expect(types.slice(1, -1).filter((type) => type !== 'messageReceived')).toEqual([]);
}

/** Every message that came back, in whatever event. */
function returned(all: readonly ConnectorEvent<string>[]): string[] {
  return all.flatMap(broughtBack);
}

function broughtBack(event: ConnectorEvent<string>): readonly string[] {
  switch (event.type) {
    case 'rejectedMessage':
      return [event.message];
    case 'finishConnect':
      return event.queued;
    case 'finishDisconnect':
    case 'remoteDisconnect': {
      const { incomplete, queued, uncertain } = event;
      return [...(incomplete === undefined ? [] : [incomplete]), ...queued, ...uncertain];
    }
    case 'remoteConnect':
    case 'messageReceived':
      return [];
  }
}

describe.each([
  ['', {}],
  [' with allowHalfOpen', { allowHalfOpen: true }],
])('anything at all happening to many connections%s', (_, options) => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])(
    'leaves each with one end and each message with one fate (seed %d)',
    async (seed) => {
      const random = new Random(seed);
      const converter = new WaywardConverter(random);
      const listener = await sockets.listener();
      const connector = await sockets.running({
        ...options,
        converter,
        port: 0,
        host: '127.0.0.1',
        acceptTimeout: 50,
        lingerTimeout: 5,
        maxPendingEvents: 5,
      });
      const chaos = new Chaos(random, connector, [listener.address, await unusedEndpoint()]);
      sockets.defer(() => Promise.all(chaos.peers.map((peer) => peer.destroy())));
      const takePeers = async (): Promise<void> => {
        for (;;) chaos.peers.push(await listener.accept());
      };
      void takePeers();

      for (let step = 0; step < STEPS; step++) {
        chaos.step();
        if (random.below(3) === 0) await nextTurn();
      }
      void connector.shutdown({ finishQueues: true, deadline: 20 });
      await connector.shutdown(chaos.finish());
      await chaos.mergeAll();

      expect(chaos.connections.length).toBeGreaterThan(20);
      expect([...connector.connections]).toEqual([]);
      const received = new Set(chaos.peers.flatMap((peer) => peer.text.split('\n').slice(0, -1)));
      for (const connection of chaos.connections) {
        const all = chaos.events.all.filter((event) => event.connection === connection);
        expectOneLife(all);
        const fates = returned(all);
        const given = chaos.sent.get(connection) ?? new Set();
        expect(new Set(fates).size).toBe(fates.length);
        expect(fates.filter((message) => !given.has(message))).toEqual([]);
        expect(fates.filter((message) => chaos.withdrawn.has(message))).toEqual([]);
      }
      const back = new Set(returned(chaos.events.all.filter(isCertain)));
      expect([...received].filter((message) => back.has(message))).toEqual([]);
      expect([...received].filter((message) => chaos.withdrawn.has(message))).toEqual([]);
      expect(converter.ended).toBe(converter.created);
    },
  );
});

/** Whether an event says of its messages for certain that they were not sent. */
function isCertain(event: ConnectorEvent<string>): boolean {
  return !('uncertain' in event) || event.uncertain.length === 0;
}
