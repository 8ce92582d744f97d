// Prevents: JSON from a peer that poisons prototypes or overflows the stack, now or later.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { encodeAll, testConverter } from '../testing/converter-contract.js';
import { decodeAll, everySplit } from '../testing/every-split.js';
import { JsonConverter } from './json.js';

const SAMPLES: unknown[] = [
  null,
  false,
  0,
  '',
  'Größe \u{1F600} \u2028',
  'a lone \ud800 surrogate',
  [],
  {},
  { id: 12, pattern: 'sum', data: [1, 2.5, -3e300] },
  { text: '__proto__', nested: { list: [[['{[']]] } },
  nested(64),
  Array.from({ length: 100 }, () => ({})),
  { quotes: '\\"[[[[', escaped: '"__proto__":' },
  { 'a name with "__proto__': 1 },
];

const circular: Record<string, unknown> = {};
circular['self'] = circular;

testConverter(new JsonConverter(), SAMPLES, {
  malformed: {
    nothing: frame(''),
    'no JSON': frame('{]'),
    'bytes behind the value': frame('1 2'),
    'a trailing comma': frame('[1,]'),
    'single quotes': frame("'a'"),
    NaN: frame('NaN'),
    'a byte order mark': frame('\ufeff{}'),
    'invalid UTF-8': frame(Buffer.from([0x22, 0xff, 0x22])),
    'a cut character': frame(Buffer.from([0x22, 0xe2, 0x82, 0x22])),
    'a __proto__ member': frame('{"__proto__":{"admin":true}}'),
    'a __proto__ member behind spaces': frame('{"a":[{ "__proto__" : 1}]}'),
    'a __proto__ member with escaped letters': frame('{"\\u005f_\\u0070roto__":{"admin":true}}'),
    'one level too deep': frame(JSON.stringify(nested(65))),
    'one level too deep, in objects': frame('{"a":'.repeat(65) + '1' + '}'.repeat(65)),
    'too deep behind a shallow part': frame(
      `[${'[],'.repeat(99)}${'['.repeat(64)}${']'.repeat(65)}`,
    ),
    'brackets without end': frame('['.repeat(100_000)),
  },
  unsendable: {
    undefined,
    'a function': () => 1,
    'a symbol': Symbol('s'),
    'a bigint': 1n,
    'a circular value': circular,
    'one level too deep': nested(65),
    'far too deep': nested(100_000),
    'an own __proto__ member': JSON.parse('{"a":{"__proto__":1}}'),
  },
});

describe('JsonConverter', () => {
  it('writes a length of four bytes, big-endian, and JSON', async () => {
    const bytes = await encodeAll(new JsonConverter(), { a: 'ü' });
    expect(bytes).toEqual(Buffer.concat([Buffer.from([0, 0, 0, 10]), Buffer.from('{"a":"ü"}')]));
  });

  it('says what to do about undefined', async () => {
    await expect(encodeAll(new JsonConverter(), undefined)).rejects.toMatchObject({
      code: 'PIKE_ERR_SERIALIZER',
      message: expect.stringContaining('send null'),
    });
  });

  it('keeps the reason why something is no JSON', async () => {
    const { error } = await everySplit(new JsonConverter(), frame('{'));
    expect(error).toMatchObject({ code: 'PIKE_ERR_MALFORMED', cause: expect.anything() });
  });

  it('takes a replacement character that was really sent', async () => {
    const bytes = frame('"\ufffd"');
    expect(await decodeAll(new JsonConverter(), bytes)).toEqual(['\ufffd']);
  });

  it('takes escapes that only look like a __proto__ member', async () => {
    const wire = frame('{"\\u0061":"\\u005f_proto__","b\\u00e9":["__proto__"]}');
    const [message] = await decodeAll(new JsonConverter(), wire);
    expect(message).toEqual({ a: '__proto__', bé: ['__proto__'] });
  });

  it('counts no brackets within strings', async () => {
    const message = { a: '['.repeat(200), b: `\\"${'{'.repeat(200)}`, c: '\\' };
    const converter = new JsonConverter();
    expect(await decodeAll(converter, await encodeAll(converter, message))).toEqual([message]);
  });

  it('nests as deeply as it is told to', async () => {
    const one = new JsonConverter({ maxDepth: 1 });
    expect(await decodeAll(one, frame('[1,{}]'.replace('{}', '2')))).toEqual([[1, 2]]);
    expect((await everySplit(one, frame('[[]]'))).error).toMatchObject({
      code: 'PIKE_ERR_MALFORMED',
    });
    const deep = new JsonConverter({ maxDepth: 512 });
    expect(await decodeAll(deep, await encodeAll(deep, nested(512)))).toEqual([nested(512)]);
  });

  it.each([{ maxDepth: 0 }, { maxDepth: 1.5 }, { maxDepth: 513 }, { maxDepth: '3' }, { depth: 3 }])(
    'refuses the options %p',
    (options) => {
      expect(() => new JsonConverter(options as object)).toThrow(
        expect.objectContaining({ code: 'PIKE_ERR_INVALID_OPTION' }),
      );
    },
  );

  it('gives back whatever is sent', async () => {
    const converter = new JsonConverter();
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), async (messages) => {
        // A name that fast-check likes to try, and that is refused.
        fc.pre(!JSON.stringify(messages).includes('"__proto__":'));
        const bytes = await Promise.all(messages.map((each) => encodeAll(converter, each)));
        const received = await decodeAll(converter, Buffer.concat(bytes));
        expect(received).toEqual(JSON.parse(JSON.stringify(messages)));
      }),
    );
  });

  it('accepts nothing that JSON.parse would not, and all else but __proto__', async () => {
    const converter = new JsonConverter();
    const text = fc.string({ unit: fc.constantFrom(...'[]{}",:\\u0051ae. _proto'.split('')) });
    await fc.assert(
      fc.asyncProperty(text, async (input) => {
        const { messages } = await everySplit(converter, frame(input));
        expect(messages).toEqual(input.includes('proto') ? messages : parsed(input));
      }),
    );
  });
});

function frame(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function nested(depth: number): unknown[] {
  let value: unknown[] = [];
  for (let level = 1; level < depth; level += 1) value = [value];
  return value;
}

function parsed(text: string): unknown[] {
  try {
    return [JSON.parse(text)];
  } catch {
    return [];
  }
}
