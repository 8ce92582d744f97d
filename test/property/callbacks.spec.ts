// Prevents: a file left open, or closed twice, because a callback came at once, late, again, or when
// the connection was gone; a message that overtakes another that waits.
import fc from 'fast-check';
import { afterEach, describe, expect, it } from '@jest/globals';
import { NetConnector } from 'nestjs-pike/core';
import type { Finish } from 'nestjs-pike/core';
import { EventRecorder } from '../support/event-recorder.js';
import { PROPERTY_TIMEOUT, propertyRuns } from '../support/property-runs.js';
import { ScheduledConverter } from '../support/scheduled-converter.js';
import type { Move, Scheduled, Wait } from '../support/scheduled-converter.js';
import { inputHandled, nextTurn } from '../support/turns.js';
import { addressOf } from '../support/use-sockets.js';

/** Two connectors, what one sends to the other, and how that ends. */
interface Case {
  chunkBytes: number;
  messages: Scheduled[];
  taking: Move[][];
  turns: number;
  endedBy: 'sender' | 'receiver';
  way: 'now' | 'finishMessages' | 'finishQueues';
  shutsDown: boolean;
  allowHalfOpen: boolean;
}

const wait = fc.constantFrom<Wait[]>(
  ...['at once', 'at once', 'later', 'later', 'later, twice', 'later, twice', 'after the end'].map(
    (when) => when as Wait,
  ),
);

function move(most: number): fc.Arbitrary<Move> {
  const bytes = fc.integer({ min: 1, max: most });
  return fc.oneof(
    { weight: 8, arbitrary: fc.record({ bytes }) },
    { weight: 8, arbitrary: fc.record({ bytes, wait }) },
    { weight: 2, arbitrary: fc.record({ bytes, calls: fc.constant(true as const) }) },
    { weight: 1, arbitrary: fc.record({ bytes, wait, calls: fc.constant(true as const) }) },
    { weight: 1, arbitrary: fc.record({ bytes, throws: fc.constant(true as const) }) },
  );
}

const moves = fc.array(move(120), { minLength: 1, maxLength: 4 });

const cases: fc.Arbitrary<Case> = fc.record({
  chunkBytes: fc.constantFrom(1, 3, 16, 100, 65_536),
  messages: fc
    .array(fc.record({ length: fc.integer({ min: 0, max: 300 }), moves }), {
      minLength: 1,
      maxLength: 8,
    })
    .map((drafts) => drafts.map((draft, id) => ({ ...draft, id }))),
  taking: fc.array(moves, { minLength: 1, maxLength: 4 }),
  turns: fc.oneof(fc.integer({ min: 0, max: 6 }), fc.integer({ min: 0, max: 60 })),
  endedBy: fc.constantFrom('sender' as const, 'receiver' as const),
  way: fc.constantFrom('now' as const, 'finishMessages' as const, 'finishQueues' as const),
  shutsDown: fc.boolean(),
  allowHalfOpen: fc.boolean(),
});

/** Whether everything goes on by itself to the end. */
function isSmooth({ messages, taking, endedBy, way }: Case): boolean {
  const all = [...messages.map((message) => message.moves), ...taking].flat();
  const isHeld = all.some((one) => one.throws === true || one.wait === 'after the end');
  return !isHeld && endedBy === 'sender' && way === 'finishQueues';
}

let open: NetConnector<Scheduled>[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((connector) => connector.shutdown({ now: true })));
});

async function run(drawn: Case): Promise<void> {
  const sending = new ScheduledConverter([[{ bytes: 1 }]]);
  const taking = new ScheduledConverter(drawn.taking);
  const { chunkBytes, allowHalfOpen } = drawn;
  const sender = new NetConnector({ converter: sending, chunkBytes, lingerTimeout: 20 });
  const receiver = new NetConnector({
    converter: taking,
    host: '127.0.0.1',
    port: 0,
    allowHalfOpen,
    lingerTimeout: 20,
  });
  open = [sender, receiver];
  await Promise.all([sender.run(), receiver.run()]);
  const [sent, received] = [new EventRecorder(sender), new EventRecorder(receiver)];
  const connection = sender.connect(addressOf(receiver));
  for (const message of drawn.messages) sender.send(connection, message);
  const { connection: inbound } = await received.next('remoteConnect');
  await sent.next('finishConnect');
  for (let turn = 0; turn < drawn.turns; turn++) await nextTurn();

  const smooth = isSmooth(drawn);
  const how = { [drawn.way]: true, ...(smooth ? {} : { deadline: 5 }) } as unknown as Finish;
  const [ending, its] = drawn.endedBy === 'sender' ? [sender, connection] : [receiver, inbound];
  if (drawn.shutsDown) await ending.shutdown(how);
  else ending.disconnect(its, how);
  if (smooth) for (const _ of drawn.messages) await received.next('messageReceived');
  await Promise.all(
    open.map((connector) => connector.shutdown({ finishQueues: true, deadline: 5 })),
  );

  // Every callback again, now that nobody waits for any.
  for (const converter of [sending, taking]) for (const callback of converter.callbacks) callback();
  await inputHandled();

  expect([...sending.violations, ...taking.violations]).toEqual([]);
  expect([sending.living.size, taking.living.size]).toEqual([0, 0]);
  // In order, and none left out but those that could not be serialized.
  const rejected = new Set(
    sent.all.flatMap((event) => (event.type === 'rejectedMessage' ? [event.message.id] : [])),
  );
  const ids = received.messages().map(({ id }) => id);
  const sendable = drawn.messages.map(({ id }) => id).filter((id) => !rejected.has(id));
  expect(ids).toEqual(sendable.slice(0, ids.length));
  if (smooth) expect(ids).toEqual(drawn.messages.map(({ id }) => id));
}

describe('serializers and deserializers that wait', () => {
  it(
    'are called in turn only, end exactly once, and keep the order of messages, whatever the schedule',
    () =>
      fc.assert(fc.asyncProperty(cases, run), {
        ...propertyRuns(400),
        plugins: [fc.timeout(30_000)],
      }),
    PROPERTY_TIMEOUT,
  );

  it('end well or are cut off, and both often enough for the property to mean something', () => {
    const drawn = fc.sample(cases, { numRuns: 1000, seed: 1 });
    const smooth = drawn.filter(isSmooth).length;
    expect(smooth).toBeGreaterThan(20);
    expect(smooth).toBeLessThan(500);
  });
});
