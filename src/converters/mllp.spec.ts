// Prevents: a patient's message that is cut, joined with another's or read in the wrong encoding, and a
// sender that never ends its message.
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { encodeAll, testConverter } from '../testing/converter-contract.js';
import { decodeAll, everySplit } from '../testing/every-split.js';
import { MllpConverter } from './mllp.js';

const ADMISSION =
  'MSH|^~\\&|HIS|CITY|PIKE||20260102030405||ADT^A01|4711|P|2.5\rPID|1||12345||Müller^Änne\r';

const block = (content: string, encoding: BufferEncoding = 'latin1'): Buffer =>
  Buffer.from(`\x0b${content}\x1c\r`, encoding);

const MALFORMED = {
  'no start': 'MSH|^~\\&|\x1c\r',
  'a line end between blocks': `${block('one').toString()}\r\n`,
  'a start within a block': block('one\x0btwo'),
  'a block that begins twice': '\x0b\x0bone\x1c\r',
  'an end within a block': block('one\x1ctwo'),
  'an end that is sent twice': block('one\x1c'),
};

testConverter(new MllpConverter(), ['', '\r', ADMISSION, '\u20ac \u{1F600}', 'x'.repeat(300)], {
  malformed: {
    ...MALFORMED,
    'a text that is no UTF-8': block('\xff'),
    'a character that is cut': block('\xe2\x82'),
  },
  unsendable: {
    undefined,
    'an object': {},
    'a text with a start of a block': 'a\x0bb',
    'a text with an end of a block': 'a\x1cb',
  },
});

testConverter(new MllpConverter({ encoding: 'latin1' }), ['', ADMISSION, '\xff\x80'], {
  name: 'MllpConverter of Latin-1',
  malformed: MALFORMED,
  unsendable: { 'a text that is not Latin-1': '\u20ac', 'an end of a block': '\x1c\r' },
});

describe('MllpConverter', () => {
  it('writes a message between the bytes of the specification', async () => {
    const bytes = await encodeAll(new MllpConverter(), 'MSH|ü');
    expect(bytes.toString('hex')).toBe('0b4d53487cc3bc1c0d');
  });

  it('reads a message in its encoding', async () => {
    const bytes = block('Müller');
    expect(await decodeAll(new MllpConverter({ encoding: 'latin1' }), bytes)).toEqual(['Müller']);
    await expect(decodeAll(new MllpConverter(), bytes)).rejects.toMatchObject({
      code: 'PIKE_ERR_MALFORMED',
    });
  });

  it('counts the frame, where the limit is concerned', async () => {
    const bytes = block('x'.repeat(97));
    const converter = new MllpConverter();
    expect(await decodeAll(converter, bytes, { limits: { maxMessageBytes: 100 } })).toHaveLength(1);
    const less = { limits: { maxMessageBytes: 99 } };
    expect((await everySplit(converter, bytes, less)).error).toMatchObject({
      code: 'PIKE_ERR_MESSAGE_TOO_LARGE',
    });
  });

  it('looks at each byte once for the end, however they arrive', async () => {
    const bytes = block('x'.repeat(5000));
    const deserializer = new MllpConverter().createDeserializer(undefined, {
      maxMessageBytes: bytes.length,
    });
    const indexOf = jest.spyOn(Buffer.prototype, 'indexOf');
    for (let end = 1; end <= bytes.length; end += 1) {
      deserializer.putBytes(bytes.subarray(0, end), () => {});
    }
    const looked = indexOf.mock.calls.reduce(
      (sum, [, from], call) =>
        sum + (indexOf.mock.contexts[call] as Buffer).length - Number(from ?? 0),
      0,
    );
    indexOf.mockRestore();
    expect(deserializer.message).toHaveLength(5000);
    // Quadratic would be some 12 millions.
    expect(looked).toBeLessThan(5 * bytes.length);
  });

  it.each([{ encoding: 'ascii' }, { encoding: '__proto__' }, { charset: 'utf8' }])(
    'refuses the options %p',
    (options) => {
      expect(() => new MllpConverter(options as object)).toThrow(
        expect.objectContaining({ code: 'PIKE_ERR_INVALID_OPTION' }),
      );
    },
  );

  it('gives a message, a wait or a PikeError for any bytes, the same at every cut', async () => {
    const pieces = fc.array(fc.constantFrom(0x0b, 0x1c, 0x0d, 0x41, 0xff, 0xc3, 0xbc), {
      maxLength: 14,
    });
    const limits = { maxMessageBytes: 8 };
    await fc.assert(
      fc.asyncProperty(pieces, async (input) => {
        const bytes = Buffer.from([0x0b, ...input]);
        const { error } = await everySplit(new MllpConverter(), bytes, { limits });
        if (error !== undefined) expect(error).toHaveProperty('code');
      }),
      { numRuns: 1000 },
    );
  });
});
