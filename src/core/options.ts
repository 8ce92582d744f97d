import type { Converter, Limits } from './converter.js';
import { PikeError } from './errors.js';
import { isFramedConverter } from './framed-converter.js';
import type { ErrorHandler } from './report.js';

/** What can be set by number, for any connector. Beyond `maxMessageBytes`, a peer never notices. */
export interface ConnectorLimits extends Limits {
  /** Messages that may wait for one connection; a further one is rejected. Default: 1 048 576 messages. */
  readonly maxQueuedMessages: number;
  /** Above so many waiting messages `send` returns false. Default: 16 384 messages. */
  readonly highWaterMark: number;
  /** `drained` resolves when no more wait. Default: 4 096 messages. */
  readonly lowWaterMark: number;
  /**
   * Events of one connection that may wait to be taken; above it the socket is not read. Nor is it
   * while any wait and more than `maxMessageBytes`, 65 536 at least, have arrived with them and
   * since. Default: 1 024 events.
   */
  readonly maxPendingEvents: number;
  /**
   * Connections at a time, those still closing included, and those that have ended and whose events
   * wait in the shared queue; further peers are refused. Default: 65 536 connections.
   */
  readonly maxConnections: number;
  /** How much is serialized and handed to the system at a time. Default: 65 536 bytes. */
  readonly chunkBytes: number;
  /** How long connecting may take. Default: 10 000 ms. */
  readonly connectTimeout: number;
  /** How long a peer waits for `finishAccept` before it is refused. Default: 10 000 ms. */
  readonly acceptTimeout: number;
  /** How long a connection that we have ended waits for its peer to end. Default: 2 000 ms. */
  readonly lingerTimeout: number;
  /**
   * How long a message may take from its first byte to its last, extended as long as
   * `minBytesPerSecond` arrive; 0 for ever. Default: 30 000 ms.
   */
  readonly incompleteMessageTimeout: number;
  /** How fast a message that outlasts `incompleteMessageTimeout` must arrive, on average. Default: 1 024 bytes. */
  readonly minBytesPerSecond: number;
  /** How long a peer may accept nothing while there is something to send; 0 for ever. Default: 60 000 ms. */
  readonly stallTimeout: number;
}

/** What any connector can be told. */
export interface ConnectorOptions<T> extends Partial<ConnectorLimits> {
  /** The wire protocol. Required. */
  converter: Converter<T>;
  /**
   * Whether a peer that ends its side may still be sent to (as `net.Server`'s option). Default:
   * false: the connection ends with a RemoteDisconnect.
   */
  allowHalfOpen?: boolean;
  /** Told what listeners and callbacks throw. Default: an uncaught exception in a turn of its own. */
  onError?: ErrorHandler;
}

/** A numeric option: its default, its range, and its unit. */
export interface NumericOption {
  readonly default: number;
  readonly lowest: number;
  readonly highest?: number;
  readonly unit: 'bytes' | 'messages' | 'events' | 'connections' | 'handlers' | 'attempts' | 'ms';
}

/** The most milliseconds that a timer can wait. */
export const MOST_MS = 2_147_483_647;

/** Every numeric option of a connector: the one place where defaults are. */
export const LIMITS: Readonly<Record<keyof ConnectorLimits, NumericOption>> = {
  maxMessageBytes: { default: 1_048_576, lowest: 1, unit: 'bytes' },
  maxQueuedMessages: { default: 1_048_576, lowest: 1, unit: 'messages' },
  highWaterMark: { default: 16_384, lowest: 0, unit: 'messages' },
  lowWaterMark: { default: 4_096, lowest: 0, unit: 'messages' },
  maxPendingEvents: { default: 1_024, lowest: 1, unit: 'events' },
  maxConnections: { default: 65_536, lowest: 1, unit: 'connections' },
  chunkBytes: { default: 65_536, lowest: 1, highest: 16_777_216, unit: 'bytes' },
  connectTimeout: { default: 10_000, lowest: 1, highest: MOST_MS, unit: 'ms' },
  acceptTimeout: { default: 10_000, lowest: 1, highest: MOST_MS, unit: 'ms' },
  lingerTimeout: { default: 2_000, lowest: 0, highest: MOST_MS, unit: 'ms' },
  incompleteMessageTimeout: { default: 30_000, lowest: 0, highest: MOST_MS, unit: 'ms' },
  minBytesPerSecond: { default: 1_024, lowest: 0, unit: 'bytes' },
  stallTimeout: { default: 60_000, lowest: 0, highest: MOST_MS, unit: 'ms' },
};

/** Options with every default filled in. */
export interface ConnectorSettings<T> extends ConnectorLimits {
  readonly converter: Converter<T>;
  readonly allowHalfOpen: boolean;
  readonly onError: ErrorHandler | undefined;
}

/**
 * Checks options and fills in the defaults.
 * @param owner whose options they are, for the error message
 * @param own further options that the owner knows and checks itself
 * @throws PikeError `PIKE_ERR_INVALID_OPTION`, naming the option
 */
export function readConnectorOptions<T>(
  owner: string,
  options: ConnectorOptions<T>,
  own: readonly string[],
): ConnectorSettings<T> {
  if (typeof options !== 'object' || options === null) {
    throw invalidOption(owner, 'options', 'must be an object');
  }
  const known = ['converter', 'allowHalfOpen', 'onError', ...Object.keys(LIMITS), ...own];
  checkKnown(owner, options, known);
  const { converter, allowHalfOpen = false, onError } = options;
  if (!isConverter(converter)) {
    throw invalidOption(
      owner,
      'converter',
      'is required: an object with createSerializer and createDeserializer, or a FramedConverter ' +
        'with encode and decode',
    );
  }
  checkType(owner, 'allowHalfOpen', allowHalfOpen, 'boolean');
  if (onError !== undefined) checkType(owner, 'onError', onError, 'function');
  const limits = readNumbers(owner, options, LIMITS);
  if (limits.lowWaterMark > limits.highWaterMark) {
    if (options.lowWaterMark !== undefined) {
      throw invalidOption(owner, 'lowWaterMark', 'must not exceed highWaterMark');
    }
    limits.lowWaterMark = Math.floor(limits.highWaterMark / 4);
  }
  return { ...limits, converter, allowHalfOpen, onError };
}

/** Reads the numeric options of a table. @throws PikeError `PIKE_ERR_INVALID_OPTION` */
export function readNumbers<Name extends string>(
  owner: string,
  options: object,
  table: Readonly<Record<Name, NumericOption>>,
): Record<Name, number> {
  const numbers = {} as Record<Name, number>;
  for (const name of Object.keys(table) as Name[]) {
    const { default: standard, lowest, highest = Number.MAX_SAFE_INTEGER, unit } = table[name];
    const value = (options as Partial<Record<Name, unknown>>)[name] ?? standard;
    if (!Number.isInteger(value) || (value as number) < lowest || (value as number) > highest) {
      throw invalidOption(
        owner,
        name,
        `must be a whole number of ${unit} from ${lowest} to ${highest}; got ${String(value)}`,
      );
    }
    numbers[name] = value as number;
  }
  return numbers;
}

/** @throws PikeError `PIKE_ERR_INVALID_OPTION` for a key that nobody knows */
export function checkKnown(owner: string, options: object, known: readonly string[]): void {
  for (const key of Object.keys(options)) {
    if (!known.includes(key)) {
      throw invalidOption(owner, key, `is unknown. Known options: ${[...known].sort().join(', ')}`);
    }
  }
}

/** @throws PikeError `PIKE_ERR_INVALID_OPTION` for a value of another type */
export function checkType(
  owner: string,
  name: string,
  value: unknown,
  type: 'boolean' | 'function' | 'string' | 'object',
): void {
  if (typeof value !== type || value === null) {
    throw invalidOption(
      owner,
      name,
      `must be ${type === 'object' ? 'an' : 'a'} ${type}; got ${value === null ? 'null' : typeof value}`,
    );
  }
}

/** The error for a wrong option. @param cause the error underneath, if there is one */
export function invalidOption(
  owner: string,
  name: string,
  problem: string,
  cause?: unknown,
): PikeError {
  return new PikeError('PIKE_ERR_INVALID_OPTION', `${owner}: option "${name}" ${problem}.`, {
    cause,
  });
}

/** Whether a value has the methods of a converter; only a JavaScript author can leave them out. */
export function isConverter(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const methods = ['createSerializer', 'createDeserializer'];
  if (isFramedConverter(value)) methods.push('encode', 'decode');
  return methods.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}
