// Prevents: a request that the server acts on twice, one that is lost though its caller was told
// otherwise, one that is called safe to send again when the server has it, or one whose caller
// waits for ever: wherever the connection breaks, at whichever byte, and however often.
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import fc from 'fast-check';
import { isPikeError, PikeClient } from 'nestjs-pike';
import type { PikeError } from 'nestjs-pike';
import { lastValueFrom, toArray } from 'rxjs';
import { PROPERTY_TIMEOUT, propertyRuns } from '../support/property-runs.js';
import { Random } from '../support/random.js';
import { nextTurn } from '../support/turns.js';
import { CuttingServer } from './cutting-server.js';
import { BY_ID, IN_ORDER } from './wire-protocols.js';
import type { WireProtocol } from './wire-protocols.js';

type Outcome = 'answered' | 'sent' | 'cancelled' | PikeError;

interface Given {
  number: number;
  isRequest: boolean;
  outcome: Outcome | undefined;
}

interface Case {
  seed: number;
  calls: number;
  retryUnsent: boolean;
  bounded: boolean;
}

const cases: fc.Arbitrary<Case> = fc.record({
  seed: fc.integer(),
  calls: fc.integer({ min: 1, max: 60 }),
  retryUnsent: fc.boolean(),
  bounded: fc.boolean(),
});

const SIZES = [0, 10, 1000, 400_000, 2_500_000];

class Play {
  readonly given: Given[] = [];
  readonly server: CuttingServer;
  readonly #random: Random;
  readonly #protocol: WireProtocol;
  readonly #client: PikeClient;
  readonly #case: Case;

  private constructor(server: CuttingServer, random: Random, protocol: WireProtocol, each: Case) {
    this.server = server;
    this.#random = random;
    this.#protocol = protocol;
    this.#case = each;
    this.#client = new PikeClient({
      endpoints: [server.endpoint],
      reconnect: { minDelay: 0, maxDelay: 2 },
      retryUnsent: each.retryUnsent,
      lingerTimeout: 10,
      ...(each.bounded
        ? { maxOfflineMessages: 5, offlineTimeout: 3, maxQueuedMessages: 20 }
        : { maxOfflineMessages: 1000, offlineTimeout: 0 }),
      ...protocol.options,
    });
  }

  static async run(protocol: WireProtocol, each: Case): Promise<Play> {
    const random = new Random(each.seed);
    const server = await CuttingServer.listen(random, protocol);
    const play = new Play(server, random, protocol, each);
    await play.#run();
    await server.close();
    return play;
  }

  async #run(): Promise<void> {
    const random = this.#random;
    const settled: Promise<void>[] = [];
    for (let number = 0; number < this.#case.calls; number++) {
      settled.push(this.#give(number));
      for (let turns = random.below(random.pick([1, 4, 30])); turns > 0; turns--) await nextTurn();
    }
    this.server.beFaithful();
    // Behind everything that may still be sent. The connection may break once more on its way.
    for (let number = this.#case.calls; ; number++) {
      const mark = this.#give(number, true);
      await mark;
      settled.push(mark);
      if (this.given.at(-1)?.outcome === 'answered') break;
      await nextTurn();
    }
    await this.#client.close();
    await Promise.all(settled);
  }

  async #give(number: number, isMark = false): Promise<void> {
    const random = this.#random;
    const isRequest = isMark || random.below(3) > 0;
    const size = isMark ? 0 : random.below(random.pick(SIZES) + 1);
    const data = this.#protocol.data(number, isRequest, size);
    const given: Given = { number, isRequest, outcome: undefined };
    this.given.push(given);
    try {
      if (!isRequest) {
        await lastValueFrom(this.#client.emit('p', data));
        given.outcome = 'sent';
        return;
      }
      const timeout = !isMark && random.below(8) === 0 ? 1 + random.below(5) : 0;
      const request = this.#client.send('p', data, { timeout });
      if (!isMark && random.below(8) === 0) {
        await this.#cancelled(given, request.subscribe({ error: (e: unknown) => fail(given, e) }));
        return;
      }
      const values = await lastValueFrom(request.pipe(toArray()));
      expect(values.map((value) => this.#protocol.numberOf(value))).toEqual([number]);
      given.outcome = 'answered';
    } catch (thrown) {
      fail(given, thrown);
    }
  }

  async #cancelled(given: Given, subscription: { unsubscribe: () => void }): Promise<void> {
    for (let turns = this.#random.below(10); turns > 0; turns--) await nextTurn();
    subscription.unsubscribe();
    given.outcome ??= 'cancelled';
  }
}

function fail(given: Given, thrown: unknown): void {
  if (!isPikeError(thrown)) throw thrown;
  given.outcome = thrown;
}

/** What a request that was not sent may fail with though it would be sent again. */
const NOT_RESENT = new Set([
  // Before it was connected for the first time.
  'PIKE_ERR_CONNECT_FAILED',
  'PIKE_ERR_REQUEST_TIMEOUT',
  'PIKE_ERR_REMOTE_ENDED',
  'PIKE_ERR_CONNECTION_LOST',
]);

function check({ given, server }: Play, { retryUnsent, bounded }: Case): void {
  const timesSeen = new Map<number, number>();
  for (const number of server.seen) timesSeen.set(number, (timesSeen.get(number) ?? 0) + 1);
  // Never twice, and in the order in which they were given, over all connections.
  expect(server.seen).toEqual([...new Set(server.seen)].sort((one, other) => one - other));

  const counts = { answered: 0, sent: 0, cancelled: 0, unsent: 0, inDoubt: 0 };
  for (const { number, outcome } of given) {
    const seen = timesSeen.get(number) ?? 0;
    if (outcome === 'answered') {
      counts.answered++;
      expect({ number, seen }).toEqual({ number, seen: 1 });
    } else if (outcome === 'sent') counts.sent++;
    else if (outcome === 'cancelled') counts.cancelled++;
    else if (outcome?.delivery === 'in-doubt') counts.inDoubt++;
    else if (outcome?.delivery === 'unsent') {
      counts.unsent++;
      expect({ number, seen, code: outcome.code }).toMatchObject({ seen: 0 });
      // But if it was incomplete three times.
      if (retryUnsent && !bounded) expect(NOT_RESENT).toContain(outcome.code);
    } else throw new Error(`${number} has no fate: ${String(outcome)}`);
  }
  const { answered, sent, cancelled, unsent, inDoubt } = counts;
  expect(answered + sent + cancelled + unsent + inDoubt).toBe(given.length);
}

describe.each([
  ['by id', BY_ID],
  ['in order', IN_ORDER],
])('whatever befalls a connection whose replies come %s', (_, protocol) => {
  beforeAll(() => {
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  });
  afterAll(() => {
    jest.restoreAllMocks();
  });

  it(
    'every request and event meets one fate, and nothing is acted on twice',
    async () => {
      let cuts = 0;
      await fc.assert(
        fc.asyncProperty(cases, async (each) => {
          const play = await Play.run(protocol, each);
          cuts += play.server.cuts;
          check(play, each);
        }),
        propertyRuns(50),
      );
      expect(cuts).toBeGreaterThan(60);
    },
    PROPERTY_TIMEOUT,
  );
});
