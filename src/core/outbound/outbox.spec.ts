// Prevents: bytes on the wire that belong to no message reported as sent or incomplete, messages
// lost or reported twice, serializers that are leaked, called out of turn or destroyed twice, and
// `flushed` promises that lie: for both kinds of converter, chunks of any size, and converters
// that call back into their connection at any moment.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Parcel, Piece } from '../../../test/support/parcel-converter.js';
import {
  bytesOf,
  FramedParcelConverter,
  ParcelConverter,
} from '../../../test/support/parcel-converter.js';
import { PROPERTY_TIMEOUT, propertyRuns } from '../../../test/support/property-runs.js';
import { Connection } from '../connection.js';
import type { PikeError } from '../errors.js';
import type { Leftovers } from '../events.js';
import { readConnectorOptions } from '../options.js';
import { ChunkPool } from './chunk-pool.js';
import type { OutboxHost } from './outbox.js';
import { Outbox } from './outbox.js';

const ACTIONS = [
  'close',
  'finishMessages',
  'finishQueues',
  'withdraw this',
  'withdraw next',
  'send',
  'flushed',
  'throw',
];

type Step =
  | { do: 'send'; parcels: Omit<Parcel, 'id'>[] }
  | { do: 'turn' | 'land' | 'flushed' | 'finishMessages' | 'finishQueues' }
  | { do: 'call back' | 'withdraw' | 'close' | 'close in doubt'; share: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const action = fc.constantFrom(...ACTIONS);
const piece: fc.Arbitrary<Piece> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ bytes: fc.integer({ min: 0, max: 30 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ wait: fc.constantFrom('at once', 'later', 'later, twice') }),
  },
  { weight: 1, arbitrary: fc.record({ throws: fc.constant(true as const) }) },
  { weight: 1, arbitrary: fc.record({ acts: action }) },
);
const rarely = <Value>(arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
  fc.oneof({ weight: 30, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const draft: fc.Arbitrary<Omit<Parcel, 'id'>> = fc.record({
  pieces: fc.array(piece, { maxLength: 5 }),
  onCreate: rarely(action),
  onDestroy: rarely(action),
});
const simple = <Do extends 'turn' | 'land' | 'flushed' | 'finishMessages' | 'finishQueues'>(
  name: Do,
): fc.Arbitrary<{ do: Do }> => fc.constant({ do: name });
const shared = <Do extends 'call back' | 'withdraw' | 'close' | 'close in doubt'>(
  name: Do,
): fc.Arbitrary<{ do: Do; share: number }> => fc.record({ do: fc.constant(name), share });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        do: fc.constant('send' as const),
        parcels: fc.array(draft, { minLength: 1, maxLength: 4 }),
      }),
    },
    { weight: 8, arbitrary: simple('turn') },
    { weight: 8, arbitrary: simple('land') },
    { weight: 4, arbitrary: shared('call back') },
    { weight: 3, arbitrary: shared('withdraw') },
    { weight: 3, arbitrary: simple('flushed') },
    { weight: 1, arbitrary: simple('finishMessages') },
    { weight: 1, arbitrary: simple('finishQueues') },
    { weight: 1, arbitrary: shared('close') },
    { weight: 1, arbitrary: shared('close in doubt') },
  ),
  { maxLength: 30 },
);

const endings = fc.constantFrom('finish' as const, 'close' as const, 'close in doubt' as const);

interface Setup {
  framed: boolean;
  chunkBytes: number;
  maxQueuedMessages: number;
  /** How many connections share the chunks; the others only hold what they were lent. */
  started: boolean;
  /** Whether the system copies each chunk when it is handed over. */
  copies: boolean;
}
const setups: fc.Arbitrary<Setup> = fc.record({
  framed: fc.boolean(),
  chunkBytes: fc.constantFrom(1, 2, 7, 16, 64, 1000),
  maxQueuedMessages: fc.constantFrom(3, 1000, 1000),
  started: fc.boolean(),
  copies: fc.boolean(),
});

type Fate = 'sent' | 'incomplete' | 'queued' | 'uncertain' | 'rejected' | 'withdrawn';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** An outbox at work, without a socket: what the system accepts, and when, is said by the steps. */
class Run implements OutboxHost<Parcel> {
  readonly outbox: Outbox<Parcel>;
  readonly plain: ParcelConverter;
  readonly given: Parcel[] = [];
  readonly fates = new Map<Parcel, Fate>();
  readonly wire: Buffer[] = [];
  readonly flushes: { given: Parcel[]; seen: 'pending' | 'resolved' | 'rejected' }[] = [];
  readonly errors: Error[] = [];
  leftovers: Leftovers<Parcel> | undefined;
  state: 'open' | 'finishing' | 'ended' = 'open';
  inDoubt = false;
  readonly #copies: boolean;
  #chunk: Buffer | undefined;
  #callbacks: (() => void)[] = [];

  constructor({ framed, chunkBytes, maxQueuedMessages, copies }: Setup) {
    this.#copies = copies;
    const hooks = {
      act: (name: string, parcel: Parcel) => this.#act(name, parcel),
      later: (callback: () => void) => void this.#callbacks.push(callback),
    };
    this.plain = new ParcelConverter(hooks);
    const settings = readConnectorOptions(
      'Outbox',
      {
        converter: framed ? new FramedParcelConverter(hooks) : this.plain,
        chunkBytes,
        maxQueuedMessages,
        lowWaterMark: 0,
        onError: (error) => this.errors.push(error),
      },
      [],
    );
    const facts = { id: 1, inbound: false, remote: undefined, local: undefined };
    this.outbox = new Outbox(new Connection(facts), settings, new ChunkPool(chunkBytes), this);
  }

  get flying(): boolean {
    return this.#chunk !== undefined;
  }

  write(chunk: Buffer): boolean {
    expect(this.#chunk).toBeUndefined();
    expect(this.state).not.toBe('ended');
    expect(chunk.length).toBeGreaterThan(0);
    this.#chunk = this.#copies ? Buffer.from(chunk) : chunk;
    return this.#copies;
  }

  rejected(message: Parcel, _error: PikeError): void {
    this.#settle(message, 'rejected');
  }

  serializerBroke(): void {
    this.close(0, false);
  }

  allSent(): void {
    if (this.state !== 'finishing') return;
    this.#end(this.outbox.returned);
  }

  async step(step: Step): Promise<void> {
    switch (step.do) {
      case 'send':
        for (const parcel of step.parcels) this.#send(parcel);
        break;
      case 'turn':
        await turn();
        break;
      case 'land':
        this.land();
        break;
      case 'call back':
        this.callBack(step.share);
        break;
      case 'withdraw': {
        const parcel = this.given[Math.floor(step.share * this.given.length)];
        if (parcel !== undefined) this.#withdraw(parcel);
        break;
      }
      case 'flushed':
        this.#flushed();
        break;
      case 'finishMessages':
      case 'finishQueues':
        this.finish(step.do);
        break;
      case 'close':
      case 'close in doubt':
        this.close(step.share, step.do === 'close in doubt');
    }
    this.#checkAccount();
  }

  /** The system takes the whole chunk. */
  land(): void {
    if (this.#chunk === undefined || this.state === 'ended') return;
    // Its bytes are read only now: they must not have changed since.
    this.wire.push(Buffer.from(this.#chunk));
    this.#chunk = undefined;
    this.outbox.written();
  }

  callBack(at: number): boolean {
    const [callback] = this.#callbacks.splice(Math.floor(at * this.#callbacks.length), 1);
    callback?.();
    return callback !== undefined;
  }

  finish(way: 'finishMessages' | 'finishQueues'): void {
    if (this.state === 'ended') return;
    this.state = 'finishing';
    if (way === 'finishMessages') this.outbox.finishBegun();
    else this.outbox.finishAll();
  }

  /** Ends at once, with a share of the chunk in flight accepted; in doubt, less than that is known. */
  close(at: number, inDoubt: boolean): void {
    if (this.state === 'ended') return;
    const accepted = this.#chunk === undefined ? 0 : Math.round(at * this.#chunk.length);
    if (this.#chunk !== undefined) this.wire.push(Buffer.from(this.#chunk.subarray(0, accepted)));
    this.inDoubt = inDoubt && this.#chunk !== undefined;
    this.state = 'ended';
    this.#end(
      this.outbox.close(
        inDoubt ? { atLeast: Math.floor(accepted / 2) } : { exact: accepted },
        undefined,
      ),
    );
  }

  async checkEnd(): Promise<void> {
    const { given, fates, wire, leftovers } = this;
    expect(this.state).toBe('ended');
    // Whatever is called now changes nothing.
    this.land();
    while (this.callBack(0)) this.outbox.written();
    await turn();
    for (const parcel of given) if (!fates.has(parcel)) fates.set(parcel, 'sent');
    this.#checkAccount();
    const having = (...some: Fate[]): Parcel[] =>
      given.filter((parcel) => some.includes(fates.get(parcel) as Fate));
    const sent = bytesOf(having('sent'));
    const onWire = Buffer.concat(wire);
    if (this.inDoubt) {
      expect(onWire.subarray(0, sent.length).equals(sent)).toBe(true);
      const most = bytesOf(having('sent', 'incomplete', 'uncertain'));
      expect(most.subarray(0, onWire.length).equals(onWire)).toBe(true);
    } else {
      expect(having('uncertain')).toEqual([]);
      expect(onWire.subarray(0, sent.length).equals(sent)).toBe(true);
      const begun = onWire.subarray(sent.length);
      const incomplete = bytesOf(having('incomplete'));
      expect(having('incomplete')).toHaveLength(begun.length > 0 ? 1 : 0);
      expect(incomplete.subarray(0, begun.length).equals(begun)).toBe(true);
    }
    expect(leftovers?.queued).toEqual(having('queued'));
    expect(leftovers?.uncertain).toEqual(having('uncertain'));
    expect(this.plain.violations).toEqual([]);
    expect([...this.plain.living]).toEqual([]);
    for (const { given: before, seen } of this.flushes) {
      const back = before.filter(
        (parcel) => !['sent', 'withdrawn'].includes(fates.get(parcel) as Fate),
      );
      expect(seen).toBe(back.length > 0 ? 'rejected' : 'resolved');
    }
    await this.outbox.drained();
    const cameBack = having('queued', 'incomplete', 'uncertain').length > 0;
    await this.outbox.flushed().then(
      () => expect(cameBack).toBe(false),
      () => expect(cameBack).toBe(true),
    );
  }

  #send(parcel: Omit<Parcel, 'id'>): void {
    if (this.state !== 'open') return;
    const message = { ...parcel, id: this.given.length };
    this.given.push(message);
    this.outbox.send(message);
  }

  #withdraw(parcel: Parcel): void {
    if (this.outbox.withdraw(parcel)) this.#settle(parcel, 'withdrawn');
  }

  #flushed(): void {
    const flush: Run['flushes'][number] = {
      // One that was given back before, on its own, was never waited for.
      given: this.given.filter(
        (parcel) => !['rejected', 'withdrawn'].includes(this.fates.get(parcel) ?? ''),
      ),
      seen: 'pending',
    };
    this.flushes.push(flush);
    this.outbox.flushed().then(
      () => (flush.seen = 'resolved'),
      () => (flush.seen = 'rejected'),
    );
  }

  #act(name: string, parcel: Parcel): void {
    switch (name) {
      case 'close':
        this.close(0, false);
        break;
      case 'finishMessages':
      case 'finishQueues':
        this.finish(name);
        break;
      case 'withdraw this':
        this.#withdraw(parcel);
        break;
      case 'withdraw next': {
        const next = this.given[this.given.indexOf(parcel) + 1];
        if (next !== undefined) this.#withdraw(next);
        break;
      }
      case 'send':
        this.#send({ pieces: [{ bytes: 3 }] });
        break;
      case 'flushed':
        this.#flushed();
        break;
      default:
        throw new Error('What the application does may throw.');
    }
  }

  #end(leftovers: Leftovers<Parcel>): void {
    this.state = 'ended';
    expect(this.leftovers).toBeUndefined();
    this.leftovers = leftovers;
    if (leftovers.incomplete !== undefined) this.#settle(leftovers.incomplete, 'incomplete');
    for (const message of leftovers.queued) this.#settle(message, 'queued');
    for (const message of leftovers.uncertain) this.#settle(message, 'uncertain');
  }

  #settle(message: Parcel, fate: Fate): void {
    const former = this.fates.get(message);
    if (former !== undefined) throw new Error(`Parcel ${message.id}: ${former}, then ${fate}`);
    expect(this.given).toContain(message);
    this.fates.set(message, fate);
  }

  #checkAccount(): void {
    const { account } = this.outbox;
    expect(account.given).toBe(this.given.length);
    const told = (fate: Fate): number =>
      [...this.fates.values()].filter((other) => other === fate).length;
    expect(account.rejected).toBe(told('rejected'));
    expect(account.withdrawn).toBe(told('withdrawn'));
    if (this.state !== 'ended' || this.leftovers === undefined) return;
    expect(account.queued).toBe(told('queued'));
    expect(account.incomplete).toBe(told('incomplete'));
    expect(account.uncertain).toBe(told('uncertain'));
    expect(account.sent).toBe(
      this.given.length - [...this.fates.values()].filter((fate) => fate !== 'sent').length,
    );
  }
}

/** What random runs have found. */
const FOUND: [Setup, Step[], 'finish'][] = [
  // A serializer that finishes the connection while it is made, and has no byte when that is asked for again.
  [
    { framed: false, chunkBytes: 1, maxQueuedMessages: 3, started: true, copies: false },
    [
      {
        do: 'send',
        parcels: [
          { pieces: [{ wait: 'later, twice' }], onCreate: 'finishMessages', onDestroy: undefined },
          { pieces: [], onCreate: undefined, onDestroy: undefined },
        ],
      },
      { do: 'finishQueues' },
      { do: 'finishMessages' },
    ],
    'finish',
  ],
];

describe('Outbox', () => {
  it(
    'gives every message exactly one fate, the one that its bytes had',
    async () => {
      const seen = new Map<Fate, number>();
      await fc.assert(
        fc.asyncProperty(setups, steps, endings, async (setup, all, ending) => {
          const run = new Run(setup);
          if (setup.started) run.outbox.start();
          for (const step of all) await run.step(step);
          if (!setup.started) run.outbox.start();
          if (ending === 'finish') {
            if (run.state === 'open') run.finish('finishQueues');
            // Nothing stands still for ever: with every chunk taken and every callback called, it ends.
            for (let idle = 0; idle < 3 && run.state === 'finishing'; idle++) {
              while (run.callBack(0)) idle = 0;
              if (run.flying) idle = 0;
              run.land();
              await turn();
            }
          } else run.close(0.5, ending === 'close in doubt');
          await run.checkEnd();
          for (const fate of run.fates.values()) seen.set(fate, (seen.get(fate) ?? 0) + 1);
        }),
        { ...propertyRuns(600), examples: FOUND },
      );
      expect([...seen.keys()].sort()).toEqual([
        'incomplete',
        'queued',
        'rejected',
        'sent',
        'uncertain',
        'withdrawn',
      ]);
    },
    PROPERTY_TIMEOUT,
  );

  it('takes back more messages than a call can have arguments', async () => {
    const run = new Run({
      framed: true,
      chunkBytes: 64,
      maxQueuedMessages: 500_000,
      started: true,
      copies: false,
    });
    const count = 400_000;
    for (let i = 0; i < count; i++) run.outbox.send({ id: i, pieces: [] });
    run.outbox.finishBegun();
    expect(run.outbox.returned.queued).toHaveLength(count);
    expect(run.outbox.account.queued).toBe(count);
  });

  it('is drained once the last message is being sent, however long that takes', async () => {
    const run = new Run({
      framed: false,
      chunkBytes: 10,
      maxQueuedMessages: 10,
      started: true,
      copies: false,
    });
    run.outbox.start();
    await run.step({ do: 'send', parcels: [{ pieces: [{ bytes: 5 }, { wait: 'later' }] }] });
    const drained = run.outbox.drained();
    await run.step({ do: 'turn' });
    expect(run.outbox.account.sent).toBe(0);
    await drained;
  });

  it('says that nothing is flushed when the rest was taken back', async () => {
    const run = new Run({
      framed: true,
      chunkBytes: 10,
      maxQueuedMessages: 10,
      started: true,
      copies: false,
    });
    await run.step({ do: 'send', parcels: [{ pieces: [{ bytes: 5 }] }] });
    run.finish('finishMessages');
    await expect(run.outbox.flushed()).rejects.toMatchObject({ code: 'PIKE_ERR_MESSAGE_RETURNED' });
  });

  it('lets those pass who wait for what went before a message that is rejected', async () => {
    const run = new Run({
      framed: true,
      chunkBytes: 64,
      maxQueuedMessages: 10,
      started: true,
      copies: false,
    });
    run.outbox.start();
    await run.step({ do: 'send', parcels: [{ pieces: [{ bytes: 5 }] }] });
    const first = run.outbox.flushed();
    await run.step({ do: 'send', parcels: [{ pieces: [{ throws: true }] }] });
    const both = run.outbox.flushed();
    await run.step({ do: 'send', parcels: [{ pieces: [{ bytes: 5 }] }] });
    const all = run.outbox.flushed();
    await Promise.all([
      expect(both).rejects.toMatchObject({ code: 'PIKE_ERR_MESSAGE_RETURNED' }),
      expect(all).rejects.toMatchObject({ code: 'PIKE_ERR_MESSAGE_RETURNED' }),
      run.step({ do: 'turn' }),
    ]);
    run.land();
    await first;
    run.land();
    await run.outbox.flushed();
  });
});
