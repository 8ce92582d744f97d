import { ByteReader } from './bytes/byte-reader.js';
import { ByteWriter } from './bytes/byte-writer.js';
import type { Connection } from './connection.js';
import type { Converter, Deserializer, Limits, PutBytesResult, Serializer } from './converter.js';
import { DONE, WAIT_FOR_MORE } from './converter.js';
import { isPromise, wrongAnswer } from './converter-answers.js';
import { PikeError } from './errors.js';

const BRAND = Symbol.for('nestjs-pike.FramedConverter');
const EMPTY = Buffer.alloc(0);
const FIRST_BUFFER_BYTES = 1024;

/**
 * The easy way to write a converter, and the fast one, for protocols whose messages fit in memory:
 * one method writes a message, the other reads one. No object is made per message: both work on
 * the connection's own buffers. One instance serves all connections, so it keeps no state of any.
 */
export abstract class FramedConverter<T> implements Converter<T> {
  /** @internal */
  readonly [BRAND] = true;

  /** A framed message is decoded only when it is whole, so no peer acts on a part of one. */
  readonly atomic: boolean = true;

  /**
   * Writes one message, whole, at once. Throwing rejects the message: what it has written so far is
   * undone. So does a promise, `PIKE_ERR_SERIALIZER`: it cannot wait, so it is not `async`. The writer
   * lets it touch nothing but its own message.
   */
  abstract encode(message: T, writer: ByteWriter): void;

  /**
   * Reads one message, whole, or returns `undefined` while it is not whole yet: then the reader
   * goes back to where it was, and `decode` is called again once more bytes have arrived; it is never
   * called without any. Throwing
   * costs the connection, and so do a promise, `PIKE_ERR_DESERIALIZER`, and a message of which no byte
   * was read, `PIKE_ERR_NO_PROGRESS`. A declared length must be compared with `reader.maxMessageBytes` before
   * waiting for it.
   */
  abstract decode(reader: ByteReader): T | undefined;

  createSerializer(message: T, _connection?: Connection): Serializer {
    return new WholeSerializer(this, message);
  }

  createDeserializer(_connection: Connection | undefined, limits: Limits): Deserializer<T> {
    return new WholeDeserializer(this, limits);
  }
}

/** Whether a converter is a {@link FramedConverter}, of this copy of the package or another. */
export function isFramedConverter<T>(
  converter: Partial<Converter<T>>,
): converter is FramedConverter<T> {
  return BRAND in converter;
}

/**
 * Writes one message behind what the writer holds. The one place that says what `encode` may do:
 * waiting is not possible, for the writer is the connection's own.
 */
export function encodeFrame<T>(
  converter: FramedConverter<T>,
  message: T,
  writer: ByteWriter,
): void {
  writer.protect();
  const answer: unknown = converter.encode(message, writer);
  if (isPromise(answer))
    throw wrongAnswer('PIKE_ERR_SERIALIZER', 'encode must return nothing', answer);
}

/**
 * Reads the next message, or returns `undefined` with the reader where it was. The one place that
 * says what `decode` may do: exceeding the limit and taking no bytes are errors, however the
 * bytes happened to arrive.
 */
export function decodeFrame<T>(converter: FramedConverter<T>, reader: ByteReader): T | undefined {
  const start = reader.position;
  const message = converter.decode(reader);
  if (isPromise(message)) {
    throw wrongAnswer(
      'PIKE_ERR_DESERIALIZER',
      'decode must return a message or undefined',
      message,
    );
  }
  if (message === undefined) {
    reader.seek(start);
    if (reader.remaining > reader.maxMessageBytes) throw messageTooLarge(reader);
    return undefined;
  }
  const taken = reader.position - start;
  if (taken > reader.maxMessageBytes) throw messageTooLarge(reader);
  if (taken <= 0) {
    throw new PikeError(
      'PIKE_ERR_NO_PROGRESS',
      'decode returned a message without reading a byte: return undefined while a message is not whole.',
    );
  }
  return message;
}

function messageTooLarge(reader: ByteReader): PikeError {
  return new PikeError(
    'PIKE_ERR_MESSAGE_TOO_LARGE',
    `A message exceeds ${reader.maxMessageBytes} bytes. Raise maxMessageBytes if such messages are expected.`,
  );
}

class WholeSerializer<T> implements Serializer {
  #converter: FramedConverter<T> | undefined;
  readonly #message: T;

  constructor(converter: FramedConverter<T>, message: T) {
    this.#converter = converter;
    this.#message = message;
  }

  getBytes(): Uint8Array {
    if (this.#converter === undefined) return EMPTY;
    const writer = new ByteWriter(Buffer.allocUnsafe(FIRST_BUFFER_BYTES));
    encodeFrame(this.#converter, this.#message, writer);
    this.#converter = undefined;
    return writer.buffer.subarray(0, writer.position);
  }
}

class WholeDeserializer<T> implements Deserializer<T> {
  readonly #converter: FramedConverter<T>;
  readonly #reader: ByteReader;
  #message: T | undefined;

  constructor(converter: FramedConverter<T>, limits: Limits) {
    this.#converter = converter;
    this.#reader = new ByteReader(limits.maxMessageBytes);
  }

  get message(): T {
    return this.#message as T;
  }

  putBytes(data: Buffer): PutBytesResult {
    this.#reader.resume(data);
    this.#message = decodeFrame(this.#converter, this.#reader);
    if (this.#message === undefined) return [data, WAIT_FOR_MORE];
    return [data.subarray(this.#reader.position), DONE];
  }
}
