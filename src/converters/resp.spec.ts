// Prevents: a reply that is taken for another's because a value was cut, misread or counted wrongly, and
// a peer that costs more than its connection by lengths, counts or depths that it makes up.
import { describe, expect, it, jest } from '@jest/globals';
import fc from 'fast-check';
import { encodeAll, testConverter } from '../testing/converter-contract.js';
import { decodeAll, everySplit } from '../testing/every-split.js';
import { RespConverter } from './resp.js';
import type { RespOptions } from './resp.js';
import type { RespValue } from './resp-value.js';
import { isRespError, RespError, RespSimpleString } from './resp-value.js';

/** As a value comes back: a simple string is a text, and bytes are one in an encoding. */
function received(value: RespValue): unknown {
  if (Array.isArray(value)) return value.map(received);
  if (value instanceof RespSimpleString) return value.text;
  if (value instanceof RespError) return { error: value.message };
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1');
  return value;
}

const SAMPLES: RespValue[] = [
  '',
  'OK',
  'Größe \u{1F600}',
  'two\r\nlines',
  '$5\r\nhello\r\n',
  0,
  -1,
  Number.MAX_SAFE_INTEGER,
  Number.MIN_SAFE_INTEGER,
  2n ** 63n - 1n,
  -(2n ** 63n),
  null,
  [],
  [null],
  ['GET', 'key'],
  [1, [2, [[]], 'three'], new RespError('ERR within'), new RespSimpleString('QUEUED'), null],
  new RespSimpleString(''),
  new RespSimpleString('OK'),
  new RespError('ERR unknown command'),
  new RespError(''),
  'x'.repeat(300),
];

const MALFORMED = {
  'no type': 'GET key\r\n',
  'a type of RESP3': '%1\r\n+key\r\n:1\r\n',
  'nothing but a line end': '\r\n',
  'a line that ends with LF': '+OK\n',
  'a line with CR within': '+O\rK\r\n',
  'a line that ends with CR CR LF': '+OK\r\r\n',
  'a length that ends with LF': '$1\na\r\n',
  'no length': '$\r\n\r\n',
  'a length that is none': '$x\r\n',
  'a length with a fraction': '$1.0\r\na\r\n',
  'a length in hexadecimal': '$0x1\r\na\r\n',
  'a length below -1': '$-2\r\n',
  'a count below -1': '*-2\r\n',
  'a length of too many digits': `$${'1'.repeat(30)}\r\n`,
  'a length without an end': `$${'1'.repeat(5000)}`,
  'a bulk string longer than its length': '$1\r\nab\r\n',
  'a bulk string without its line end': '$1\r\na:1\r\n',
  'a bulk string that ends with LF': '$1\r\na\n\n',
  'no integer': ':\r\n',
  'an integer that is none': ':one\r\n',
  'an integer with a blank': ': 1\r\n',
  'an integer with two signs': ':--1\r\n',
  'an integer of more than 64 bits': ':9223372036854775808\r\n',
  'an integer below 64 bits': ':-9223372036854775809\r\n',
  'too deep': '*1\r\n'.repeat(65),
  'an element that is none': '*2\r\n:1\r\n!\r\n',
  'a bulk string that is no UTF-8': Buffer.from('$1\r\n\xff\r\n', 'latin1'),
  'a simple string that is no UTF-8': Buffer.from('+\xff\r\n', 'latin1'),
};

testConverter(new RespConverter(), SAMPLES, {
  compare: received,
  malformed: MALFORMED,
  unsendable: {
    undefined,
    true: true,
    'a fraction': 1.5,
    'no number': Number.NaN,
    'an integer beyond the safe ones': 2 ** 53,
    'an integer of more than 64 bits': 2n ** 63n,
    'a date': new Date(0),
    'a map': { key: 1 },
    'an error of another kind': new Error('ERR'),
    'an array with a hole': Object.assign([1], { length: 2 }),
    'a simple string of two lines': new RespSimpleString('O\r\nK'),
    'too deep': Array.from({ length: 65 }).reduce<unknown>((inner) => [inner], 1),
  },
});

testConverter(
  new RespConverter({ encoding: 'latin1' }),
  ['\x00', '\xff', ['Größe', '\r\n'], null],
  {
    name: 'RespConverter of Latin-1',
    unsendable: { 'a text that is not Latin-1': '\u20ac' },
  },
);

testConverter(
  new RespConverter({ encoding: 'buffer', inlineCommands: true }),
  [['SET', 'key', Buffer.from([0, 255, 13, 10])], [], ['PING']],
  {
    name: 'RespConverter of bytes, for servers',
    compare: received,
    malformed: {
      'a quote that is not closed': 'GET "key\r\n',
      'a single quote that is not closed': "GET 'key\r\n",
      'a word behind a quote': 'GET "key"s\r\n',
      'an array that is none': '*x\r\n',
      'a line within an array': '*1\r\nPING\r\n',
    },
  },
);

/** What hostile bytes are made of. */
const PIECES = '+ - : $ * 0 1 2 3 -1 % a \r\n \n \r " \' \\ \xff *2\r\n $2\r\n'
  .split(' ')
  .concat(' ');

const wire = (text: string): Buffer => Buffer.from(text, 'latin1');

describe('RespConverter', () => {
  // The examples of the specification, and those that it describes in words.
  it.each<[unknown, string]>([
    [new RespSimpleString('OK'), '+OK\r\n'],
    [new RespError('ERR unknown command'), '-ERR unknown command\r\n'],
    [-1000, ':-1000\r\n'],
    ['hello', '$5\r\nhello\r\n'],
    ['', '$0\r\n\r\n'],
    ['ü', '$2\r\n\xc3\xbc\r\n'],
    [Buffer.from([0xff, 0]), '$2\r\n\xff\0\r\n'],
    [null, '$-1\r\n'],
    [[], '*0\r\n'],
    [['hello', 'world'], '*2\r\n$5\r\nhello\r\n$5\r\nworld\r\n'],
    [[1, [2], null], '*3\r\n:1\r\n*1\r\n:2\r\n$-1\r\n'],
    [new RespError('ERR no\r\nsuch thing'), '-ERR no  such thing\r\n'],
  ])('writes %p as %j', async (value, text) => {
    const bytes = await encodeAll(new RespConverter(), value as RespValue);
    expect(bytes.toString('latin1')).toBe(text);
  });

  it.each<[string, unknown]>([
    ['*-1\r\n', null],
    [':+5\r\n', 5],
    [':-0\r\n', 0],
    [':007\r\n', 7],
    [':9223372036854775807\r\n', 9223372036854775807n],
    [':+9223372036854775807\r\n', 9223372036854775807n],
    ['*3\r\n$3\r\nfoo\r\n$-1\r\n$3\r\nbar\r\n', ['foo', null, 'bar']],
  ])('reads %j, however it is cut, as %p', async (text, value) => {
    const { messages, error } = await everySplit(new RespConverter(), wire(text));
    expect({ messages, error }).toEqual({ messages: [value], error: undefined });
  });

  it('reads an error as one that can be thrown, whatever bytes it quotes', async () => {
    const bytes = wire("-ERR unknown command '\xff'\r\n");
    const [error] = await decodeAll(new RespConverter(), bytes);
    expect(isRespError(error)).toBe(true);
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).message).toBe("ERR unknown command '\ufffd'");
  });

  it.each<[string, RespOptions, string, unknown[]]>([
    ['words', {}, 'SET  key\tvalue \r\n', ['SET', 'key', 'value']],
    ['a line that ends with LF', {}, 'PING\n', ['PING']],
    ['nothing', {}, '\r\n', []],
    ['blanks', {}, '  \n', []],
    ['an empty word', {}, 'ECHO ""\r\n', ['ECHO', '']],
    ['blanks in quotes', {}, 'ECHO "hello world"\r\n', ['ECHO', 'hello world']],
    ['escapes', {}, 'ECHO "\\n\\r\\t\\b\\a\\\\\\"\\q"\r\n', ['ECHO', '\n\r\t\b\x07\\"q']],
    ['bytes', { encoding: 'latin1' }, 'ECHO "\\xff\\x0A\\xg1"\r\n', ['ECHO', '\xff\nxg1']],
    ['single quotes', {}, "ECHO 'it\\'s \\n'\r\n", ['ECHO', "it's \\n"]],
    ['a type that is no command', {}, '$4\r\n', ['$4']],
  ])('reads an inline command: %s', async (_, options, text, words) => {
    const converter = new RespConverter({ ...options, inlineCommands: true });
    expect((await everySplit(converter, wire(text))).messages).toEqual([words]);
  });

  it.each([
    ['a length', '$95\r\n'],
    ['a length beyond all bounds', '$999999999999999999\r\n'],
    ['a length that leaves no place for its end', '$94\r\n'],
    ['a count', '*40\r\n'],
    ['a count within', '*2\r\n$80\r\n' + 'x'.repeat(80) + '\r\n*9\r\n'],
    ['a length within', '*2\r\n$80\r\n' + 'x'.repeat(80) + '\r\n$9\r\n'],
    ['a line', '+' + 'x'.repeat(120)],
    ['a line with its end', '+' + 'x'.repeat(98) + '\r\n'],
    ['elements that fill it', '*30\r\n' + '$0\r\n\r\n'.repeat(16)],
  ])('refuses %s over maxMessageBytes before more has arrived', async (_, text) => {
    const limits = { maxMessageBytes: 100 };
    const { error } = await everySplit(new RespConverter(), wire(text), { limits });
    expect(error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
  });

  it('looks at the elements of an array once, however they arrive', async () => {
    const value = Array.from({ length: 20_000 }, (_, index) => index);
    const bytes = await encodeAll(new RespConverter(), value);
    const deserializer = new RespConverter().createDeserializer(undefined, {
      maxMessageBytes: bytes.length,
    });
    let kept = Buffer.alloc(0);
    let most = 0;
    for (const byte of bytes) {
      const [unused] = deserializer.putBytes(Buffer.concat([kept, Buffer.of(byte)]), () => {});
      kept = Buffer.from(unused as Uint8Array);
      most = Math.max(most, kept.length);
    }
    expect(deserializer.message).toEqual(value);
    expect(most).toBeLessThan(10);
  });

  it('looks at each byte of a line once, however they arrive', () => {
    const line = wire(`+${'x'.repeat(5000)}\r\n`);
    const indexOf = jest.spyOn(Buffer.prototype, 'indexOf');
    const deserializer = new RespConverter().createDeserializer(undefined, {
      maxMessageBytes: line.length,
    });
    for (let end = 1; end <= line.length; end += 1) {
      deserializer.putBytes(line.subarray(0, end), () => {});
    }
    const looked = indexOf.mock.calls.reduce(
      (sum, [, from], call) => sum + (indexOf.mock.contexts[call] as Buffer).length - Number(from),
      0,
    );
    indexOf.mockRestore();
    expect(deserializer.message).toBe('x'.repeat(5000));
    expect(looked).toBeLessThan(3 * line.length);
  });

  it('keeps no stack of each error that a peer sends', async () => {
    const bytes = wire(`*1000\r\n${'-\r\n'.repeat(1000)}`);
    const [errors] = (await decodeAll(new RespConverter(), bytes)) as [RespError[]];
    expect(errors).toHaveLength(1000);
    for (const error of errors) expect(error.stack).not.toContain('\n');
    expect(new Error('another').stack).toContain('\n');
  });

  it.each([
    { encoding: 'ascii' },
    { inlineCommands: 1 },
    { maxDepth: 0 },
    { maxDepth: 513 },
    { delimiter: '\n' },
  ])('refuses the options %p', (options) => {
    expect(() => new RespConverter(options as object)).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_INVALID_OPTION' }),
    );
  });

  it('gives back whatever is sent', async () => {
    const converter = new RespConverter();
    const { value } = fc.letrec<{ value: RespValue }>((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.string({ unit: 'grapheme' }),
        fc.maxSafeInteger(),
        fc.constant(null),
        fc.bigInt(2n ** 60n, 2n ** 63n - 1n),
        fc.array(tie('value'), { maxLength: 4 }),
      ),
    }));
    await fc.assert(
      fc.asyncProperty(fc.array(value, { maxLength: 3 }), async (values) => {
        const bytes = await Promise.all(values.map((each) => encodeAll(converter, each)));
        const { messages } = await everySplit(converter, Buffer.concat(bytes));
        expect(messages).toEqual(values);
      }),
      { numRuns: 50 },
    );
  });

  it.each([false, true])(
    'gives a value, a wait or a PikeError for any bytes, the same at every cut (inline commands: %p)',
    async (inlineCommands) => {
      const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 14 });
      const converter = new RespConverter({ inlineCommands, maxDepth: 2 });
      const limits = { maxMessageBytes: 14 };
      await fc.assert(
        fc.asyncProperty(pieces, async (input) => {
          const { error } = await everySplit(converter, wire(input.join('')), { limits });
          if (error !== undefined) expect(error).toHaveProperty('code');
        }),
        { numRuns: 2000 },
      );
    },
  );
});
