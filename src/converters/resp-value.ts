/**
 * A value of RESP2. On the way out a text, or bytes, are a bulk string, a number or bigint is an integer,
 * and an array may hold any of them. On the way in a simple string is a text too, and an array or bulk
 * string that is null is `null`.
 */
export type RespValue =
  string | Uint8Array | number | bigint | null | RespSimpleString | RespError | RespValue[];

const ERROR_BRAND = Symbol.for('nestjs-pike.RespError');
const SIMPLE_BRAND = Symbol.for('nestjs-pike.RespSimpleString');

/**
 * An error reply, as `-ERR unknown command`. Its message is what stands behind the `-`: by custom a word in
 * capitals, and what is wrong. Sent, or received, it is a value like any other.
 */
export class RespError extends Error {
  override readonly name: string = 'RespError';
  /** @internal */
  readonly [ERROR_BRAND] = true;
}

/** A short text without line ends, as `+OK`, that is to be sent as such and not as a bulk string. */
export class RespSimpleString {
  readonly text: string;
  /** @internal */
  readonly [SIMPLE_BRAND] = true;

  constructor(text: string) {
    this.text = text;
  }
}

/** Whether a value is a {@link RespError}, of this copy of the package or another. */
export function isRespError(value: unknown): value is RespError {
  return typeof value === 'object' && value !== null && ERROR_BRAND in value;
}

/** Whether a value is a {@link RespSimpleString}, of this copy of the package or another. */
export function isRespSimpleString(value: unknown): value is RespSimpleString {
  return typeof value === 'object' && value !== null && SIMPLE_BRAND in value;
}
