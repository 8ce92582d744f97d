// Prevents: a message that is received as two, and a peer whose long line costs quadratic time.
import { afterEach, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Converter } from '../core/converter.js';
import { encodeAll, testConverter } from '../testing/converter-contract.js';
import { decodeAll, decodePieces, everySplit } from '../testing/every-split.js';
import { DelimitedConverter } from './delimited.js';
import { jsonPayload } from './json-payload.js';
import { latin1Payload } from './latin1-payload.js';
import { LineConverter } from './line-converter.js';
import { textPayload } from './text-payload.js';

testConverter(
  new DelimitedConverter({ delimiter: '\0' }),
  [Buffer.alloc(0), Buffer.from('abc'), Buffer.alloc(200, 1)],
  {
    name: 'DelimitedConverter of bytes',
    unsendable: {
      'the delimiter': Buffer.from([0]),
      'bytes with the delimiter in them': Buffer.from('a\0b'),
      'a string': 'abc',
    },
  },
);

testConverter(
  new DelimitedConverter({ delimiter: '\r\n.\r\n', payload: textPayload }),
  ['', 'Größe \u{1F600}', 'two\r\nlines', '\r\n', '.', '..', '\r\n..\r\n'],
  {
    name: 'DelimitedConverter with a long delimiter',
    malformed: { 'invalid UTF-8': Buffer.from([0xff, 0x0d, 0x0a, 0x2e, 0x0d, 0x0a]) },
    unsendable: {
      'a text with the delimiter in it': 'a\r\n.\r\nb',
      'a text that makes a delimiter with the one behind it': 'a\r\n.',
    },
  },
);

testConverter(
  new LineConverter(),
  ['', 'a', 'Größe \u{1F600}', ' two  words ', 'a\rb', 'x'.repeat(300)],
  {
    malformed: { 'invalid UTF-8': Buffer.from([0xc3, 0x0a]) },
    unsendable: { 'two lines': 'a\nb', 'a line end': '\n', 'a carriage return at the end': 'a\r' },
  },
);

testConverter(new LineConverter({ ending: '\r\n', encoding: 'latin1' }), ['', 'é', 'a\r', '\r'], {
  name: 'LineConverter of Latin-1 and CRLF',
  unsendable: { 'two lines': 'a\nb', 'a character that is not Latin-1': '€', 'a number': 1 },
});

testConverter(
  new LineConverter<unknown>({ payload: jsonPayload() }),
  [{ a: [1, 'two\nlines', null] }, 'text', 0, []],
  {
    name: 'LineConverter of JSON (NDJSON)',
    malformed: { 'an empty line': '\n', 'no JSON': '{\n', 'two values': '1 2\n' },
    unsendable: { undefined },
  },
);

describe('LineConverter', () => {
  it('reads lines with either end, mixed, and leaves the end out', async () => {
    const wire = Buffer.from('one\ntwo\r\n\r\n\nthree\r\r\n\rfour\n');
    const { messages } = await everySplit(new LineConverter(), wire);
    expect(messages).toEqual(['one', 'two', '', '', 'three\r', '\rfour']);
  });

  it.each([
    [{}, 'ü', [0xc3, 0xbc, 0x0a]],
    [{ ending: '\r\n' }, 'ü', [0xc3, 0xbc, 0x0d, 0x0a]],
    [{ encoding: 'latin1' }, 'ü', [0xfc, 0x0a]],
    [{ ending: '\r\n' }, '', [0x0d, 0x0a]],
  ] as const)('with the options %p writes %j as %p', async (options, line, bytes) => {
    expect([...(await encodeAll(new LineConverter(options), line))]).toEqual(bytes);
  });

  it('takes a line without an end for unfinished', async () => {
    const decoded = await everySplit(new LineConverter(), Buffer.from('one\ntwo'));
    expect(decoded).toEqual({ messages: ['one'], error: undefined, incomplete: true });
  });

  it.each([
    [{ ending: '\r' }, 'ending'],
    [{ ending: 'toString' }, 'ending'],
    [{ encoding: 'utf16le' }, 'encoding'],
    [{ encoding: 'constructor' }, 'encoding'],
    [{ encoding: 'utf8', payload: jsonPayload() }, 'encoding'],
    [{ payload: {} }, 'payload'],
    [{ delimiter: ';' }, 'delimiter'],
  ])('refuses the options %p', (options, name) => {
    expect(() => new LineConverter(options as object)).toThrow(invalid(name));
  });
});

describe('DelimitedConverter', () => {
  it('refuses a message that would make the delimiter together with what is behind it', async () => {
    const converter = new DelimitedConverter({ delimiter: 'aa', payload: latin1Payload });
    await expect(encodeAll(converter, 'ba')).rejects.toMatchObject({ code: 'PIKE_ERR_SERIALIZER' });
    expect(await decodeAll(converter, await encodeAll(converter, 'ab'))).toEqual(['ab']);
  });

  it('keeps a delimiter of its own', async () => {
    const delimiter = Buffer.from(';');
    const converter = new DelimitedConverter({ delimiter, payload: textPayload });
    delimiter.fill('x');
    expect(await decodeAll(converter, Buffer.from('axa;'))).toEqual(['axa']);
  });

  it.each([
    [undefined, 'delimiter'],
    [{}, 'delimiter'],
    [{ delimiter: '' }, 'delimiter'],
    [{ delimiter: new Uint8Array(0) }, 'delimiter'],
    [{ delimiter: 10 }, 'delimiter'],
    [{ delimiter: ';', payload: 'text' }, 'payload'],
    [{ delimiter: ';', separator: ';' }, 'separator'],
  ])('refuses the options %p', (options, name) => {
    expect(() => new DelimitedConverter(options as { delimiter: string })).toThrow(invalid(name));
  });

  it('gives back whatever is sent, or refuses to send it', async () => {
    const unit = fc.constantFrom('a', 'b', '\n', '\r');
    const some = fc.string({ unit, maxLength: 6 });
    const delimiter = fc.string({ unit, minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(delimiter, fc.array(some), async (end, messages) => {
        const converter = new DelimitedConverter({ delimiter: end, payload: textPayload });
        const wire: Buffer[] = [];
        const sent: string[] = [];
        for (const message of messages) {
          // What a reader would make of it, found in another way.
          const fits = `${message}${end}`.indexOf(end) === message.length;
          const bytes = await encodeAll(converter, message).catch(() => undefined);
          expect(bytes !== undefined).toBe(fits);
          if (bytes === undefined) continue;
          wire.push(bytes);
          sent.push(message);
        }
        const { messages: received } = await everySplit(converter, Buffer.concat(wire));
        expect(received).toEqual(sent);
      }),
    );
  });

  it('gives a message, a wait or a PikeError for any bytes, the same at every cut', async () => {
    const converters = fc.constantFrom<Converter<unknown>>(
      new LineConverter(),
      new LineConverter({ payload: jsonPayload() }),
      new DelimitedConverter({ delimiter: '\r\n' }),
    );
    const bytes = fc.array(fc.constantFrom(...Buffer.from('ab1{}\r\n\xff', 'latin1')));
    const limits = { maxMessageBytes: 8 };
    await fc.assert(
      fc.asyncProperty(converters, bytes, async (converter, input) => {
        const { error } = await everySplit(converter, Buffer.from(input), { limits });
        if (error !== undefined) expect(error).toHaveProperty('code');
      }),
    );
  });
});

describe('a line that arrives a byte at a time', () => {
  const { indexOf } = Buffer.prototype;
  afterEach(() => {
    Buffer.prototype.indexOf = indexOf;
  });

  it.each<[string, Converter<unknown>, string]>([
    ['LineConverter', new LineConverter(), '\n'],
    ['a delimiter of several bytes', new DelimitedConverter({ delimiter: '\r\n--' }), '\r\n--'],
    ['LineConverter through its deserializers', plain(new LineConverter<unknown>()), '\r\n'],
  ])('has each byte looked at a bounded number of times: %s', async (_name, converter, end) => {
    const looked = countBytesSearched();
    for (const length of [1000, 16_000]) {
      const bytes = Buffer.from(`${'x'.repeat(length)}${end}`);
      const pieces = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
      looked.bytes = 0;
      const { messages, incomplete } = await decodePieces(converter, pieces);
      expect({ messages: messages.length, incomplete }).toEqual({ messages: 1, incomplete: false });
      // Each arrival looks at its own byte, and at those that may have begun the delimiter.
      expect(looked.bytes).toBeLessThanOrEqual(bytes.length * end.length);
      expect(looked.bytes).toBeGreaterThanOrEqual(bytes.length);
    }
  });
});

/** Lets `Buffer.indexOf` count how many bytes it is given to look through. */
function countBytesSearched(): { bytes: number } {
  const looked = { bytes: 0 };
  const { indexOf } = Buffer.prototype;
  Buffer.prototype.indexOf = function counting(
    this: Buffer,
    value: string | number | Uint8Array,
    from?: unknown,
  ) {
    const start = typeof from === 'number' ? from : 0;
    const found = indexOf.call(this, value, start);
    looked.bytes += (found === -1 ? this.length : found + 1) - start;
    return found;
  };
  return looked;
}

function plain(converter: Converter<unknown>): Converter<unknown> {
  return {
    createSerializer: (message, connection) => converter.createSerializer(message, connection),
    createDeserializer: (connection, limits) => converter.createDeserializer(connection, limits),
  };
}

function invalid(name: string): unknown {
  return expect.objectContaining({
    code: 'PIKE_ERR_INVALID_OPTION',
    message: expect.stringContaining(name),
  });
}
