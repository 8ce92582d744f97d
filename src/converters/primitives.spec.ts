// Prevents: an original Pike peer that misreads us or is misread, and numbers made to be costly.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { FramedConverter } from '../core/framed-converter.js';
import { encodeAll, testConverter } from '../testing/converter-contract.js';
import { decodeAll, everySplit } from '../testing/every-split.js';
import { Primitives } from './primitives.js';

const { BOOL_CONVERTER, INT_CONVERTER, FLOAT_CONVERTER, STRING_CONVERTER } = Primitives;

testConverter(BOOL_CONVERTER, [true, false], {
  malformed: {
    'lower case': 'true',
    'another word': 'Trug',
    'a separator': 'True False',
    garbage: '\0\0\0\0',
  },
  unsendable: { 'a number': 1, undefined },
});

testConverter(INT_CONVERTER, [0, -1, 42, 2 ** 53 - 1, -(2 ** 53) + 1, 2n ** 53n, -(10n ** 400n)], {
  malformed: {
    'no digits': ' ',
    'a minus alone': '- ',
    'a plus': '+5 ',
    'a float': '1.5 ',
    hexadecimal: '0x10 ',
    'a newline for the space': '12\n',
    'a minus within': '1-2 ',
    'more digits than Python would read': `${'9'.repeat(4301)} `,
    'digits without end': '9'.repeat(5000),
    underscores: '1_000 ',
  },
  unsendable: {
    'a fraction': 1.5,
    'an integer that has lost digits': 2 ** 53,
    NaN,
    infinity: Infinity,
    'more digits than Python would read': 10n ** 4300n,
    'a numeral': '12',
  },
});

testConverter(FLOAT_CONVERTER, [0, -0, 1, -1.5, 1e16, 1e-5, 5e-324, Infinity, -Infinity, NaN], {
  malformed: {
    nothing: ' ',
    hexadecimal: '0x10 ',
    'the name that JavaScript gives infinity': 'Infinity ',
    'two points': '1.2.3 ',
    'letters of its own in disorder': 'fni ',
    'digits without end': '1'.repeat(400),
  },
  unsendable: { 'a numeral': '1.5', 'a bigint': 1n },
});

testConverter(
  STRING_CONVERTER,
  ['', 'a', 'two words', 'Größe', '12 ', '\u{1F600}', 'x'.repeat(300)],
  {
    malformed: {
      'no length': ' x',
      'a negative length': '-1 x',
      'a length with a fraction': '1.0 x',
      'bytes that are not UTF-8': Buffer.concat([Buffer.from('2 '), Buffer.from([0xc3, 0x28])]),
      'a length that cuts a character': Buffer.concat([Buffer.from('1 '), Buffer.from([0xc3])]),
      'an encoded surrogate': Buffer.from([0x33, 0x20, 0xed, 0xa0, 0x80]),
    },
    unsendable: { 'a number': 5, 'a buffer': Buffer.from('a') },
  },
);

describe("the original Pike's wire format", () => {
  it.each<[string, FramedConverter<unknown>, unknown, string]>([
    ['bool', BOOL_CONVERTER, true, 'True'],
    ['bool', BOOL_CONVERTER, false, 'False'],
    ['int', INT_CONVERTER, 0, '0 '],
    ['int', INT_CONVERTER, -0, '0 '],
    ['int', INT_CONVERTER, -123, '-123 '],
    ['int', INT_CONVERTER, 2n ** 64n, '18446744073709551616 '],
    ['float', FLOAT_CONVERTER, 1, '1.0 '],
    ['float', FLOAT_CONVERTER, 1e16, '1e+16 '],
    ['float', FLOAT_CONVERTER, 1e-5, '1e-05 '],
    ['float', FLOAT_CONVERTER, -Infinity, '-inf '],
    ['float', FLOAT_CONVERTER, NaN, 'nan '],
    ['string', STRING_CONVERTER, '', '0 '],
    ['string', STRING_CONVERTER, 'doubled', '7 doubled'],
    ['string', STRING_CONVERTER, 'Größe', '7 Größe'],
  ])('writes a %s', async (_type, converter, message, wire) => {
    const bytes = await encodeAll(converter, message);
    expect(bytes.toString()).toBe(wire);
  });

  it('reads booleans that stand in a row', async () => {
    const { messages } = await everySplit(BOOL_CONVERTER, Buffer.from('TrueFalseFalseTrue'));
    expect(messages).toEqual([true, false, false, true]);
  });

  it('reads integers as Python does: leading zeros, and no negative zero', async () => {
    const messages = await decodeAll(INT_CONVERTER, Buffer.from('007 -0 -012 '));
    expect(messages).toEqual([7, 0, -12]);
  });

  it('reads integers as number as long as they are safe', async () => {
    const wire = '9007199254740991 9007199254740992 -9007199254740991 -9007199254740992 ';
    const { messages } = await everySplit(INT_CONVERTER, Buffer.from(wire));
    expect(messages).toEqual([2 ** 53 - 1, 2n ** 53n, -(2 ** 53) + 1, -(2n ** 53n)]);
  });

  it('reads an integer of as many digits as Python would', async () => {
    const digits = '7'.repeat(4300);
    expect(await decodeAll(INT_CONVERTER, Buffer.from(`${digits} `))).toEqual([BigInt(digits)]);
  });

  it('writes a lone surrogate as the replacement character', async () => {
    const bytes = await encodeAll(STRING_CONVERTER, 'a\ud800b');
    expect(await decodeAll(STRING_CONVERTER, bytes)).toEqual(['a\ufffdb']);
  });
});

describe('lengths that a peer declares', () => {
  const limits = { maxMessageBytes: 100 };

  it.each(['98 ', '999', '9'.repeat(50), '1'.repeat(200)])(
    'refuses %j before anything of the text has arrived',
    async (wire) => {
      const { error } = await everySplit(STRING_CONVERTER, Buffer.from(wire), { limits });
      expect(error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
    },
  );

  it('takes the longest text, whose length and space count too', async () => {
    const wire = Buffer.from(`97 ${'x'.repeat(97)}`);
    expect(await decodeAll(STRING_CONVERTER, wire, { limits })).toEqual(['x'.repeat(97)]);
  });

  it('does not wait for ever for the end of leading zeros', async () => {
    const { error } = await everySplit(STRING_CONVERTER, Buffer.from('0'.repeat(200)), { limits });
    expect(error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
  });
});

describe('whatever is sent', () => {
  it('comes back: integers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.maxSafeInteger(), fc.bigInt())), async (messages) => {
        const bytes = await Promise.all(messages.map((each) => encodeAll(INT_CONVERTER, each)));
        const decoded = await decodeAll(INT_CONVERTER, Buffer.concat(bytes));
        expect(decoded.map(String)).toEqual(messages.map(String));
      }),
    );
  });

  it('comes back: texts', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.string({ unit: 'binary' })), async (messages) => {
        const bytes = await Promise.all(messages.map((each) => encodeAll(STRING_CONVERTER, each)));
        expect(await decodeAll(STRING_CONVERTER, Buffer.concat(bytes))).toEqual(messages);
      }),
    );
  });
});

describe('bytes that nobody has sent', () => {
  it.each([
    ['bool', BOOL_CONVERTER],
    ['int', INT_CONVERTER],
    ['float', FLOAT_CONVERTER],
    ['string', STRING_CONVERTER],
  ] as [string, FramedConverter<unknown>][])(
    'give a %s, a wait or a PikeError, the same at every cut',
    async (_type, converter) => {
      const bytes = fc.oneof(
        fc.uint8Array({ maxLength: 24 }),
        fc.string({
          unit: fc.constantFrom(...'0123456789 -+.einfaTrueFls'.split('')),
          maxLength: 24,
        }),
      );
      await fc.assert(
        fc.asyncProperty(bytes, async (input) => {
          const { error } = await everySplit(converter, Buffer.from(input));
          if (error !== undefined) expect(error).toHaveProperty('code');
        }),
      );
    },
  );
});
