import { deepStrictEqual, ok, rejects, strictEqual } from 'node:assert';
import { ByteWriter } from '../core/bytes/byte-writer.js';
import type { Connection } from '../core/connection.js';
import type { Converter, Serializer } from '../core/converter.js';
import { WAIT_FOR_CALLBACK } from '../core/converter.js';
import { checkBytes, checkSerializer } from '../core/converter-answers.js';
import { describeThrown, isPikeError } from '../core/errors.js';
import { encodeFrame, isFramedConverter } from '../core/framed-converter.js';
import { checkKnown, isConverter } from '../core/options.js';
import type { DecodeOptions } from './every-split.js';
import {
  cutsOf,
  DecodeSession,
  decodeAll,
  decodePieces,
  DEFAULT_PATIENCE,
  everySplit,
  standInConnection,
} from './every-split.js';

/** Where tests are registered: `describe` and `it` of jest, vitest or `node:test`. */
export interface TestRunner {
  describe(name: string, body: () => void): unknown;
  it(name: string, body: () => Promise<void>): unknown;
}

/** Options of {@link testConverter} and {@link converterCases}. */
export interface ConverterContractOptions<T> extends DecodeOptions {
  /** What the suite is called. Default: the name of the converter's class. */
  name?: string;
  /** Where to register the tests. Default: the globals `describe` and `it`. */
  runner?: TestRunner;
  /**
   * What of a message must survive the way over the wire, for messages that are not plain values.
   * Default: the message, compared as `assert.deepStrictEqual` does.
   */
  compare?: (message: T) => unknown;
  /**
   * Whether a message that takes more than `maxMessageBytes` must be refused. Default: true. Say
   * false for a converter that streams its messages.
   */
  bounded?: boolean;
  /** Bytes that are no message, by what is wrong with them: they must give `PIKE_ERR_MALFORMED`. */
  malformed?: Readonly<Record<string, Uint8Array | string>>;
  /** Values that are no messages, by what is wrong with them: serializing them must throw a `PikeError`. */
  unsendable?: Readonly<Record<string, unknown>>;
}

/** One requirement of the contract. */
export interface ConverterCase {
  readonly name: string;
  /** Rejects if the converter does not meet it. */
  run(): Promise<void>;
}

/**
 * Registers a suite that holds a converter to the contract of `Converter`: what every connector
 * relies on and hand-written tests forget.
 *
 * A call that is wrong throws at once, and registers nothing.
 *
 * @param samples messages that cover the protocol: small, large, empty, unusual. All are encoded
 * and decoded many times, so keep most of them below a few kilobytes.
 * @example
 * testConverter(new MyConverter(), [{ temperature: 21.5 }], {
 *   malformed: { 'no checksum': Buffer.from('...') },
 * });
 * @example
 * import { describe, it } from 'vitest';
 * testConverter(new MyConverter(), samples, { runner: { describe, it } });
 */
export function testConverter<T>(
  converter: Converter<T>,
  samples: readonly T[],
  options: ConverterContractOptions<T> = {},
): void {
  const requirements = converterCases(converter, samples, options);
  const { name = converter.constructor.name, runner = globalRunner() } = options;
  runner.describe(`${name} keeps the contract of Converter`, () => {
    for (const requirement of requirements) {
      runner.it(requirement.name, () => requirement.run());
    }
  });
}

const KNOWN_OPTIONS = [
  'bounded',
  'compare',
  'connection',
  'limits',
  'malformed',
  'name',
  'patience',
  'runner',
  'unsendable',
];

/** The requirements that {@link testConverter} registers, for other test runners. */
export function converterCases<T>(
  converter: Converter<T>,
  samples: readonly T[],
  options: ConverterContractOptions<T> = {},
): ConverterCase[] {
  ok(
    isConverter(converter),
    'converterCases needs a converter, not its class, as its first argument',
  );
  ok(
    Array.isArray(samples) && samples.length > 0,
    'converterCases needs an array of sample messages, one at least',
  );
  checkKnown('testConverter', options, KNOWN_OPTIONS);
  const { compare = (message: T): unknown => message, bounded = true } = options;
  const encode = (message: T): Promise<Buffer> => encodeAll(converter, message, options);
  const show = (messages: readonly T[]): unknown[] => messages.map(compare);

  const cases: ConverterCase[] = [
    {
      name: 'gives back every message as it was sent',
      async run() {
        for (const sample of samples) {
          const messages = await decodeAll(converter, await encode(sample), options);
          deepStrictEqual(show(messages), show([sample]));
        }
      },
    },
    {
      name: 'does not mind how the bytes are cut',
      async run() {
        for (const sample of samples) await everySplit(converter, await encode(sample), options);
      },
    },
    {
      name: 'tells messages apart that arrive together',
      async run() {
        const bytes = Buffer.concat(await Promise.all(samples.map(encode)));
        const { messages } = await everySplit(converter, bytes, options);
        deepStrictEqual(show(messages), show(samples));
      },
    },
    {
      name: 'makes no message of a part of its bytes, or of none',
      async run() {
        for (const sample of samples) {
          const bytes = await encode(sample);
          for (const cut of [0, ...cutsOf(bytes.length)]) {
            const part = await decodePieces(converter, [bytes.subarray(0, cut)], options);
            deepStrictEqual(
              part,
              { messages: [], error: undefined, incomplete: cut > 0 },
              `of the first ${cut} of ${bytes.length} bytes`,
            );
          }
        }
      },
    },
    {
      name: 'keeps messages apart that are serialized at the same time',
      async run() {
        const expected = await Promise.all(samples.map(encode));
        const both = [...samples, ...samples];
        const serialized = await Promise.all(both.map(encode));
        deepStrictEqual(serialized, [...expected, ...expected]);
      },
    },
    {
      name: 'keeps connections apart that are deserialized at the same time',
      run: () => decodeInterleaved(converter, samples, options, compare),
    },
  ];
  if (bounded) {
    cases.push({
      name: 'takes messages of maxMessageBytes, framing included, and no larger ones',
      async run() {
        for (const sample of samples) {
          const bytes = await encode(sample);
          const most = { ...options, limits: { maxMessageBytes: bytes.length } };
          deepStrictEqual(show(await decodeAll(converter, bytes, most)), show([sample]));
          const less = { ...options, limits: { maxMessageBytes: bytes.length - 1 } };
          const { error, messages } = await everySplit(converter, bytes, less);
          deepStrictEqual(
            { code: isPikeError(error) ? error.code : error, messages },
            { code: 'PIKE_ERR_MESSAGE_TOO_LARGE', messages: [] },
          );
        }
      },
    });
  }
  if (isFramedConverter(converter)) {
    cases.push({
      name: 'encodes behind what the writer holds, whatever its room',
      async run() {
        for (const sample of samples) {
          const bytes = await encode(sample);
          for (const room of [0, 1, 2, bytes.length - 1, bytes.length, bytes.length * 4]) {
            const writer = new ByteWriter(Buffer.alloc(1 + room)).writeUInt8(0xa5);
            encodeFrame(converter, sample, writer);
            const written = writer.buffer.subarray(0, writer.position);
            deepStrictEqual(written.subarray(1), bytes, `with room for ${room} bytes`);
            strictEqual(written[0], 0xa5, 'encode has written over what stood before');
          }
        }
      },
    });
  }
  for (const [what, input] of Object.entries(options.malformed ?? {})) {
    cases.push({
      name: `refuses bytes that are no message: ${what}`,
      async run() {
        const { error } = await everySplit(converter, Buffer.from(input), options);
        strictEqual(isPikeError(error) ? error.code : error, 'PIKE_ERR_MALFORMED');
      },
    });
  }
  for (const [what, value] of Object.entries(options.unsendable ?? {})) {
    cases.push({
      name: `refuses to serialize: ${what}`,
      run: () => rejects(encode(value as T), refusal),
    });
  }
  return cases;
}

/** Whether what a serializer throws is meant, and no fault of the converter. */
function refusal(thrown: unknown): true {
  ok(
    isPikeError(thrown),
    `what is no message must be refused with a PikeError, to be told from a fault: PIKE_ERR_SERIALIZER; thrown was ${describeThrown(thrown)}`,
  );
  return true;
}

/**
 * Serializes one message, as a connector does.
 * @param options `patience`: how long, in ms, the serializer may wait for its callback. Default: 1000.
 * @throws whatever the serializer throws
 */
export async function encodeAll<T>(
  converter: Converter<T>,
  message: T,
  options: { patience?: number; connection?: Connection } = {},
): Promise<Buffer> {
  const { patience = DEFAULT_PATIENCE, connection = standInConnection() } = options;
  const serializer = converter.createSerializer(message, connection);
  checkSerializer(serializer);
  const pieces: Buffer[] = [];
  let total = 0;
  try {
    for (;;) {
      const bytes = await nextBytes(serializer, patience);
      if (bytes.length === 0) return Buffer.concat(pieces);
      pieces.push(Buffer.from(bytes));
      total += bytes.length;
      ok(
        total <= MOST_ENCODED_BYTES,
        'getBytes never returns an empty array: is its end forgotten?',
      );
    }
  } catch (error) {
    serializer.destroy?.();
    throw error;
  }
}

/** A serializer that gave so much will never end. */
const MOST_ENCODED_BYTES = 256 * 1024 * 1024;

async function nextBytes(serializer: Serializer, patience: number): Promise<Uint8Array> {
  for (;;) {
    let timer: NodeJS.Timeout | undefined;
    let bytes: Uint8Array | typeof WAIT_FOR_CALLBACK = WAIT_FOR_CALLBACK;
    const called = new Promise<void>((resolve, reject) => {
      bytes = checkBytes(serializer.getBytes(resolve));
      if (bytes !== WAIT_FOR_CALLBACK) return;
      timer = setTimeout(() => {
        reject(new Error(`getBytes waited for its callback for ${patience} ms`));
      }, patience);
    });
    if (bytes !== WAIT_FOR_CALLBACK) return bytes;
    await called.finally(() => clearTimeout(timer));
  }
}

async function decodeInterleaved<T>(
  converter: Converter<T>,
  samples: readonly T[],
  options: ConverterContractOptions<T>,
  compare: (message: T) => unknown,
): Promise<void> {
  const connections = [samples, samples.toReversed()].map((messages) => ({ messages }));
  const sides = await Promise.all(
    connections.map(async ({ messages }) => ({
      messages,
      bytes: Buffer.concat(
        await Promise.all(messages.map((message) => encodeAll(converter, message, options))),
      ),
      session: new DecodeSession(converter, options),
    })),
  );
  const length = sides[0]?.bytes.length ?? 0;
  const step = Math.ceil(length / 1024);
  for (let at = 0; at < length; at += step) {
    for (const { bytes, session } of sides) {
      session.push(bytes.subarray(at, at + step));
      await session.settled();
    }
  }
  for (const { messages, session } of sides) {
    const decoded = session.finish();
    deepStrictEqual(
      { ...decoded, messages: decoded.messages.map(compare) },
      { messages: messages.map(compare), error: undefined, incomplete: false },
    );
  }
}

function globalRunner(): TestRunner {
  const { describe, it } = globalThis as { describe?: unknown; it?: unknown };
  ok(
    typeof describe === 'function' && typeof it === 'function',
    'There are no global describe and it: pass them as { runner: { describe, it } }',
  );
  return { describe: describe as TestRunner['describe'], it: it as TestRunner['it'] };
}
