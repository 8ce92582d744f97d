import { ByteReader } from '../bytes/byte-reader.js';
import type { Connection } from '../connection.js';
import type { Converter, Deserializer, Limits } from '../converter.js';
import { checkDeserializer, showAnswer } from '../converter-answers.js';
import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from '../converter.js';
import { PikeError } from '../errors.js';
import type { FramedConverter } from '../framed-converter.js';
import { decodeFrame, isFramedConverter } from '../framed-converter.js';
import { OneShotCallback } from '../one-shot-callback.js';
import type { ErrorHandler } from '../report.js';
import { runReported } from '../report.js';
import { UnusedBytes, nonsense } from './unused-bytes.js';

/** What one look at the bytes at hand gave. */
export type DecodeProgress = 'message' | 'needs more' | 'waiting';

/** Takes messages from the bytes at hand, one at a time. */
export interface MessageDecoder<T> {
  /** Starts over with these bytes: what was left, and what has arrived behind it. */
  reset(bytes: Buffer): void;
  /** How many of the bytes are not consumed. */
  readonly remaining: number;
  /** The message, after `next` has answered 'message'. */
  readonly message: T;
  /** Whether a message has been begun and not ended. */
  readonly inMidMessage: boolean;
  /** @throws PikeError, or whatever the converter throws: the connection cannot go on */
  next(): DecodeProgress;
  /** The message begun will not go on: releases its deserializer. */
  abandon(): void;
}

/**
 * The decoder for either kind of converter.
 * @param onReady called when a waiting deserializer can go on
 * @param onError told what a deserializer's `destroy` throws
 */
export function createMessageDecoder<T>(
  converter: Converter<T>,
  connection: Connection,
  limits: Limits,
  onReady: () => void,
  onError: ErrorHandler | undefined,
): MessageDecoder<T> {
  return isFramedConverter(converter)
    ? new FramedDecoder(converter, limits)
    : new DeserializerDecoder(converter, connection, limits, onReady, onError);
}

class FramedDecoder<T> implements MessageDecoder<T> {
  message!: T;
  readonly #converter: FramedConverter<T>;
  readonly #reader: ByteReader;

  constructor(converter: FramedConverter<T>, limits: Limits) {
    this.#converter = converter;
    this.#reader = new ByteReader(limits.maxMessageBytes);
  }

  get remaining(): number {
    return this.#reader.remaining;
  }

  get inMidMessage(): boolean {
    return this.#reader.remaining > 0;
  }

  reset(bytes: Buffer): void {
    this.#reader.resume(bytes);
  }

  next(): DecodeProgress {
    if (this.#reader.remaining === 0) return 'needs more';
    const message = decodeFrame(this.#converter, this.#reader);
    if (message === undefined) return 'needs more';
    this.message = message;
    return 'message';
  }

  abandon(): void {}
}

class DeserializerDecoder<T> implements MessageDecoder<T> {
  message!: T;
  readonly #converter: Converter<T>;
  readonly #connection: Connection;
  readonly #limits: Limits;
  readonly #callback: OneShotCallback;
  readonly #onError: ErrorHandler | undefined;
  readonly #bytes = new UnusedBytes();
  #deserializer: Deserializer<T> | undefined;
  /** Whether the deserializer must be called even if nothing has arrived: it had waited for its callback. */
  #owesCall = false;
  #consumed = 0;
  #emptyMessages = 0;
  #abandoned = false;

  constructor(
    converter: Converter<T>,
    connection: Connection,
    limits: Limits,
    onReady: () => void,
    onError: ErrorHandler | undefined,
  ) {
    this.#onError = onError;
    this.#converter = converter;
    this.#connection = connection;
    this.#limits = limits;
    this.#callback = new OneShotCallback(onReady);
  }

  get remaining(): number {
    return this.#bytes.length;
  }

  get inMidMessage(): boolean {
    return this.#deserializer !== undefined || this.#bytes.length > 0;
  }

  reset(bytes: Buffer): void {
    this.#bytes.reset(bytes);
  }

  next(): DecodeProgress {
    for (;;) {
      if (this.#callback.waiting) return 'waiting';
      if (this.#bytes.length === 0 && !this.#owesCall) return 'needs more';
      this.#owesCall = false;
      const deserializer = this.#deserializer ?? this.#create();
      if (deserializer === undefined) return 'waiting';
      const status = this.#put(deserializer);
      // The converter may have disconnected from within.
      if (this.#deserializer !== deserializer) return 'waiting';
      if (status === DONE) {
        this.#deserializer = undefined;
        // A callback that this deserializer has kept must not wake the next one.
        this.#callback.disarm();
        this.message = deserializer.message;
        this.#checkProgress();
        return 'message';
      }
      if (status === WAIT_FOR_MORE) {
        if (this.#bytes.length > this.#limits.maxMessageBytes) throw tooLarge(this.#limits);
        return 'needs more';
      }
      this.#owesCall = true;
      if (this.#callback.wait()) return 'waiting';
    }
  }

  abandon(): void {
    this.#abandoned = true;
    const deserializer = this.#deserializer;
    this.#deserializer = undefined;
    this.#callback.disarm();
    if (deserializer !== undefined) runReported(this.#onError, destroy, deserializer);
  }

  /** The next deserializer; `undefined` if the converter has disconnected from within. */
  #create(): Deserializer<T> | undefined {
    const deserializer = this.#converter.createDeserializer(this.#connection, this.#limits);
    checkDeserializer(deserializer);
    if (this.#abandoned) runReported(this.#onError, destroy, deserializer);
    else this.#deserializer = deserializer;
    return this.#deserializer;
  }

  #put(deserializer: Deserializer<T>): symbol {
    const given = this.#bytes.length;
    const answer: unknown = deserializer.putBytes(this.#bytes.view, this.#callback.arm());
    if (!Array.isArray(answer)) throw nonsense(`no pair, but ${showAnswer(answer)}`);
    // Not by destructuring: a message is to cost no iterator.
    const unused: unknown = answer[0];
    const status: unknown = answer[1];
    this.#bytes.keep(unused);
    this.#consumed += given - this.#bytes.length;
    if (status !== DONE && status !== WAIT_FOR_MORE && status !== WAIT_FOR_CALLBACK) {
      throw nonsense(
        `a status that is none of DONE, WAIT_FOR_MORE and WAIT_FOR_CALLBACK, but ${showAnswer(status)}`,
      );
    }
    return status;
  }

  #checkProgress(): void {
    this.#emptyMessages = this.#consumed === 0 ? this.#emptyMessages + 1 : 0;
    this.#consumed = 0;
    if (this.#emptyMessages < MOST_EMPTY_MESSAGES) return;
    throw new PikeError(
      'PIKE_ERR_NO_PROGRESS',
      `${MOST_EMPTY_MESSAGES} times in a row, putBytes answered DONE without using a byte.`,
    );
  }
}

const MOST_EMPTY_MESSAGES = 100;

function destroy(deserializer: Deserializer<unknown>): void {
  deserializer.destroy?.();
}

function tooLarge(limits: Limits): PikeError {
  return new PikeError(
    'PIKE_ERR_MESSAGE_TOO_LARGE',
    `putBytes leaves more than ${limits.maxMessageBytes} bytes unused while it waits for more. ` +
      'Raise maxMessageBytes if such messages are expected.',
  );
}
