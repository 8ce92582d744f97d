import type { ByteWriter } from '../bytes/byte-writer.js';
import type { Connection } from '../connection.js';
import type { Converter, Serializer } from '../converter.js';
import { WAIT_FOR_CALLBACK } from '../converter.js';
import { checkBytes, checkSerializer } from '../converter-answers.js';
import type { FramedConverter } from '../framed-converter.js';
import { encodeFrame, isFramedConverter } from '../framed-converter.js';
import { OneShotCallback } from '../one-shot-callback.js';
import type { ErrorHandler } from '../report.js';
import { runReported } from '../report.js';

/** How far a message got: all its bytes are written, the chunk is full, or the serializer waits. */
export type EncodeProgress = 'ended' | 'full' | 'waiting';

/** Writes messages into chunks, one after the other; a message may go on in the next chunk. */
export interface MessageEncoder<T> {
  /**
   * Writes the bytes of a message, or the next ones of the message that it has begun, up to about
   * `limit` bytes of the chunk.
   * @throws whatever the converter throws
   */
  write(message: T, writer: ByteWriter, limit: number): EncodeProgress;
  /** Whether a message has been begun and not ended. */
  readonly inMidMessage: boolean;
  /** The message begun will not go on: releases its serializer. */
  abandon(): void;
}

/**
 * The encoder for either kind of converter.
 * @param onReady called when a waiting serializer can go on
 * @param onError told what a serializer's `destroy` throws
 */
export function createMessageEncoder<T>(
  converter: Converter<T>,
  connection: Connection,
  onReady: () => void,
  onError: ErrorHandler | undefined,
): MessageEncoder<T> {
  return isFramedConverter(converter)
    ? new FramedEncoder(converter)
    : new SerializerEncoder(converter, connection, onReady, onError);
}

class FramedEncoder<T> implements MessageEncoder<T> {
  readonly inMidMessage = false;
  readonly #converter: FramedConverter<T>;

  constructor(converter: FramedConverter<T>) {
    this.#converter = converter;
  }

  write(message: T, writer: ByteWriter): EncodeProgress {
    encodeFrame(this.#converter, message, writer);
    return 'ended';
  }

  abandon(): void {}
}

class SerializerEncoder<T> implements MessageEncoder<T> {
  readonly #converter: Converter<T>;
  readonly #connection: Connection;
  readonly #callback: OneShotCallback;
  readonly #onError: ErrorHandler | undefined;
  #serializer: Serializer | undefined;
  /** Bytes that the serializer gave and that did not fit into the chunk. */
  #surplus: Uint8Array | undefined;
  #abandoned = 0;

  constructor(
    converter: Converter<T>,
    connection: Connection,
    onReady: () => void,
    onError: ErrorHandler | undefined,
  ) {
    this.#onError = onError;
    this.#converter = converter;
    this.#connection = connection;
    this.#callback = new OneShotCallback(onReady);
  }

  get inMidMessage(): boolean {
    return this.#serializer !== undefined;
  }

  write(message: T, writer: ByteWriter, limit: number): EncodeProgress {
    if (this.#callback.waiting) return 'waiting';
    const serializer = this.#serializer ?? this.#create(message);
    while (this.#serializer === serializer) {
      if (this.#surplus !== undefined && !this.#writeSurplus(this.#surplus, writer, limit)) {
        return 'full';
      }
      const given = serializer.getBytes(this.#callback.arm());
      // The converter may have disconnected from within.
      if (this.#serializer !== serializer) break;
      const answer = checkBytes(given);
      if (answer === WAIT_FOR_CALLBACK) {
        if (this.#callback.wait()) return 'waiting';
        continue;
      }
      if (answer.length === 0) {
        this.#serializer = undefined;
        // A callback that this serializer has kept must not wake the next one.
        this.#callback.disarm();
        return 'ended';
      }
      this.#surplus = answer;
    }
    return 'waiting';
  }

  abandon(): void {
    this.#abandoned++;
    const serializer = this.#serializer;
    this.#serializer = undefined;
    this.#surplus = undefined;
    this.#callback.disarm();
    if (serializer !== undefined) runReported(this.#onError, destroy, serializer);
  }

  #create(message: T): Serializer {
    const abandoned = this.#abandoned;
    const serializer = this.#converter.createSerializer(message, this.#connection);
    checkSerializer(serializer);
    // The converter may have disconnected from within: then nobody else knows this serializer.
    if (this.#abandoned === abandoned) this.#serializer = serializer;
    else runReported(this.#onError, destroy, serializer);
    return serializer;
  }

  #writeSurplus(bytes: Uint8Array, writer: ByteWriter, limit: number): boolean {
    const room = Math.max(0, limit - writer.position);
    if (bytes.length <= room) {
      writer.writeBytes(bytes);
      this.#surplus = undefined;
      return true;
    }
    writer.writeBytes(bytes.subarray(0, room));
    this.#surplus = bytes.subarray(room);
    return false;
  }
}

function destroy(serializer: Serializer): void {
  serializer.destroy?.();
}
