// Prevents: `flushed` that resolves although a message it waits for came back, rejects although all
// of them were sent, or never settles.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PROPERTY_TIMEOUT, propertyRuns } from '../../../test/support/property-runs.js';
import { PikeError } from '../errors.js';
import { FlushWaiters } from './flush-waiters.js';

type Step =
  | { do: 'push'; count: number }
  | { do: 'wait' }
  | { do: 'sent' | 'withdrawn' | 'returned' | 'allReturned'; share: number };

const share = fc.double({ min: 0, max: 1, noNaN: true });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('push' as const), count: fc.integer({ min: 1, max: 4 }) }),
    fc.record({ do: fc.constant('wait' as const) }),
    fc.record({
      do: fc.constantFrom('sent' as const, 'withdrawn' as const, 'returned' as const),
      share,
    }),
    fc.record({ do: fc.constant('allReturned' as const), share }),
  ),
  { maxLength: 40 },
);

interface Waiter {
  /** The messages that it waits for and of which nothing is known yet. */
  open: Set<number>;
  expected: 'pending' | 'resolved' | 'rejected';
  seen: 'pending' | 'resolved' | 'rejected';
}

const error = new PikeError('PIKE_ERR_MESSAGE_RETURNED', 'It came back.');

describe('FlushWaiters', () => {
  it(
    'settles each waiter by the fates of exactly the messages it waits for',
    async () => {
      await fc.assert(
        fc.asyncProperty(steps, async (all) => {
          const waiters = new FlushWaiters();
          const models: Waiter[] = [];
          let pending: number[] = [];
          let next = 0;
          const settle = (messages: number[], wellDone: boolean): void => {
            for (const model of models) {
              for (const message of messages) {
                if (!model.open.delete(message) || model.expected !== 'pending') continue;
                if (!wellDone) model.expected = 'rejected';
                else if (model.open.size === 0) model.expected = 'resolved';
              }
            }
          };
          const indexAt = (at: number): number =>
            Math.min(pending.length - 1, Math.floor(at * pending.length));
          for (const step of all) {
            if (step.do === 'push') {
              for (let i = 0; i < step.count; i++) pending.push(next++);
            } else if (step.do === 'wait') {
              const model: Waiter = {
                open: new Set(pending),
                expected: pending.length === 0 ? 'resolved' : 'pending',
                seen: 'pending',
              };
              models.push(model);
              waiters.wait(pending.length).then(
                () => (model.seen = 'resolved'),
                () => (model.seen = 'rejected'),
              );
            } else if (step.do === 'sent') {
              const count = Math.round(step.share * pending.length);
              waiters.sent(count);
              settle(pending.splice(0, count), true);
            } else if (step.do === 'allReturned') {
              const kept = Math.round(step.share * pending.length);
              waiters.returned(kept, error);
              settle(pending.splice(kept), false);
            } else if (pending.length > 0) {
              const index = indexAt(step.share);
              if (step.do === 'withdrawn') waiters.withdrawn(index);
              else waiters.returned(index, error);
              settle(pending.splice(index, 1), step.do === 'withdrawn');
            }
            await Promise.resolve();
          }
          await Promise.resolve();
          expect(models.map(({ seen }) => seen)).toEqual(models.map(({ expected }) => expected));
          pending = [];
        }),
        propertyRuns(500),
      );
    },
    PROPERTY_TIMEOUT,
  );

  it('resolves at once when nothing is pending', async () => {
    await expect(new FlushWaiters().wait(0)).resolves.toBeUndefined();
  });

  it('rejects with the error of the message that came back', async () => {
    const waiters = new FlushWaiters();
    const waited = waiters.wait(1);
    waiters.returned(0, error);
    await expect(waited).rejects.toBe(error);
  });
});
