// Prevents: a message decoded from bytes that belong to another, whichever way a deserializer says what it
// has left; and an answer that is neither of them believed.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { propertyRuns } from '../../../test/support/property-runs.js';
import { UnusedBytes } from './unused-bytes.js';

type Form = 'view' | 'plain view' | 'copy' | 'count';

/** The last bytes of those at hand, in one of the forms that `putBytes` may answer. */
const FORMS: Record<Form, (data: Buffer, count: number) => Uint8Array | number> = {
  view: (data, count) => data.subarray(data.length - count),
  'plain view': (data, count) =>
    new Uint8Array(data.buffer, data.byteOffset + data.length - count, count),
  copy: (data, count) => Buffer.from(data.subarray(data.length - count)),
  count: (_, count) => count,
};

function holding(text: string): UnusedBytes {
  const bytes = new UnusedBytes();
  // In the middle of its memory, as what arrives may be.
  bytes.reset(Buffer.from(`<${text}>`).subarray(1, 1 + text.length));
  return bytes;
}

describe('UnusedBytes', () => {
  it('are the last ones, whatever they are told as', () => {
    const steps = fc.array(
      fc.record({
        form: fc.constantFrom<Form>('view', 'plain view', 'copy', 'count'),
        used: fc.integer({ min: 0, max: 6 }),
      }),
    );
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme-ascii', maxLength: 30 }), steps, (text, all) => {
        const bytes = holding(text);
        let rest = text;
        for (const { form, used } of all) {
          rest = rest.slice(used);
          bytes.keep(FORMS[form](bytes.view, rest.length));
          expect([bytes.length, bytes.view.toString()]).toEqual([rest.length, rest]);
          expect(Buffer.isBuffer(bytes.view)).toBe(true);
        }
      }),
      propertyRuns(200),
    );
  });

  it('are no second view where there is one', () => {
    const bytes = holding('onetwo');
    const view = bytes.view.subarray(3);
    bytes.keep(view);
    expect(bytes.view).toBe(view);
    bytes.keep(3);
    expect(bytes.view).toBe(view);
  });

  it.each<[string, unknown, string]>([
    ['too many', 4, 'more unused bytes'],
    ['a negative count', -1, '-1 for the number'],
    ['half a byte', 0.5, '0.5 for the number'],
    ['no number', NaN, 'NaN for the number'],
    ['a longer array', Buffer.from('onet'), 'more unused bytes'],
    ['the first bytes', Buffer.from('on'), 'not the last ones'],
    ['nothing', undefined, 'no Uint8Array, but undefined'],
  ])('are not %s', (_, unused, reason) => {
    expect(() => holding('one').keep(unused)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_DESERIALIZER',
        message: expect.stringContaining(reason),
      }),
    );
  });
});
