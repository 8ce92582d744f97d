// Prevents: a message reported as queued of which a byte has left (it would be sent twice), one
// reported as sent of which a byte is missing (it would be lost), and doubt where there is none.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { PROPERTY_TIMEOUT, propertyRuns } from '../../../test/support/property-runs.js';
import { Flight } from './flight.js';

interface Chunk {
  /** The bytes that each message that ends in the chunk has in it. */
  sizes: number[];
  continued: boolean;
  /** The bytes of the message whose end is in a later chunk; 0 for none. */
  openSize: number;
}

type Fate = 'sent' | 'incomplete' | 'queued' | 'uncertain';

const chunks: fc.Arbitrary<Chunk> = fc.record({
  sizes: fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 6 }),
  continued: fc.boolean(),
  openSize: fc.integer({ min: 0, max: 5 }),
});

function fly(chunk: Chunk): { flight: Flight; bytes: number; messages: number } {
  const flight = new Flight();
  flight.begin(chunk.continued);
  let bytes = 0;
  for (const size of chunk.sizes) flight.ended((bytes += size));
  if (chunk.openSize > 0) flight.opened();
  return {
    flight,
    bytes: bytes + chunk.openSize,
    messages: chunk.sizes.length + (chunk.openSize > 0 ? 1 : 0),
  };
}

/** What became of each message when so many bytes of the chunk were accepted, byte by byte. */
function truth({ sizes, continued, openSize }: Chunk, accepted: number): Fate[] {
  const all = openSize > 0 ? [...sizes, openSize] : sizes;
  let start = 0;
  return all.map((size, index) => {
    const left = Math.max(0, Math.min(size, accepted - start));
    const isOpen = index === sizes.length;
    const reached = accepted >= start + size;
    start += size;
    if (!isOpen && reached) return 'sent';
    return left > 0 || (index === 0 && continued) ? 'incomplete' : 'queued';
  });
}

function told(flight: Flight, accepted: Parameters<Flight['divide']>[0]): Fate[] {
  const { sent, uncertain, incomplete } = flight.divide(accepted);
  const fates: Fate[] = [];
  const tell = (count: number, fate: Fate): void => {
    for (let i = 0; i < count; i++) fates.push(fate);
  };
  tell(sent, 'sent');
  tell(uncertain, 'uncertain');
  tell(incomplete, 'incomplete');
  tell(flight.length - fates.length, 'queued');
  return fates;
}

describe('Flight', () => {
  it(
    'divides to the byte when the accepted bytes are known',
    () => {
      fc.assert(
        fc.property(chunks, (chunk) => {
          const { flight, bytes } = fly(chunk);
          for (let accepted = 0; accepted <= bytes; accepted++) {
            expect(told(flight, { exact: accepted })).toEqual(truth(chunk, accepted));
          }
        }),
        propertyRuns(200),
      );
    },
    PROPERTY_TIMEOUT,
  );

  it(
    'with doubt, calls exactly those uncertain whose fate depends on what is not known',
    () => {
      fc.assert(
        fc.property(chunks, (chunk) => {
          const { flight, bytes } = fly(chunk);
          for (let floor = 0; floor <= bytes; floor++) {
            const possible = Array.from({ length: bytes - floor + 1 }, (_, more) =>
              truth(chunk, floor + more),
            );
            const expected = (possible[0] as Fate[]).map((fate, message) =>
              possible.every((fates) => fates[message] === fate) ? fate : 'uncertain',
            );
            expect(told(flight, { atLeast: floor })).toEqual(expected);
          }
        }),
        propertyRuns(200),
      );
    },
    PROPERTY_TIMEOUT,
  );

  it(
    'counts the messages that end, and those that have bytes',
    () => {
      fc.assert(
        fc.property(chunks, (chunk) => {
          const { flight, messages } = fly(chunk);
          expect(flight.endedMessages).toBe(chunk.sizes.length);
          expect(flight.length).toBe(messages);
          expect(flight.open).toBe(chunk.openSize > 0);
        }),
        propertyRuns(100),
      );
    },
    PROPERTY_TIMEOUT,
  );

  it('takes a message without bytes as sent once everything before it is', () => {
    const { flight } = fly({ sizes: [0, 3, 0, 0], continued: false, openSize: 0 });
    expect(told(flight, { exact: 0 })).toEqual(['sent', 'queued', 'queued', 'queued']);
    expect(told(flight, { exact: 3 })).toEqual(['sent', 'sent', 'sent', 'sent']);
  });

  it('calls a continued message incomplete although nothing of this chunk was accepted', () => {
    const { flight } = fly({ sizes: [], continued: true, openSize: 2 });
    expect(told(flight, { exact: 0 })).toEqual(['incomplete']);
    expect(told(flight, { atLeast: 0 })).toEqual(['incomplete']);
  });

  it.each(['begin', 'rest'] as const)('begins afresh after %s', (how) => {
    const { flight } = fly({ sizes: [1, 1], continued: true, openSize: 1 });
    flight[how](false);
    expect(flight.length).toBe(0);
    expect(told(flight, { exact: 0 })).toEqual([]);
  });
});
