// Prevents: a client that is connected, closed, used and cut in an order that nobody has thought of
// leaves a caller waiting, a connection open, or itself of no further use.
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { isPikeError, PikeClient } from 'nestjs-pike';
import type { PikeClientStatus } from 'nestjs-pike';
import { echo, outcomeOf } from '../e2e/raw-server.js';
import { PacketPeer } from '../e2e/packet-peer.js';
import { eventually } from '../support/eventually.js';
import { PROPERTY_TIMEOUT, propertyRuns } from '../support/property-runs.js';
import { RawPeer } from '../support/raw-peer.js';
import { nextTurn } from '../support/turns.js';

/** Answers each request with its data, and can be stopped, started, and drop its connections. */
class EchoServer {
  readonly sockets = new Set<Socket>();
  #server: Server | undefined;
  #port = 0;

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    if (this.#server !== undefined) return;
    const server = createServer((socket) => {
      this.sockets.add(socket);
      socket.once('close', () => this.sockets.delete(socket));
      echo(PacketPeer.over(RawPeer.over(socket)));
    });
    this.#server = server;
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#port = (server.address() as { port: number }).port;
  }

  async stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    const closed = once(server, 'close');
    server.close();
    this.drop();
    await closed;
  }

  drop(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }
}

const STEPS = ['connect', 'close', 'send', 'emit', 'turn', 'drop', 'stop', 'start'] as const;
type Step = (typeof STEPS)[number];

const cases = fc.record({
  steps: fc.array(fc.constantFrom<Step>(...STEPS), { minLength: 1, maxLength: 40 }),
  reconnect: fc.constantFrom(
    false as const,
    { minDelay: 0, maxDelay: 2 },
    { minDelay: 0, maxDelay: 2, attempts: 1 },
  ),
});

/** What may follow upon each status. */
const NEXT: Record<PikeClientStatus | 'none', PikeClientStatus[]> = {
  none: ['connected', 'disconnected'],
  connected: ['reconnecting', 'disconnected'],
  reconnecting: ['connected', 'disconnected'],
  disconnected: ['connected'],
};

/** The outcomes of what a client was asked for. */
class Asked {
  readonly #client: PikeClient;
  readonly #outcomes: Promise<void>[] = [];

  constructor(client: PikeClient) {
    this.#client = client;
  }

  connect(): void {
    this.#outcomes.push(
      this.#client.connect().catch((error: unknown) => expect(isPikeError(error)).toBe(true)),
    );
  }

  send(): void {
    const number = this.#outcomes.length;
    this.#expect(outcomeOf(this.#client.send('echo', number)), [number]);
  }

  emit(): void {
    this.#expect(outcomeOf(this.#client.emit('noted', 1)), [undefined]);
  }

  close(): void {
    this.#outcomes.push(this.#client.close());
  }

  async settled(): Promise<void> {
    await Promise.all(this.#outcomes);
  }

  #expect(outcome: Promise<unknown>, success: unknown[]): void {
    this.#outcomes.push(
      outcome.then((result) => {
        if (!isPikeError(result)) expect(result).toEqual(success);
        else expect(['unsent', 'in-doubt']).toContain(result.delivery);
      }),
    );
  }
}

describe('whatever is done with a client, in whatever order', () => {
  beforeAll(() => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });
  afterAll(() => {
    jest.restoreAllMocks();
  });

  it(
    'every caller is told, nothing is left open, and it can be used again',
    async () => {
      const server = new EchoServer();
      await fc.assert(
        fc.asyncProperty(cases, async ({ steps, reconnect }) => {
          await server.start();
          const client = new PikeClient({ port: server.port, reconnect, lingerTimeout: 10 });
          const statuses: PikeClientStatus[] = [];
          client.status.subscribe((status) => statuses.push(status));
          const asked = new Asked(client);
          for (const step of steps) {
            if (step === 'turn') await nextTurn();
            else if (step === 'start' || step === 'stop') await server[step]();
            else if (step === 'drop') server.drop();
            else asked[step]();
          }
          await client.close();
          await asked.settled();
          await eventually(() => server.sockets.size === 0);
          statuses.reduce<PikeClientStatus | 'none'>((before, status) => {
            expect(NEXT[before]).toContain(status);
            return status;
          }, 'none');
          if (statuses.length > 0) expect(statuses.at(-1)).toBe('disconnected');

          await server.start();
          await client.connect();
          await expect(outcomeOf(client.send('echo', 'again'))).resolves.toEqual(['again']);
          await client.close();
          expect(statuses.slice(-2)).toEqual(['connected', 'disconnected']);
        }),
        propertyRuns(150),
      );
      await server.stop();
    },
    PROPERTY_TIMEOUT,
  );
});
