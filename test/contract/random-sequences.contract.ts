/*
 * Prevents: a sequence of calls, peers and faults that nobody thought of, in which a connection
 * ends twice or never, a message has two fates, shutdown hangs, or an exception out of a socket's
 * callback ends the process.
 */
import { describe, expect, it } from '@jest/globals';
import type { Connection, Connector, Endpoint, Finish } from 'nestjs-pike/core';
import { acceptNobody } from '../support/event-recorder.js';
import type { EventRecorder } from '../support/event-recorder.js';
import { expectOneLife } from '../support/one-life.js';
import { Random } from '../support/random.js';
import type { RawPeer } from '../support/raw-peer.js';
import type { Transport } from '../support/transports/transport.js';
import { nextTurn } from '../support/turns.js';
import { addressOf, useSockets } from '../support/use-sockets.js';
import type { Recorded } from '../support/use-sockets.js';
import { WaywardConverter } from '../support/wayward-converter.js';

const STEPS = 600;

/** Does anything at all to the connections of one connector, one thing after the other. */
class Chaos {
  readonly peers: RawPeer[] = [];
  readonly #random: Random;
  readonly #transport: Transport;
  readonly #connector: Connector<string>;
  readonly #recorded: Recorded;
  readonly #events: EventRecorder<string>;
  readonly #endpoints: Endpoint[];
  readonly #coming: Promise<unknown>[] = [];
  readonly #dialled: Connection[] = [];
  readonly #large: string;
  #messages = 0;

  constructor(random: Random, transport: Transport, recorded: Recorded, endpoints: Endpoint[]) {
    this.#random = random;
    this.#transport = transport;
    this.#connector = recorded.connector;
    this.#recorded = recorded;
    this.#events = recorded.events;
    this.#endpoints = endpoints;
    this.#large = 'x'.repeat(transport.facts.overflow / 40);
  }

  /** The connections that were ever seen, ended ones included. */
  get connections(): Connection[] {
    const announced = this.#events.all.map(({ connection }) => connection);
    return [...new Set([...this.#connector.connections, ...this.#dialled, ...announced])];
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

  /** Closes every peer. */
  async close(): Promise<void> {
    await Promise.all(this.#coming);
    await Promise.all(this.peers.map((peer) => peer.destroy()));
  }

  #send(connection: Connection | undefined): void {
    if (connection === undefined) return;
    const whim = this.#random.pick(['', '', '', '~', '?', '!', '^']);
    const message = `${whim}${++this.#messages} ${this.#random.pick(['', this.#large])}`;
    this.#connector.send(connection, message);
  }

  #withdraw(connection: Connection | undefined): void {
    if (connection === undefined) return;
    const given = this.#recorded.books.given(connection);
    this.#connector.withdraw(connection, this.#random.pick([...given, 'never given']));
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
    const arrivals = this.#events.all.filter((event) => event.type === 'remoteConnect');
    const arrival = this.#random.pick(arrivals);
    try {
      arrival?.finishAccept({ separate: this.#random.below(3) === 0 });
    } catch (error) {
      expect(error).toMatchObject({ code: 'PIKE_ERR_ACCEPT_FINISHED' });
    }
  }

  #comePeer(): void {
    const coming = this.#transport.connectPeer(addressOf(this.#connector)).then(
      (peer) => this.peers.push(peer),
      () => undefined,
    );
    this.#coming.push(coming);
  }

  #dial(): void {
    const endpoint = this.#random.pick(this.#endpoints);
    const abortion = new AbortController();
    this.#dialled.push(this.#connector.connect(endpoint, { signal: abortion.signal }));
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

export function randomSequences(transport: Transport): void {
  const sockets = useSockets(transport);

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
        const nobody = await sockets.unusedEndpoint();
        const recorded = await sockets.server(
          {
            ...options,
            converter,
            acceptTimeout: 50,
            lingerTimeout: 5,
            maxPendingEvents: 5,
          },
          acceptNobody,
        );
        const { connector, events, books } = recorded;
        const chaos = new Chaos(random, transport, recorded, [listener.address, nobody]);
        sockets.defer(() => chaos.close());
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
          expectOneLife(connection, events.all);
          const { incomplete, queued, rejected, withdrawn } = books.fates(connection);
          const notSent = [...incomplete, ...queued, ...rejected, ...withdrawn];
          expect(notSent.filter((message) => received.has(message))).toEqual([]);
        }
        expect(converter.ended).toBe(converter.created);
      },
    );
  });
}
