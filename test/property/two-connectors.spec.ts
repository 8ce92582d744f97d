// Prevents: two connectors that disagree. What one reports as sent before it closed in good order is
// what the other has received, message by message; what it reports as not sent, the other never saw.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from 'nestjs-pike/core';
import type {
  Connection,
  Connector,
  ConnectorEvent,
  Converter,
  Deserializer,
  Endpoint,
  Finish,
  PutBytesResult,
  Serializer,
} from 'nestjs-pike/core';
import { LineConverter } from '../support/line-converter.js';
import { PROPERTY_TIMEOUT, propertyRuns } from '../support/property-runs.js';
import type { Transport } from '../support/transports/transport.js';
import { nextTurn } from '../support/turns.js';
import { TRANSPORTS } from './fate-case.js';

/** Lines, a few bytes at a time, with pauses; both ways. */
class SlowLineConverter implements Converter<string> {
  createSerializer(message: string): Serializer {
    const bytes = Buffer.from(`${message}\n`);
    const step = Math.ceil(bytes.length / 3);
    let at = 0;
    let waited = false;
    return {
      getBytes: (callback) => {
        // Not behind the last byte: the message would be incomplete although the peer has all of it.
        waited = !waited && bytes.length % 3 === 0 && at < bytes.length;
        if (waited) {
          setImmediate(callback);
          return WAIT_FOR_CALLBACK;
        }
        return bytes.subarray(at, (at += step));
      },
    };
  }

  createDeserializer(): Deserializer<string> {
    let message = '';
    let waited = false;
    return {
      get message() {
        return message;
      },
      putBytes: (data, callback): PutBytesResult => {
        waited = !waited && data.length % 3 === 0;
        if (waited) {
          setImmediate(callback);
          return [data, WAIT_FOR_CALLBACK];
        }
        const end = data.indexOf('\n');
        message += data.toString('latin1', 0, end === -1 ? data.length : end);
        return end === -1 ? [EMPTY, WAIT_FOR_MORE] : [data.subarray(end + 1), DONE];
      },
    };
  }
}

const EMPTY = Buffer.alloc(0);

/** How both serialize. */
interface Plan {
  inPieces: boolean;
  chunkBytes: number;
}

/** One of the two, and what it knows. */
class Side {
  readonly connector: Connector<string>;
  readonly given: string[] = [];
  readonly received: string[] = [];
  readonly notSent: string[] = [];
  readonly uncertain: string[] = [];
  /** What stands where, when it has ended. */
  end: Extract<ConnectorEvent, { type: 'finishDisconnect' | 'remoteDisconnect' }> | undefined;
  readonly ended: Promise<void>;
  readonly connected: Promise<void>;
  connection: Connection | undefined;
  #onEnded: () => void = () => {};
  #onConnected: () => void = () => {};

  /** @param listenAt unless it dials */
  constructor(transport: Transport, { inPieces, chunkBytes }: Plan, listenAt?: Endpoint) {
    this.connector = transport.createConnector<string>({
      converter: inPieces ? new SlowLineConverter() : new LineConverter(),
      chunkBytes,
      ...listenAt,
    });
    this.ended = new Promise((resolve) => (this.#onEnded = resolve));
    this.connected = new Promise((resolve) => (this.#onConnected = resolve));
    this.connector.subscribe((event) => this.#record(event));
  }

  get sent(): string[] {
    const not = new Set([...this.notSent, ...this.uncertain]);
    return this.given.filter((message) => !not.has(message));
  }

  send(lengths: readonly number[]): void {
    if (this.connection === undefined) return;
    for (const length of lengths) {
      const message = `${this.given.length}:${'x'.repeat(length)}`;
      this.given.push(message);
      this.connector.send(this.connection, message);
    }
  }

  #record(event: ConnectorEvent<string>): void {
    switch (event.type) {
      case 'remoteConnect':
        this.connection = event.connection;
        event.finishAccept();
        this.#onConnected();
        break;
      case 'finishConnect':
        this.connection = event.connection;
        this.#onConnected();
        break;
      case 'messageReceived':
        expect(this.end).toBeUndefined();
        this.received.push(event.message);
        break;
      case 'rejectedMessage':
        this.notSent.push(event.message);
        break;
      case 'finishDisconnect':
      case 'remoteDisconnect':
        if (event.incomplete !== undefined) this.notSent.push(event.incomplete);
        this.notSent.push(...event.queued);
        this.uncertain.push(...event.uncertain);
        this.end = event;
        this.#onEnded();
    }
  }
}

const lengths = fc.array(
  fc.oneof(fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 40_000 })),
  {
    maxLength: 10,
  },
);
const plans = fc.record({
  over: fc.constantFrom<(keyof typeof TRANSPORTS)[]>('TCP', 'TLS', 'unix', 'memory'),
  inPieces: fc.boolean(),
  chunkBytes: fc.constantFrom(16, 1000, 65_536),
  rounds: fc.array(fc.record({ client: lengths, server: lengths }), { minLength: 1, maxLength: 5 }),
  endedBy: fc.constantFrom('client' as const, 'server' as const, 'both' as const),
  how: fc.constantFrom<Finish[]>({ now: true }, { finishMessages: true }, { finishQueues: true }),
  afterwards: lengths,
});

describe('two connectors', () => {
  it(
    'agree on what was sent',
    async () => {
      await fc.assert(
        fc.asyncProperty(plans, async (plan) => {
          const transport = TRANSPORTS[plan.over];
          const place = await transport.findPlace();
          const server = new Side(transport, plan, place.endpoint);
          const client = new Side(transport, plan);
          await server.connector.run();
          await client.connector.run();
          client.connector.connect(server.connector.address as Endpoint);
          await Promise.all([client.connected, server.connected]);
          for (const round of plan.rounds) {
            client.send(round.client);
            server.send(round.server);
            await nextTurn();
          }
          const ending =
            plan.endedBy === 'both'
              ? [client, server]
              : [plan.endedBy === 'client' ? client : server];
          for (const { connector, connection } of ending) {
            if (connection !== undefined) connector.disconnect(connection, plan.how);
          }
          for (const side of [client, server]) side.send(plan.afterwards);
          await Promise.all([client.ended, server.ended]);
          await Promise.all([client, server].map((side) => side.connector.shutdown({ now: true })));
          await nextTurn();
          await place.remove();

          for (const [from, to] of [
            [client, server],
            [server, client],
          ] as const) {
            const most = [...from.sent, ...from.uncertain];
            expect(to.received).toEqual(most.slice(0, to.received.length));
          }
          const [first] = ending;
          // Closed in good order, by one side, nothing that was sent is lost.
          if (ending.length > 1 || first === undefined || 'now' in plan.how) return;
          const other = first === client ? server : client;
          expect(first.uncertain).toEqual([]);
          expect(first.end?.type).toBe('finishDisconnect');
          expect(first.end?.error).toBeUndefined();
          expect(other.end?.type).toBe('remoteDisconnect');
          expect(other.end?.error).toBeUndefined();
          expect(other.received).toEqual(first.sent);
        }),
        { ...propertyRuns(300), plugins: [fc.timeout(10_000)] },
      );
    },
    PROPERTY_TIMEOUT,
  );
});
