/*
 * Prevents: a misspelt or wrong option of a converter that is ignored, and shows only on the wire.
 */
import { describe, expect, it } from '@jest/globals';
import { isPikeError } from '../core/errors.js';
import { ByteWriter } from '../core/bytes/byte-writer.js';
import {
  DelimitedConverter,
  FileConverter,
  JsonConverter,
  LengthPrefixedConverter,
  LineConverter,
  MessagePackConverter,
  NestTcpConverter,
  jsonPayload,
  messagePackPayload,
} from './index.js';
import type { PayloadCodec } from './index.js';

type Make = (options: never) => unknown;

/** Everything that takes options, with some that are right, and some that are wrong by name. */
const MAKERS: [string, Make, object, Record<string, unknown[]>][] = [
  [
    'DelimitedConverter',
    (options) => new DelimitedConverter(options),
    { delimiter: ';' },
    { delimiter: [undefined, null, '', Buffer.alloc(0), 59, [59]], payload: [null, 'json', {}] },
  ],
  [
    'LineConverter',
    (options) => new LineConverter(options),
    {},
    { ending: ['\r', '', 10, null], encoding: ['utf-16', null, 'toString'], payload: [null, {}] },
  ],
  [
    'LengthPrefixedConverter',
    (options) => new LengthPrefixedConverter(options),
    {},
    { bytes: [0, 3, 8, '4', null], order: ['be', null, 1], payload: [null, {}, () => {}] },
  ],
  ['JsonConverter', (options) => new JsonConverter(options), {}, { maxDepth: [0, 513, '9', 1.5] }],
  [
    'MessagePackConverter',
    (options) => new MessagePackConverter(options),
    {},
    { maxDepth: [0, 513, '9', null, Number.NaN] },
  ],
  ['NestTcpConverter', (options) => new NestTcpConverter(options), {}, { maxDepth: [-1, 1e9] }],
  ['jsonPayload', (options) => jsonPayload(options), {}, { maxDepth: [0, {}] }],
  ['messagePackPayload', (options) => messagePackPayload(options), {}, { maxDepth: [0, []] }],
  [
    'FileConverter',
    (options) => new FileConverter(options),
    {},
    {
      directory: ['', 5, 'a\0b', null],
      maxFileBytes: [-1, 0.5, '9', Number.POSITIVE_INFINITY],
      existing: ['overwrite', null, 'constructor'],
      checksum: ['md5', null, 'toString'],
      onProgress: ['yes', null, {}],
    },
  ],
];

function codeOf(make: () => unknown): unknown {
  try {
    make();
    return 'nothing was thrown';
  } catch (thrown) {
    return isPikeError(thrown) ? thrown.code : thrown;
  }
}

describe.each(MAKERS)('%s', (_, make, right, wrong) => {
  it('takes right options', () => {
    expect(make(right as never)).toBeInstanceOf(Object);
  });

  it.each<unknown>([null, 5, 'options', true])('refuses %p in place of options', (options) => {
    expect(codeOf(() => make(options as never))).toBe('PIKE_ERR_INVALID_OPTION');
  });

  it('refuses an option that it does not know, and names it', () => {
    const misspelt = { ...right, maxdepth: 5 };
    expect(codeOf(() => make(misspelt as never))).toBe('PIKE_ERR_INVALID_OPTION');
    expect(() => make(misspelt as never)).toThrow(/"maxdepth"/);
  });

  it.each(
    Object.entries(wrong).flatMap(([name, values]) =>
      values.map((value): [string, unknown] => [name, value]),
    ),
  )('refuses %s: %p, and names it', (name, value) => {
    const options = { ...right, [name]: value } as never;
    expect(codeOf(() => make(options))).toBe('PIKE_ERR_INVALID_OPTION');
    expect(() => make(options)).toThrow(name);
  });
});

describe('a payload whose encode is async', () => {
  const payload: PayloadCodec<string> = {
    // eslint-disable-next-line typescript/no-misused-promises -- what a careless author writes
    encode: async () => {
      throw new Error('nobody is listening any more');
    },
    decode: String,
  };

  it.each([
    ['LengthPrefixedConverter', new LengthPrefixedConverter({ payload })],
    ['DelimitedConverter', new DelimitedConverter({ delimiter: ';', payload })],
    ['LineConverter', new LineConverter({ payload })],
  ])('is refused by %s: it would send an empty message', (_, converter) => {
    expect(() => converter.encode('text', new ByteWriter(Buffer.alloc(64)))).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_SERIALIZER',
        message: expect.stringContaining('encode of a payload must return nothing'),
      }),
    );
  });
});
