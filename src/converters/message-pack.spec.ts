// Prevents: values that come back as others, and forms that other MessagePack libraries do not read.
import { describe, expect, it } from '@jest/globals';
import { decode as referenceDecode, encode as referenceEncode } from '@msgpack/msgpack';
import fc from 'fast-check';
import { ByteWriter } from '../core/bytes/byte-writer.js';
import { encodeAll, testConverter } from '../testing/converter-contract.js';
import { decodeAll } from '../testing/every-split.js';
import { MessagePackConverter } from './message-pack.js';
import { messagePackPayload } from './message-pack-payload.js';

const SAMPLES: unknown[] = [
  null,
  true,
  0,
  -0,
  -32,
  2 ** 53 - 1,
  1.5,
  NaN,
  -Infinity,
  2n ** 64n - 1n,
  '',
  'x'.repeat(31),
  'Größe \u{1F600}',
  'é'.repeat(130),
  Buffer.alloc(0),
  Buffer.from([1, 2, 3]),
  Buffer.alloc(5000, 1),
  [],
  {},
  new Date(1_700_000_000_123),
  { id: 12, pattern: 'sum', data: [1, 2, 3] },
  { id: 12, response: 6, isDisposed: true },
  nested(64),
  Object.fromEntries(Array.from({ length: 20 }, (_, i) => [`a key of its own ${i}`, { i }])),
];

const circular: Record<string, unknown> = {};
circular['self'] = [circular];

testConverter(new MessagePackConverter(), SAMPLES, {
  unsendable: {
    undefined,
    'a function': () => 1,
    'a symbol': Symbol('s'),
    'a function within': { data: [() => 1] },
    'a bigint that is too large': 2n ** 64n,
    'a bigint that is too small': -(2n ** 63n) - 1n,
    'an invalid date': new Date(NaN),
    'a promise': { data: Promise.resolve(1) },
    'an array of floats': new Float32Array(2),
    'a circular value': circular,
    'one level too deep': nested(65),
    'one level too deep, through maps and sets': nestedIn((inner) => new Map([['a', inner]]), 65),
    'a toJSON that never ends': new (class Endless {
      toJSON(): unknown {
        return new Endless();
      }
    })(),
    'an own __proto__ member': JSON.parse('{"__proto__":1}'),
    'a __proto__ key of a Map': new Map([['__proto__', 1]]),
    'a Map with objects as keys': new Map([[{}, 1]]),
  },
});

/** A value, and the only bytes that are its smallest form (MessagePack specification). */
const FORMS: readonly (readonly [value: unknown, hex: string])[] = [
  [null, 'c0'],
  [false, 'c2'],
  [true, 'c3'],
  [0, '00'],
  [127, '7f'],
  [128, 'cc80'],
  [255, 'ccff'],
  [256, 'cd0100'],
  [65_535, 'cdffff'],
  [65_536, 'ce00010000'],
  [2 ** 31 - 1, 'ce7fffffff'],
  [2 ** 31, 'ce80000000'],
  [2 ** 32 - 1, 'ceffffffff'],
  [2 ** 32, 'cf0000000100000000'],
  [2 ** 53 - 1, 'cf001fffffffffffff'],
  [2n ** 53n, 'cf0020000000000000'],
  [2n ** 64n - 1n, 'cfffffffffffffffff'],
  [-1, 'ff'],
  [-32, 'e0'],
  [-33, 'd0df'],
  [-128, 'd080'],
  [-129, 'd1ff7f'],
  [-32_768, 'd18000'],
  [-32_769, 'd2ffff7fff'],
  [-(2 ** 31), 'd280000000'],
  [-(2 ** 31) - 1, 'd3ffffffff7fffffff'],
  [-(2 ** 53) + 1, 'd3ffe0000000000001'],
  [-(2n ** 53n), 'd3ffe0000000000000'],
  [-(2n ** 63n), 'd38000000000000000'],
  [-0, 'cb8000000000000000'],
  [0.5, 'cb3fe0000000000000'],
  [2 ** 53, 'cb4340000000000000'],
  [Infinity, 'cb7ff0000000000000'],
  ['', 'a0'],
  ['abc', 'a3616263'],
  ['é'.repeat(15), `be${'c3a9'.repeat(15)}`],
  ['é'.repeat(16), `d920${'c3a9'.repeat(16)}`],
  ['x'.repeat(31), `bf${'78'.repeat(31)}`],
  ['x'.repeat(32), `d920${'78'.repeat(32)}`],
  ['x'.repeat(255), `d9ff${'78'.repeat(255)}`],
  ['x'.repeat(256), `da0100${'78'.repeat(256)}`],
  ['€'.repeat(90), `da010e${'e282ac'.repeat(90)}`],
  ['x'.repeat(65_535), `daffff${'78'.repeat(65_535)}`],
  ['x'.repeat(65_536), `db00010000${'78'.repeat(65_536)}`],
  [Buffer.alloc(0), 'c400'],
  [Buffer.from([7]), 'c40107'],
  [Buffer.alloc(256), `c50100${'00'.repeat(256)}`],
  [Buffer.alloc(65_536), `c600010000${'00'.repeat(65_536)}`],
  [[], '90'],
  [[1, [2]], '92019102'],
  [Array.from({ length: 16 }, () => 0), `dc0010${'00'.repeat(16)}`],
  [Array.from({ length: 65_536 }, () => 0), `dd00010000${'00'.repeat(65_536)}`],
  [{}, '80'],
  [{ a: { b: 1 } }, '81a16181a16201'],
  [new Date(0), 'd6ff00000000'],
  [new Date((2 ** 32 - 1) * 1000), 'd6ffffffffff'],
  [new Date(2 ** 32 * 1000), 'd7ff0000000100000000'],
  [new Date(1), 'd7ff003d090000000000'],
  [new Date(999), 'd7ffee2e1f0000000000'],
  [new Date((2 ** 34 - 1) * 1000), 'd7ff00000003ffffffff'],
  [new Date(2 ** 34 * 1000), 'c70cff000000000000000400000000'],
  [new Date(-1), 'c70cff3b8b87c0ffffffffffffffff'],
  [new Date(8.64e15), 'c70cff00000000000007dba8218000'],
  [new Date(-8.64e15), 'c70cff00000000fffff82457de8000'],
];

const codec = messagePackPayload();

describe('MessagePack', () => {
  it.each(FORMS.map(([value, hex]) => [show(value), value, hex]))(
    'writes the smallest form of %s, and reads it',
    (_shown, value, hex) => {
      expect(encoded(value).toString('hex')).toBe(hex);
      expect(codec.decode(Buffer.from(hex as string, 'hex'))).toEqual(value);
    },
  );

  it('stands behind a length of four bytes, big-endian', async () => {
    const bytes = await encodeAll(new MessagePackConverter(), { a: 1 });
    expect(bytes.toString('hex')).toBe('0000000481a16101');
  });

  it.each([
    ['float 32', 'ca3fc00000', 1.5],
    ['a larger form of a small integer', 'cf0000000000000007', 7],
    ['a larger form of a negative one', 'd3ffffffffffffffff', -1],
    ['a larger form of a text', 'db00000001 61', 'a'],
    ['a larger form of a map', 'df00000001 d90161 01', { a: 1 }],
    ['integers as keys', '82 0101 d1fffe 02', { 1: 1, '-2': 2 }],
    ['a large integer as a key', '81cfffffffffffffffff00', { '18446744073709551615': 0 }],
    ['a key that comes twice: the last counts', '82a16101a16102', { a: 2 }],
    ['a key that is no ASCII', '81a2c3a901', { é: 1 }],
    ['nanoseconds, cut off', 'd7ff ee6b27fc 00000000', new Date(999)],
  ])('reads %s', (_what, hex, value) => {
    expect(codec.decode(Buffer.from(hex.replaceAll(' ', ''), 'hex'))).toEqual(value);
  });

  it('reads the same names again and again, and others of the same length', () => {
    const names = ['ab', 'ba', 'aé', 'é', 'e\u0301', '', 'toString', 'constructor'];
    for (let round = 0; round < 3; round += 1) {
      for (const name of names) expect(codec.decode(encoded({ [name]: 1 }))).toEqual({ [name]: 1 });
    }
  });

  it('reads small binaries as copies, so that they do not hold on to what arrived', () => {
    const bytes = encoded(Buffer.from([1, 2, 3]));
    const read = codec.decode(bytes);
    bytes.fill(0);
    expect(read).toEqual(Buffer.from([1, 2, 3]));
  });
});

describe('what MessagePack makes of other values', () => {
  class Point {
    static readonly origin = 0;
    readonly x = 1;
    readonly y = undefined;
    get length(): number {
      return 1;
    }
  }

  it.each([
    ['undefined members are left out', { a: undefined, b: 1 }, { b: 1 }],
    ['undefined elements become null', [1, undefined], [1, null]],
    // oxlint-disable-next-line no-sparse-arrays
    ['holes become null', [1, , 2], [1, null, 2]],
    ['instances become plain objects', new Point(), { x: 1 }],
    ['objects without a prototype', Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ['symbols as keys are left out', { [Symbol('s')]: 1, a: 1 }, { a: 1 }],
    ['toJSON is asked', { url: new URL('http://a.b/c') }, { url: 'http://a.b/c' }],
    [
      'a Map becomes an object',
      new Map<unknown, unknown>([
        ['a', 1],
        [2, 3],
        ['u', undefined],
      ]),
      { a: 1, 2: 3 },
    ],
    ['a Set becomes an array', new Set([1, 'a', undefined]), [1, 'a', null]],
    ['bytes become a Buffer', new Uint8Array([1, 2]), Buffer.from([1, 2])],
    ['an ArrayBuffer becomes a Buffer', new Uint8Array([1, 2]).buffer, Buffer.from([1, 2])],
    ['a safe bigint becomes a number', [5n, -(2n ** 53n) + 1n], [5, -(2 ** 53) + 1]],
    ['boxed primitives', [Object('a'), Object(1)], ['a', 1]],
    ['a lone surrogate becomes the replacement character', 'a\udc00', 'a\ufffd'],
    ['a negative zero as a key of a Map', new Map([[-0, 1]]), { 0: 1 }],
  ])('%s', async (_what, sent, received) => {
    const converter = new MessagePackConverter();
    expect(await decodeAll(converter, await encodeAll(converter, sent))).toEqual([received]);
  });

  it('counts members that a getter gives only now and then', () => {
    let asked = 0;
    const members = {
      get a() {
        return (asked += 1) % 2 === 0 ? 1 : undefined;
      },
      b: 2,
    };
    expect([codec.decode(encoded(members)), codec.decode(encoded(members))]).toEqual([
      { b: 2 },
      { a: 1, b: 2 },
    ]);
  });

  it.each([15, 16, 17, 65_536])('leaves undefined out of %i members', (count) => {
    const members = Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, i]));
    expect(codec.decode(encoded({ ...members, gone: undefined }))).toEqual(members);
  });

  it('may be asked to encode within an encoding', () => {
    const outer = {
      before: 'x'.repeat(50),
      inner: new (class {
        toJSON = () => encoded({ a: 1 });
      })(),
    };
    expect(codec.decode(encoded(outer))).toEqual({ ...outer, inner: encoded({ a: 1 }) });
  });

  it('goes on after a message that could not be encoded', () => {
    expect(() => encoded([1, () => 2])).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_SERIALIZER' }),
    );
    expect(encoded([1]).toString('hex')).toBe('9101');
  });
});

describe('with the reference implementation', () => {
  const anything = fc.anything({
    key: fc.string({ unit: 'binary' }).filter((key) => key !== '__proto__'),
    values: [
      fc.constant(null),
      fc.boolean(),
      fc.maxSafeInteger(),
      fc.double(),
      fc.string({ unit: 'binary' }),
      fc.uint8Array(),
      fc.date({ noInvalidDate: true }),
    ],
    maxDepth: 5,
  });

  it('reads what we write', () => {
    fc.assert(
      fc.property(anything, (value) => {
        expect(plain(referenceDecode(encoded(value)))).toEqual(plain(value));
      }),
    );
  });

  it('writes what we read as it does', () => {
    fc.assert(
      fc.property(anything, (value) => {
        const theirs = Buffer.from(referenceEncode(value));
        // Not the value itself: the other library writes -0 as 0.
        expect(plain(codec.decode(theirs))).toEqual(plain(referenceDecode(theirs)));
      }),
    );
  });

  it('agrees about large integers', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }), (value) => {
        expect(BigInt(codec.decode(encoded(value)) as number | bigint)).toBe(value);
        const theirs = referenceDecode(encoded(value), { useBigInt64: true });
        expect(BigInt(theirs as number | bigint)).toBe(value);
      }),
    );
  });
});

describe('options', () => {
  it.each([{ maxDepth: 0 }, { maxDepth: Infinity }, { maxDepth: 513 }, { maxdepth: 3 }])(
    'are refused: %p',
    (options) => {
      expect(() => new MessagePackConverter(options as object)).toThrow(
        expect.objectContaining({ code: 'PIKE_ERR_INVALID_OPTION' }),
      );
    },
  );

  it('bound how deeply values nest', async () => {
    const converter = new MessagePackConverter({ maxDepth: 1 });
    expect(await decodeAll(converter, await encodeAll(converter, [1]))).toEqual([[1]]);
    await expect(encodeAll(converter, [[]])).rejects.toMatchObject({ code: 'PIKE_ERR_SERIALIZER' });
  });
});

function encoded(value: unknown): Buffer {
  const writer = new ByteWriter(Buffer.alloc(4));
  codec.encode(value, writer);
  return Buffer.from(writer.buffer.subarray(0, writer.position));
}

function nested(depth: number): unknown {
  return nestedIn((inner) => [inner], depth);
}

function nestedIn(wrap: (inner: unknown) => unknown, depth: number): unknown {
  let value: unknown = [];
  for (let level = 1; level < depth; level += 1) value = wrap(value);
  return value;
}

/** Buffers and byte arrays alike, for comparing what two libraries give. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return { bytes: [...value] };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

function show(value: unknown): string {
  const text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value));
  return `${Object.is(value, -0) ? '-' : ''}${text.slice(0, 40)} (${text.length})`;
}
