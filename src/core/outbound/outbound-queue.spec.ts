// Prevents: a message that vanishes from the account, has two fates, or has another fate than its
// bytes had, whatever order things happen in; also when a converter calls back into the connector
// while its message is being written.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PROPERTY_TIMEOUT, propertyRuns } from '../../../test/support/property-runs.js';
import type { Account } from './outbound-queue.js';
import { OutboundQueue } from './outbound-queue.js';

type Aside =
  | { do: 'push'; count: number }
  | { do: 'withdraw'; share: number }
  | { do: 'takeWaiting' }
  | { do: 'close'; share: number; doubt: boolean };

/** What becomes of one message in a chunk, and what happens while the converter is at work on it. */
interface Turn {
  outcome: 'ends' | 'rejected' | 'stays open' | 'has nothing yet';
  bytes: number;
  meanwhile: Aside[];
}

type Step = Aside | { do: 'fill'; turns: Turn[] } | { do: 'land' };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const push = fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 4 }) });
const withdraw = fc.record({ do: fc.constant('withdraw' as const), share });
const takeWaiting = fc.record({ do: fc.constant('takeWaiting' as const) });
const close = fc.record({ do: fc.constant('close' as const), share, doubt: fc.boolean() });
const turn: fc.Arbitrary<Turn> = fc.record({
  outcome: fc.oneof(
    { weight: 6, arbitrary: fc.constant('ends' as const) },
    { weight: 1, arbitrary: fc.constant('rejected' as const) },
    { weight: 2, arbitrary: fc.constant('stays open' as const) },
    { weight: 1, arbitrary: fc.constant('has nothing yet' as const) },
  ),
  bytes: fc.integer({ min: 0, max: 4 }),
  meanwhile: fc.oneof(
    { weight: 8, arbitrary: fc.constant<Aside[]>([]) },
    {
      weight: 1,
      arbitrary: fc.array<Aside>(
        fc.oneof(
          { weight: 3, arbitrary: push },
          { weight: 3, arbitrary: withdraw },
          { weight: 2, arbitrary: takeWaiting },
          { weight: 1, arbitrary: close },
        ),
        { maxLength: 2 },
      ),
    },
  ),
});
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    { weight: 8, arbitrary: push },
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('fill' as const),
        turns: fc.array(turn, { maxLength: 5 }),
      }),
    },
    { weight: 8, arbitrary: fc.record({ do: fc.constant('land' as const) }) },
    { weight: 4, arbitrary: withdraw },
    { weight: 1, arbitrary: takeWaiting },
    { weight: 1, arbitrary: close },
  ),
  { maxLength: 40 },
);

type Fate = Exclude<keyof Account, 'given'>;

/** What is true of a message, apart from what the queue says. */
interface Message {
  id: number;
  /** How many bytes it has, all chunks together; grows until it ends. */
  bytes: number;
  /** How many of them were accepted with chunks that have landed. */
  accepted: number;
  /** Where its bytes begin in the present chunk. */
  start: number;
  /** Whether its last byte has been handed over. */
  ended: boolean;
  fate: Fate | undefined;
}

/** Drives a queue as the pump does, and keeps the books by byte. */
class Run {
  readonly queue = new OutboundQueue<Message>();
  readonly given: Message[] = [];
  /** The messages with bytes in the present chunk, which is being filled or flies. */
  chunk: Message[] = [];
  chunkBytes = 0;
  closed = false;

  step(step: Step): void {
    if (this.closed) return;
    switch (step.do) {
      case 'fill':
        if (!this.queue.flying && this.queue.hasNext) this.#fill(step.turns);
        break;
      case 'land':
        if (this.queue.flying) this.land();
        break;
      case 'push':
      case 'withdraw':
      case 'takeWaiting':
      case 'close':
        this.#aside(step);
    }
    this.check();
  }

  land(): void {
    const before = this.given.filter(({ fate }) => fate === 'sent').length;
    for (const message of this.chunk) {
      message.accepted = message.bytes;
      if (message.ended) this.#settle(message, 'sent');
    }
    const sent = this.given.filter(({ fate }) => fate === 'sent').length - before;
    expect(this.queue.land()).toBe(sent);
    this.chunk = [];
  }

  close(at: number, doubt: boolean): void {
    const { queue } = this;
    const flying = queue.flying;
    // Of a chunk that was never handed over nothing was accepted, whatever is claimed of it.
    const accepted = Math.round(at * this.chunkBytes);
    const real = flying ? accepted : 0;
    const { sent, leftovers } = queue.close(doubt ? { atLeast: accepted } : { exact: accepted });
    this.closed = true;
    const unsettled = this.given.filter(({ fate }) => fate === undefined);
    for (const message of unsettled.splice(0, sent)) {
      expect(message.ended && message.start + this.#inChunk(message) <= real).toBe(true);
      this.#settle(message, 'sent');
    }
    for (const message of leftovers.uncertain) {
      expect(flying && doubt).toBe(true);
      expect(this.chunk).toContain(message);
      this.#settle(message, 'uncertain');
    }
    if (leftovers.incomplete !== undefined) {
      const message = leftovers.incomplete;
      expect(message.accepted + Math.max(0, real - message.start)).toBeGreaterThan(0);
      expect(message.ended && message.start + this.#inChunk(message) <= real).toBe(false);
      this.#settle(message, 'incomplete');
    }
    for (const message of leftovers.queued) {
      expect(message.accepted).toBe(0);
      if (flying && this.chunk.includes(message))
        expect(message.start).toBeGreaterThanOrEqual(real);
      this.#settle(message, 'queued');
    }
    expect(leftovers.queued).toEqual([...leftovers.queued].sort((a, b) => a.id - b.id));
  }

  check(): void {
    const { queue } = this;
    const unsettled = this.given.filter(({ fate }) => fate === undefined).length;
    expect(queue.pending).toBe(unsettled);
    const counts: Account = { ...NOTHING, given: this.given.length };
    for (const { fate } of this.given) if (fate !== undefined) counts[fate]++;
    expect(queue.account).toEqual(counts);
  }

  #fill(turns: Turn[]): void {
    const { queue } = this;
    queue.board();
    this.chunk = [];
    this.chunkBytes = 0;
    for (const { outcome, bytes, meanwhile } of turns) {
      if (!queue.hasNext) break;
      const message = queue.takeInHand();
      for (const aside of meanwhile) {
        if (!this.closed) this.#aside(aside, message);
        this.check();
      }
      if (this.closed) return;
      message.start = this.chunkBytes;
      if (outcome === 'has nothing yet') break;
      if (outcome === 'rejected') {
        // A message of which bytes have left is not rejected: the connection ends.
        if (queue.nextIsBegun) return this.close(0, false);
        expect(queue.rejectNext()).toBe(message);
        this.#settle(message, 'rejected');
        continue;
      }
      this.chunk.push(message);
      if (outcome === 'ends') {
        message.ended = true;
        message.bytes += bytes;
        this.chunkBytes += bytes;
        queue.nextEnds(this.chunkBytes);
      } else {
        message.bytes += bytes + 1;
        this.chunkBytes += bytes + 1;
        queue.takeOff(true);
        return;
      }
      this.check();
    }
    queue.takeOff(false);
    // The pump hands over no chunk without bytes.
    if (this.chunkBytes === 0) this.land();
  }

  #aside(step: Aside, inHand?: Message): void {
    const { queue } = this;
    switch (step.do) {
      case 'push':
        for (let i = 0; i < step.count; i++) {
          const message: Message = {
            id: this.given.length,
            bytes: 0,
            accepted: 0,
            start: 0,
            ended: false,
            fate: undefined,
          };
          this.given.push(message);
          queue.push(message);
        }
        break;
      case 'withdraw': {
        const message = this.given[Math.floor(step.share * this.given.length)];
        if (message === undefined) break;
        const unsettled = this.given.filter(({ fate }) => fate === undefined);
        const free =
          message.fate === undefined &&
          message !== inHand &&
          message.bytes === 0 &&
          !this.#boarded(message);
        expect(queue.withdraw(message)).toBe(free ? unsettled.indexOf(message) : -1);
        if (free) this.#settle(message, 'withdrawn');
        break;
      }
      case 'takeWaiting':
        for (const message of queue.takeWaiting()) {
          expect(message).not.toBe(inHand);
          expect(message.bytes).toBe(0);
          this.#settle(message, 'queued');
        }
        expect(queue.waiting).toBe(inHand === undefined || queue.nextIsBegun ? 0 : 1);
        break;
      case 'close':
        this.close(step.share, step.doubt);
    }
  }

  #boarded(message: Message): boolean {
    return message.ended && message.fate === undefined;
  }

  #inChunk(message: Message): number {
    return message.bytes - message.accepted;
  }

  #settle(message: Message, fate: Fate): void {
    if (message.fate !== undefined) {
      throw new Error(`Message ${message.id} was ${message.fate}, and now it is ${fate}`);
    }
    message.fate = fate;
  }
}

const NOTHING: Account = {
  given: 0,
  sent: 0,
  incomplete: 0,
  queued: 0,
  uncertain: 0,
  rejected: 0,
  withdrawn: 0,
};

describe('OutboundQueue', () => {
  it(
    'gives every message exactly one fate, the one its bytes had',
    () => {
      const seen: Account = { ...NOTHING };
      fc.assert(
        fc.property(steps, share, fc.boolean(), (all, at, doubt) => {
          const run = new Run();
          for (const step of all) run.step(step);
          if (!run.closed) run.close(at, doubt);
          run.check();
          expect(run.queue.pending).toBe(0);
          expect(run.queue.account.incomplete).toBeLessThanOrEqual(1);
          for (const fate of Object.keys(seen) as (keyof Account)[]) {
            seen[fate] += run.queue.account[fate];
          }
        }),
        propertyRuns(500),
      );
      // The steps drawn lead to every fate.
      expect(Object.values(seen)).not.toContain(0);
    },
    PROPERTY_TIMEOUT,
  );

  it('keeps a begun message that has no bytes for the next chunk', () => {
    const queue = new OutboundQueue<string>();
    queue.push('begun');
    queue.board();
    expect(queue.takeInHand()).toBe('begun');
    queue.takeOff(true);
    queue.land();
    queue.board();
    expect(queue.takeInHand()).toBe('begun');
    queue.takeOff(false);
    expect(queue.land()).toBe(0);
    expect(queue.takeInHand()).toBe('begun');
    expect(queue.close({ exact: 0 }).leftovers.incomplete).toBe('begun');
  });

  it('does not take back the message in hand, but an equal one behind it', () => {
    const queue = new OutboundQueue<string>();
    queue.push('same');
    queue.push('same');
    queue.board();
    queue.takeInHand();
    expect(queue.withdraw('same')).toBe(1);
    expect(queue.withdraw('same')).toBe(-1);
    queue.nextEnds(4);
    queue.takeOff(false);
    expect(queue.land()).toBe(1);
  });

  it('counts a refused message as given and rejected', () => {
    const queue = new OutboundQueue<string>();
    queue.refuse();
    expect(queue.account).toEqual({ ...NOTHING, given: 1, rejected: 1 });
    expect(queue.pending).toBe(0);
  });
});
