// Prevents: a contract suite that passes converters which break on a real connection.
import { describe, expect, it } from '@jest/globals';
import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import type { Converter, PutBytesResult } from '../core/converter.js';
import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from '../core/converter.js';
import { PikeError } from '../core/errors.js';
import { FramedConverter } from '../core/framed-converter.js';
import type { ConverterContractOptions } from './converter-contract.js';
import { converterCases, encodeAll, testConverter } from './converter-contract.js';

/** A byte of length and a text: right, unless a test overrides something. */
class Texts extends FramedConverter<string> {
  encode(message: string, writer: ByteWriter): void {
    if (typeof message !== 'string') throw new PikeError('PIKE_ERR_SERIALIZER', 'no string');
    const at = writer.reserve(1);
    writer.writeString(message).fillUInt8(writer.position - at - 1, at);
  }

  decode(reader: ByteReader): string | undefined {
    if (reader.remaining === 0) return undefined;
    const length = reader.peekUInt8();
    if (length + 1 > reader.maxMessageBytes) {
      throw new PikeError('PIKE_ERR_MESSAGE_TOO_LARGE', 'too large');
    }
    if (length === 255) throw new PikeError('PIKE_ERR_MALFORMED', 'reserved');
    if (reader.remaining < length + 1) return undefined;
    reader.skip(1);
    return reader.readString(length);
  }
}

/** The same as a plain converter that waits for a callback on every byte, both ways. */
const waiting: Converter<string> = {
  createSerializer(message) {
    const bytes = Buffer.from([message.length, ...Buffer.from(message)]);
    let at = 0;
    let wait = true;
    return {
      getBytes(callback) {
        wait = !wait;
        if (wait) return bytes.subarray(at, (at += 1));
        setImmediate(callback);
        return WAIT_FOR_CALLBACK;
      },
    };
  },
  createDeserializer(_connection, limits) {
    let length: number | undefined;
    let text = '';
    return {
      get message() {
        return text;
      },
      putBytes(data, callback): PutBytesResult {
        if (text.length === length) return [data, DONE];
        const [byte] = data;
        if (byte === undefined) return [data, WAIT_FOR_MORE];
        if (length === undefined) length = byte;
        else text += String.fromCharCode(byte);
        if (length + 1 > limits.maxMessageBytes) {
          throw new PikeError('PIKE_ERR_MESSAGE_TOO_LARGE', 'too large');
        }
        setImmediate(callback);
        return [data.subarray(1), WAIT_FOR_CALLBACK];
      },
    };
  },
};

const SAMPLES = ['', 'a', 'bcd', 'x'.repeat(60)];

testConverter(new Texts(), SAMPLES, {
  malformed: { 'the reserved length': Buffer.from([255]) },
  unsendable: { 'a number': 5 },
});

testConverter(waiting, SAMPLES.slice(0, 3), { name: 'a converter that waits' });

/** The names of the requirements that a converter does not meet. */
async function failures<T>(
  converter: Converter<T>,
  samples: readonly T[],
  options?: ConverterContractOptions<T>,
): Promise<string[]> {
  const failed: string[] = [];
  for (const requirement of converterCases(converter, samples, options)) {
    await requirement.run().catch(() => failed.push(requirement.name));
  }
  return failed;
}

describe('converterCases', () => {
  it('has nothing against a good converter', async () => {
    expect(await failures(new Texts(), SAMPLES)).toEqual([]);
  });

  it.each<[string, FramedConverter<string>, string]>([
    [
      'that loses something',
      new (class extends Texts {
        override encode(message: string, writer: ByteWriter): void {
          super.encode(message.trimEnd(), writer);
        }
      })(),
      'gives back every message',
    ],
    [
      'that reads what has not arrived',
      new (class extends Texts {
        override decode(reader: ByteReader): string | undefined {
          return reader.remaining === 0 ? undefined : reader.readString(reader.readUInt8());
        }
      })(),
      'how the bytes are cut',
    ],
    [
      'that takes everything that has arrived',
      new (class extends Texts {
        override decode(reader: ByteReader): string | undefined {
          const text = super.decode(reader);
          if (text !== undefined) reader.skip(reader.remaining);
          return text;
        }
      })(),
      'arrive together',
    ],
    [
      'that makes do with less',
      new (class extends Texts {
        override decode(reader: ByteReader): string | undefined {
          if (reader.remaining === 0) return undefined;
          return reader.readString(Math.min(reader.readUInt8(), reader.remaining));
        }
      })(),
      'makes no message of a part',
    ],
    [
      'that keeps state between messages',
      new (class extends Texts {
        #length: number | undefined;
        override decode(reader: ByteReader): string | undefined {
          if (this.#length === undefined && reader.remaining > 0) this.#length = reader.peekUInt8();
          if (this.#length === undefined || reader.remaining < this.#length + 1) return undefined;
          reader.skip(1);
          const text = reader.readString(this.#length);
          this.#length = undefined;
          return text;
        }
      })(),
      'keeps connections apart',
    ],
    [
      'that waits for what it must refuse',
      new (class extends Texts {
        override decode(reader: ByteReader): string | undefined {
          if (reader.remaining < 1 + (reader.remaining && reader.peekUInt8())) return undefined;
          return reader.readString(reader.readUInt8());
        }
        override readonly atomic = true;
        override createDeserializer(): ReturnType<Texts['createDeserializer']> {
          return super.createDeserializer(undefined, { maxMessageBytes: Infinity });
        }
      })(),
      'takes messages of maxMessageBytes',
    ],
    [
      'that writes from the start of the buffer',
      new (class extends Texts {
        override encode(message: string, writer: ByteWriter): void {
          writer.rewind(0);
          super.encode(message, writer);
        }
      })(),
      'encodes behind what the writer holds',
    ],
  ])('finds a converter %s', async (_what, converter, requirement) => {
    const failed = await failures(converter, ['ab ', 'cd']);
    expect(failed).toContainEqual(expect.stringContaining(requirement));
  });

  it('finds serializers that share their buffer', async () => {
    const shared = Buffer.alloc(10);
    const sharing: Converter<string> = {
      ...waiting,
      createSerializer(message) {
        let ended = false;
        return {
          getBytes() {
            const length = shared.write(message, 1);
            shared[0] = length;
            ended = !ended;
            return ended ? shared.subarray(0, length + 1) : Buffer.alloc(0);
          },
        };
      },
    };
    expect(await failures(sharing, ['ab', 'cd'])).toContainEqual(
      expect.stringContaining('serialized at the same time'),
    );
  });

  it('finds malformed bytes that are taken, and values that are sent', async () => {
    const failed = await failures(new Texts(), ['a'], {
      malformed: { 'a good text': '\x01a' },
      unsendable: { 'a good text': 'a' },
    });
    expect(failed).toEqual([
      'refuses bytes that are no message: a good text',
      'refuses to serialize: a good text',
    ]);
  });

  it('says how a value is to be refused, should a converter throw something else', async () => {
    class Careless extends Texts {
      override encode(message: string, writer: ByteWriter): void {
        if (message === 'two') throw new Error('two of them');
        super.encode(message, writer);
      }
    }
    const cases = converterCases(new Careless(), ['a'], { unsendable: { two: 'two' } });
    await expect(cases.at(-1)?.run()).rejects.toThrow(/PIKE_ERR_SERIALIZER.*two of them/);
  });

  it('lets converters that stream their messages be unbounded', () => {
    const names = converterCases(new Texts(), ['a'], { bounded: false }).map(({ name }) => name);
    expect(names).not.toContainEqual(expect.stringContaining('maxMessageBytes'));
  });

  it('needs samples', () => {
    expect(() => converterCases(new Texts(), [])).toThrow('sample');
  });
});

describe('testConverter', () => {
  it('registers with the runner that it is given', async () => {
    const registered: string[] = [];
    const bodies: (() => Promise<void>)[] = [];
    testConverter(new Texts(), ['a'], {
      runner: {
        describe(name, body) {
          registered.push(name);
          body();
        },
        it: (name, body) => bodies.push(body),
      },
    });
    expect(registered).toEqual(['Texts keeps the contract of Converter']);
    await Promise.all(bodies.map((body) => body()));
    expect(bodies).toHaveLength(converterCases(new Texts(), ['a']).length);
  });
});

describe('encodeAll', () => {
  it('joins what a serializer gives', async () => {
    expect(await encodeAll(waiting, 'ab')).toEqual(Buffer.from('\x02ab'));
  });

  it('does not wait for ever for a callback', async () => {
    const stuck = { ...waiting, createSerializer: () => ({ getBytes: () => WAIT_FOR_CALLBACK }) };
    await expect(encodeAll(stuck as Converter<string>, 'a', { patience: 10 })).rejects.toThrow(
      '10 ms',
    );
  });

  it('finds a serializer that never ends', async () => {
    const piece = Buffer.alloc(32 * 1024 * 1024);
    const endless = { ...waiting, createSerializer: () => ({ getBytes: () => piece }) };
    await expect(encodeAll(endless, 'a')).rejects.toThrow('its end forgotten');
  });

  it('destroys a serializer that fails', async () => {
    let destroyed = 0;
    const failing: Converter<string> = {
      ...waiting,
      createSerializer: () => ({
        getBytes() {
          throw new Error('mine');
        },
        destroy: () => void (destroyed += 1),
      }),
    };
    await expect(encodeAll(failing, 'a')).rejects.toThrow('mine');
    expect(destroyed).toBe(1);
  });
});

describe('a wrong call of testConverter', () => {
  const runner = { describe: () => undefined, it: () => undefined };
  it.each<[string, () => void, RegExp]>([
    [
      'no converter',
      () => testConverter(undefined as never, ['a'], { runner }),
      /needs a converter/,
    ],
    ['a class', () => testConverter(Texts as never, ['a'], { runner }), /not its class/],
    [
      'half a converter',
      () => testConverter({ createSerializer() {} } as never, ['a'], { runner }),
      /needs a converter/,
    ],
    ['no samples', () => testConverter(new Texts(), [], { runner }), /one at least/],
    ['one sample', () => testConverter(new Texts(), 'a' as never, { runner }), /an array/],
    [
      'a misspelt option',
      () => testConverter(new Texts(), ['a'], { runner, malfromed: {} } as never),
      /testConverter: option "malfromed" is unknown.*malformed/,
    ],
  ])('(%s) throws at once, and registers nothing', (_, call, message) => {
    expect(call).toThrow(message);
  });

  it.each<[string, () => unknown, RegExp]>([
    ['bytes in place of a serializer', () => Buffer.alloc(1), /must return a Serializer/],
    ['a serializer that is async', () => ({ getBytes: async () => Buffer.alloc(0) }), /a promise/],
    ['a serializer that gives text', () => ({ getBytes: () => '' }), /it returned string/],
  ])('finds what a connector would find: %s', async (_, createSerializer, message) => {
    const converter = { ...waiting, createSerializer } as unknown as Converter<string>;
    await expect(encodeAll(converter, 'a')).rejects.toThrow(message);
  });
});
