// Prevents: a message that vanishes, comes back twice, or is reported as something else than what
// its bytes became: sent though the peer can never read it whole, or queued though some of it is
// already there. Whatever was given, however it was cut, and whoever ended the connection, and when.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Account } from '../../src/core/outbound/outbound-queue.js';
import type { Parcel } from '../support/parcel-converter.js';
import { bytesOf, sizeOf } from '../support/parcel-converter.js';
import { PROPERTY_TIMEOUT, propertyRuns } from '../support/property-runs.js';
import { TRANSPORTS, fateCases } from './fate-case.js';
import type { FateCase } from './fate-case.js';
import { play } from './fate-run.js';
import type { Fate, Outcome } from './fate-run.js';

const RUNS = 4000;

/** In the order in which messages of these fates must have been given. */
const ORDER: Partial<Record<Fate, number>> = { sent: 0, incomplete: 1, uncertain: 1, queued: 2 };

/** Whether the peer must have read exactly what the system had accepted. */
function isHealthy({ transport, role, ending, peerSends }: FateCase, { end }: Outcome): boolean {
  if (end.type === 'finishConnect') return true;
  // A TLS server sends tickets of itself, at about the time when who has dialled it is connected.
  const hasTickets = transport === 'TLS' && role === 'dials';
  // A peer that ends tells so by an alert, which is input, too, if we end of ourselves meanwhile.
  const hasAlert = transport === 'TLS' && ending.by === 'peer' && end.type === 'finishDisconnect';
  const hasInput = peerSends !== 'nothing' || hasTickets || hasAlert;
  // To close a socket that has unread input resets it, unless it is closed gracefully.
  if (hasInput) {
    return (
      ending.by === 'us' &&
      ending.way !== 'now' &&
      ending.deadline === undefined &&
      end.error === undefined
    );
  }
  return ending.by !== 'peer' || ending.how === 'ends';
}

function check(fateCase: FateCase, outcome: Outcome): void {
  const { given, fates, account, end, peerRead, flushes } = outcome;
  const having = (...some: Fate[]): Parcel[] =>
    given.filter((parcel) => some.includes(fates.get(parcel) as Fate));

  // Nothing vanishes: the connection's own books say the same.
  const counts: Account = {
    given: given.length,
    sent: having('sent').length,
    incomplete: having('incomplete').length,
    queued: having('queued').length,
    uncertain: having('uncertain').length,
    rejected: having('rejected').length,
    withdrawn: having('withdrawn').length,
  };
  expect(account).toEqual(counts);
  expect(counts.incomplete).toBeLessThanOrEqual(1);
  if (end.type === 'finishConnect') expect(counts.sent).toBe(0);

  // In the order in which they were given.
  const ranks = given
    .map((parcel) => ORDER[fates.get(parcel) as Fate])
    .filter((rank) => rank !== undefined);
  expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
  expect(end.queued).toEqual(having('queued'));

  // As the peer saw it.
  const { knowsAccepted, knowsAfterFailedWrite } = TRANSPORTS[fateCase.transport].facts;
  if (knowsAfterFailedWrite) expect(counts.uncertain).toBe(0);
  const sent = bytesOf(having('sent'));
  const most = bytesOf(having('sent', 'incomplete', 'uncertain'));
  expect(most.subarray(0, peerRead.length).equals(peerRead)).toBe(true);
  if (isHealthy(fateCase, outcome)) {
    expect(peerRead.subarray(0, sent.length).equals(sent)).toBe(true);
  }
  if (isHealthy(fateCase, outcome) && knowsAccepted) {
    expect(counts.uncertain).toBe(0);
    const begun = peerRead.subarray(sent.length);
    const [incomplete] = having('incomplete');
    if (incomplete === undefined) expect(begun).toHaveLength(0);
    else {
      expect(begun.length).toBeGreaterThan(0);
      // Of a message in pieces all bytes may have left before its serializer has said that it ends.
      if (fateCase.framed) expect(begun.length).toBeLessThan(sizeOf(incomplete));
    }
  }

  // What was said of it meanwhile.
  for (const { given: before, result } of flushes) {
    const some = (...which: Fate[]): boolean =>
      before.some((parcel) => which.includes(fates.get(parcel) as Fate));
    expect(result).not.toBe('pending');
    if (result === 'resolved') expect(some('incomplete', 'queued', 'uncertain')).toBe(false);
    else expect(some('incomplete', 'queued', 'uncertain', 'rejected')).toBe(true);
  }

  // And the serializers.
  expect(outcome.violations).toEqual([]);
  expect(outcome.living).toBe(0);
  expect(outcome.errors).toEqual([]);
}

/** How often which sort of case was met. */
class Distribution {
  readonly #counts = new Map<string, number>();
  #cases = 0;

  note(fateCase: FateCase, { end, account }: Outcome): void {
    const { transport, role, framed, peer, peerSends, early, ending } = fateCase;
    this.#cases++;
    this.#count(`over ${transport}`);
    this.#count(`it ${role}`);
    this.#count(framed ? 'framed' : 'in pieces');
    this.#count(`the peer ${peer}`);
    this.#count(`the peer sends ${peerSends}`);
    if (early) this.#count('begun before it was open');
    this.#count(
      ending.by === 'us'
        ? `ended by us: ${ending.way}${ending.deadline === undefined ? '' : ', deadline'}`
        : ending.by === 'peer'
          ? `ended by peer: it ${ending.how}`
          : `ended by ${ending.by}`,
    );
    this.#count(`last event ${end.type}`);
    for (const fate of [
      'sent',
      'incomplete',
      'queued',
      'uncertain',
      'rejected',
      'withdrawn',
    ] as const) {
      if (account[fate] > 0) this.#count(`some ${fate}`);
    }
    if (account.incomplete > 0 && account.queued > 0)
      this.#count('some incomplete and some queued');
  }

  share(what: string): number {
    return (this.#counts.get(what) ?? 0) / this.#cases;
  }

  toString(): string {
    const lines = [...this.#counts.keys()]
      .sort()
      .map((what) => `${(100 * this.share(what)).toFixed(1).padStart(6)} %  ${what}`);
    return [`${this.#cases} connections:`, ...lines].join('\n');
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }
}

describe('the fate of a message', () => {
  it(
    'is exactly one, known, and true to the byte',
    async () => {
      const distribution = new Distribution();
      await fc.assert(
        fc.asyncProperty(fateCases, async (fateCase) => {
          const outcome = await play(fateCase);
          check(fateCase, outcome);
          distribution.note(fateCase, outcome);
        }),
        // A connection that never ends is a failure, too, and then the case is wanted.
        { ...propertyRuns(RUNS), plugins: [fc.timeout(10_000)] },
      );
      process.stdout.write(`${distribution.toString()}\n`);
      // The hard cases are met, not only the easy ones.
      expect(distribution.share('some incomplete and some queued')).toBeGreaterThan(0.2);
      expect(distribution.share('some uncertain')).toBeGreaterThan(0.003);
      for (const often of [
        'over TCP',
        'over unix',
        'over memory',
        'framed',
        'in pieces',
        'some sent',
        'some withdrawn',
        'last event remoteDisconnect',
        'the peer reads',
      ]) {
        expect([often, distribution.share(often) > 0.1]).toEqual([often, true]);
      }
      for (const seldom of [
        'over TLS',
        'ended by us: now',
        'ended by us: finishMessages',
        'ended by us: finishMessages, deadline',
        'ended by us: finishQueues',
        'ended by us: finishQueues, deadline',
        'ended by peer: it ends',
        'ended by peer: it resets',
        'ended by peer: it closes',
        'ended by converter',
        'ended by serializer',
        'ended by nobody',
      ]) {
        expect([seldom, distribution.share(seldom) > 0.01]).toEqual([seldom, true]);
      }
    },
    PROPERTY_TIMEOUT,
  );
});
