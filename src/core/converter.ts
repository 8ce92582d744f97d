import type { Connection } from './connection.js';

/**
 * `putBytes` answers with it when the message has been wholly deserialized. The registered symbol
 * `nestjs-pike.DONE`, so that a CommonJS converter works in an ES module host.
 */
export const DONE: unique symbol = Symbol.for('nestjs-pike.DONE');

/** `putBytes` answers with it when it needs more bytes from the peer. */
export const WAIT_FOR_MORE: unique symbol = Symbol.for('nestjs-pike.WAIT_FOR_MORE');

/** `putBytes` and `getBytes` answer with it when they want to be called again after the callback. */
export const WAIT_FOR_CALLBACK: unique symbol = Symbol.for('nestjs-pike.WAIT_FOR_CALLBACK');

/** What a converter must not exceed. The connector passes its own options in. */
export interface Limits {
  /**
   * The most bytes one message may take on the wire, its framing included, or, for a converter
   * that streams a message, may keep in memory. A longer declared length must be refused before
   * a byte of it is buffered.
   */
  readonly maxMessageBytes: number;
}

/**
 * Turns one message into bytes, piece by piece.
 *
 * `getBytes` is called whenever the connection can take more bytes:
 *
 * - a non-empty array holds the next bytes; it must stay as it is until the next call, or `destroy`;
 * - an empty array says that the message is complete; the next message gets a new serializer;
 * - `WAIT_FOR_CALLBACK` says that there is nothing to send *yet*: `getBytes` is called again only
 *   after `callback` has been called.
 *
 * The callback may be called synchronously, and more than once (the first call counts), and after
 * the connection has ended (ignored). Throwing before any byte has left rejects the message;
 * throwing later costs the connection, since its peer holds half a message. Any other answer counts as
 * throwing `PIKE_ERR_SERIALIZER`, a promise too: `getBytes` is never awaited, so it is not `async`.
 *
 * From within, and from within `createSerializer` and `destroy`, every method of the connector may be
 * called, whatever it ends.
 */
export interface Serializer {
  getBytes(callback: () => void): Uint8Array | typeof WAIT_FOR_CALLBACK;
  /**
   * Called once if the message ends in any way but by an empty array, its own throwing included:
   * release files and the like. What it throws goes to the `onError` option.
   */
  destroy?(): void;
}

/**
 * What {@link Deserializer.putBytes} answers: the bytes it did not use, the last ones of those given, and
 * what it waits for. The bytes themselves (a view of them or a copy), or just how many they are: where
 * messages are small and many, that is faster.
 */
export type PutBytesResult = [
  unused: Uint8Array | number,
  status: typeof DONE | typeof WAIT_FOR_MORE | typeof WAIT_FOR_CALLBACK,
];

/**
 * Turns bytes into one message.
 *
 * `putBytes` is given the bytes at hand and answers with the suffix that it did not use and
 *
 * - `DONE`: `message` is valid; the suffix goes to a new deserializer;
 * - `WAIT_FOR_MORE`: called again when more has arrived, with the suffix and the new bytes behind it;
 * - `WAIT_FOR_CALLBACK`: nothing is called until `callback` has been called; then `putBytes` is
 *   called with the suffix and whatever has arrived meanwhile, **even if that is empty**. Meanwhile the
 *   peer is not read, so it is no way to wait for more.
 *
 * The callback may be called synchronously, and more than once (the first call counts), and after
 * the connection has ended (ignored). Throwing costs the connection. Any other answer counts as
 * throwing `PIKE_ERR_DESERIALIZER`, a promise too: `putBytes` is never awaited, so it is not `async`.
 * The same goes for a `message` that throws.
 *
 * From within, and from within `createDeserializer` and `destroy`, every method of the connector may be
 * called, whatever it ends; what `putBytes` then answers is of no interest any more.
 *
 * The bytes are a view that stays valid for ever, but holds on to the whole buffer that arrived:
 * copy what you keep for long.
 */
export interface Deserializer<T> {
  putBytes(data: Buffer, callback: () => void): PutBytesResult;
  /** The message. Read once, after `DONE`. */
  readonly message: T;
  /**
   * Called once if the connection ends before `DONE`, by its own throwing too: release files and the
   * like. What it throws goes to the `onError` option.
   */
  destroy?(): void;
}

/**
 * The wire protocol: a factory of one serializer for each message sent and one deserializer for
 * each message received. An instance serves one message on one connection; a shared instance may
 * be returned only if it keeps no state.
 *
 * For a protocol whose messages fit in memory, extend `FramedConverter` instead: it is shorter to
 * write and faster.
 */
export interface Converter<T> {
  createSerializer(message: T, connection: Connection): Serializer;
  createDeserializer(connection: Connection, limits: Limits): Deserializer<T>;
  /**
   * Whether a peer never acts on a part of a message. Then a message that was sent incompletely is
   * safe to send again. Its serializers must not wait after their last byte: until the empty array,
   * a message counts as incomplete, though its peer may have it whole. Default: false.
   */
  readonly atomic?: boolean;
}
