import { ByteReader } from './byte-reader.js';
import { ByteWriter } from './byte-writer.js';
import type { Connection } from './connection.js';
import type { Converter, Deserializer, Limits, PutBytesResult, Serializer } from './converter.js';
import { DONE, WAIT_FOR_MORE } from './converter.js';
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
   * Writes one message, whole. Throwing rejects the message: what it has written so far is undone.
   */
  abstract encode(message: T, writer: ByteWriter): void;

  /**
   * Reads one message, whole, or returns `undefined` while it is not whole yet: then the reader
   * goes back to where it was, and `decode` is called again once more bytes have arrived. Throwing
   * costs the connection. A declared length must be compared with `reader.maxMessageBytes` before
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
export function isFramedConverter<T>(converter: Converter<T>): converter is FramedConverter<T> {
  return BRAND in converter;
}

/**
 * Reads the next message, or returns `undefined` with the reader where it was. The one place that
 * says what `decode` may do: exceeding the limit and taking no bytes are errors, however the
 * bytes happened to arrive.
 */
export function decodeFrame<T>(converter: FramedConverter<T>, reader: ByteReader): T | undefined {
  const start = reader.position;
  const message = converter.decode(reader);
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
    this.#converter.encode(this.#message, writer);
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
