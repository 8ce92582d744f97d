import { deepStrictEqual } from 'node:assert';
import { Connection } from '../core/connection.js';
import type { Converter, Limits } from '../core/converter.js';
import { isPikeError, PikeError, toError } from '../core/errors.js';
import { isFramedConverter } from '../core/framed-converter.js';
import { InboundPump } from '../core/inbound/inbound-pump.js';
import { createMessageDecoder } from '../core/inbound/message-decoder.js';

/** Options of {@link decodeAll}, {@link decodePieces} and {@link everySplit}. */
export interface DecodeOptions {
  /** What the converter must not exceed. Default: `maxMessageBytes` 1 MiB, as the connector's. */
  limits?: Limits;
  /** How long, in ms, a converter may wait for its callback before the test fails. Default: 1000. */
  patience?: number;
  /** The connection that the converter is told of. Default: a stand-in with no address. */
  connection?: Connection;
}

/** What became of some bytes. */
export interface Decoded<T> {
  /** The messages, in the order of the wire. */
  messages: T[];
  /** What the converter threw, which would have cost the connection; else `undefined`. */
  error: unknown;
  /** Whether the bytes ended within a message. */
  incomplete: boolean;
}

/**
 * Decodes bytes that arrive in one piece.
 * @returns the messages
 * @throws whatever the converter throws; PikeError `PIKE_ERR_TRUNCATED` if the bytes end within a message
 */
export async function decodeAll<T>(
  converter: Converter<T>,
  bytes: Uint8Array,
  options: DecodeOptions = {},
): Promise<T[]> {
  const { messages, error, incomplete } = await decodePieces(converter, [bytes], options);
  if (error !== undefined) throw toError(error);
  if (incomplete) throw new PikeError('PIKE_ERR_TRUNCATED', 'The bytes end within a message.');
  return messages;
}

/**
 * Decodes bytes that arrive in the given pieces, through the same loop as a connection's: each piece
 * arrives when the converter has done with the ones before. Never rejects because of the converter's
 * own errors: they are in the result.
 */
export async function decodePieces<T>(
  converter: Converter<T>,
  pieces: Iterable<Uint8Array>,
  options: DecodeOptions = {},
): Promise<Decoded<T>> {
  const session = new DecodeSession(converter, options);
  for (const piece of pieces) {
    session.push(piece);
    await session.settled();
  }
  return session.finish();
}

/**
 * Decodes the same bytes cut in every way that matters and asserts that the same comes out each
 * time: the same messages, the same error code, the same end. The ways are: whole; in two pieces,
 * cut at every byte; byte by byte; and, if they make whole messages, three times over in one piece.
 * A `FramedConverter` goes each way twice, as a connector uses it and through its deserializers. For
 * a converter that waits for callbacks everything also arrives while it waits.
 *
 * Of more than 2048 bytes a choice of cuts is tried, and more than 4096 pieces are never made.
 *
 * @param options `compare`: what of a message must be the same, for messages that are not plain
 * values. Default: the message, compared as `assert.deepStrictEqual` does.
 * @returns what came out each time
 * @throws AssertionError that says at which cut something else came out
 */
export async function everySplit<T>(
  converter: Converter<T>,
  bytes: Uint8Array,
  options: DecodeOptions & { compare?: (message: T) => unknown } = {},
): Promise<Decoded<T>> {
  const { compare = (message: T): unknown => message } = options;
  const session = new DecodeSession(converter, options);
  session.push(bytes);
  await session.settled();
  const whole = session.finish();
  const expected = outcome(whole, compare);

  for (const [path, candidate] of pathsOf(converter)) {
    for (const [way, pieces] of waysToCut(bytes)) {
      const decoded = await decodePieces(candidate, pieces, options);
      deepStrictEqual(outcome(decoded, compare), expected, `${way}${path}: not as in one piece`);
      if (!session.hasWaited) continue;
      const hurried = new DecodeSession(candidate, options);
      for (const piece of pieces) hurried.push(piece);
      await hurried.settled();
      deepStrictEqual(
        outcome(hurried.finish(), compare),
        expected,
        `${way}${path}, arriving while the converter waits: not as in one piece`,
      );
    }
    if (whole.error === undefined && !whole.incomplete && whole.messages.length > 0) {
      const three = await decodePieces(candidate, [Buffer.concat([bytes, bytes, bytes])], options);
      deepStrictEqual(
        outcome(three, compare),
        { ...expected, messages: [1, 2, 3].flatMap(() => expected.messages) },
        `three times over${path}: not three times the same`,
      );
    }
  }
  return whole;
}

/** One inbound side of a connection. @internal */
export class DecodeSession<T> {
  readonly #decoded: Decoded<T> = { messages: [], error: undefined, incomplete: false };
  readonly #patience: number;
  readonly #pump: InboundPump<T>;
  #failed = false;
  #hasWaited = false;
  #onSettled: (() => void) | undefined;

  constructor(converter: Converter<T>, options: DecodeOptions) {
    const {
      limits = DEFAULT_LIMITS,
      patience = DEFAULT_PATIENCE,
      connection = standInConnection(),
    } = options;
    this.#patience = patience;
    const decoder = createMessageDecoder(
      converter,
      connection,
      limits,
      () => this.#pump.decode(),
      (thrown) => this.#fail(thrown),
    );
    this.#pump = new InboundPump(
      decoder,
      {
        received: (message) => this.#decoded.messages.push(message),
        deserializerFailed: (thrown) => this.#fail(thrown),
        waits: (waiting) => {
          if (waiting) this.#hasWaited = true;
          else this.#onSettled?.();
        },
      },
      limits.maxMessageBytes,
    );
  }

  /** Whether the converter waits for its callback. */
  get waiting(): boolean {
    return this.#pump.waiting && !this.#failed;
  }

  /** Whether the converter has ever waited for its callback. */
  get hasWaited(): boolean {
    return this.#hasWaited;
  }

  /** Some bytes arrive: a copy, so that nothing can be read but what has arrived. */
  push(piece: Uint8Array): void {
    this.#pump.push(Buffer.from(piece));
  }

  /** Resolves when the converter does not wait for its callback any more. */
  async settled(): Promise<void> {
    while (this.waiting) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve, reject) => {
        this.#onSettled = resolve;
        timer = setTimeout(() => {
          reject(new Error(`putBytes waited for its callback for ${this.#patience} ms`));
        }, this.#patience);
      }).finally(() => clearTimeout(timer));
    }
  }

  /** The input ends. */
  finish(): Decoded<T> {
    this.#decoded.incomplete = !this.#failed && this.#pump.inMidMessage;
    this.#pump.stop();
    return this.#decoded;
  }

  #fail(thrown: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#decoded.error = thrown;
    this.#pump.stop();
    this.#onSettled?.();
  }
}

/** A connection that no connector knows, for converters that are not connected to anything. @internal */
export function standInConnection(): Connection {
  return new Connection({ id: 0, inbound: true, remote: undefined, local: undefined });
}

/** @internal */
export const DEFAULT_LIMITS: Limits = { maxMessageBytes: 1024 * 1024 };
/** @internal */
export const DEFAULT_PATIENCE = 1000;

const MOST_CUTS = 2048;
const MOST_PIECES = 4096;

function outcome<T>(
  decoded: Decoded<T>,
  compare: (message: T) => unknown,
): {
  messages: unknown[];
  error: string | undefined;
  incomplete: boolean;
} {
  const { messages, error, incomplete } = decoded;
  return {
    messages: messages.map(compare),
    error: error === undefined ? undefined : isPikeError(error) ? error.code : String(error),
    incomplete,
  };
}

/** The converter as it is and, if a connector would not use them, through its deserializers. */
function pathsOf<T>(converter: Converter<T>): [path: string, converter: Converter<T>][] {
  if (!isFramedConverter(converter)) return [['', converter]];
  const plain: Converter<T> = {
    createSerializer: (message, connection) => converter.createSerializer(message, connection),
    createDeserializer: (connection, limits) => converter.createDeserializer(connection, limits),
  };
  return [
    [', by decode', converter],
    [', by createDeserializer', plain],
  ];
}

function* waysToCut(bytes: Uint8Array): Generator<[way: string, pieces: Uint8Array[]]> {
  yield ['in one piece', [bytes]];
  const step = Math.ceil(bytes.length / MOST_PIECES);
  const small: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += step) small.push(bytes.subarray(at, at + step));
  yield [`in pieces of ${step} bytes`, small];
  for (const cut of cutsOf(bytes.length)) {
    yield [`cut at byte ${cut}`, [bytes.subarray(0, cut), bytes.subarray(cut)]];
  }
}

/** Where to cut: everywhere, or in long bytes at both ends and here and there between. @internal */
export function cutsOf(length: number): number[] {
  const cuts = Array.from({ length: Math.max(0, length - 1) }, (_, index) => index + 1);
  const edge = MOST_CUTS / 4;
  const stride = Math.ceil(length / (MOST_CUTS / 2));
  return length <= MOST_CUTS
    ? cuts
    : cuts.filter((cut) => cut <= edge || cut >= length - edge || cut % stride === 0);
}
