import { types } from 'node:util';

/**
 * Every code a {@link PikeError} can carry, with what it means.
 *
 * Codes are stable: they change only with a major version. The table is the one source of the
 * `PikeErrorCode` type and of `docs/errors.md`.
 */
export const PIKE_ERRORS = {
  PIKE_ERR_INVALID_OPTION: 'An option is unknown, missing, of the wrong type or out of range.',
  PIKE_ERR_INVALID_FINISH:
    'disconnect or shutdown was not told exactly one of now, finishMessages and finishQueues.',
  PIKE_ERR_INVALID_ENDPOINT: 'An endpoint is neither { host, port } nor { path }.',
  PIKE_ERR_NOT_RUNNING: 'The connector was used before run() had resolved, or run() has failed.',
  PIKE_ERR_ALREADY_RUNNING: 'run() was called a second time, or after shutdown().',
  PIKE_ERR_SHUT_DOWN: 'The connector has been shut down, or is shutting down.',
  PIKE_ERR_FOREIGN_CONNECTION: 'The connection was not made by this connector, or is none.',
  PIKE_ERR_NOT_SEPARATE: 'The connection has no queue of its own to receive from or to merge.',
  PIKE_ERR_SUBSCRIBED: 'subscribe() and receive() exclude each other.',
  PIKE_ERR_ACCEPT_FINISHED: 'finishAccept() was called a second time.',
  PIKE_ERR_LISTEN_FAILED: 'Listening on the port or path failed.',
  PIKE_ERR_CONNECT_FAILED: 'The connection could not be established.',
  PIKE_ERR_CONNECT_TIMEOUT: 'The connection was not established in time.',
  PIKE_ERR_CONNECT_ABORTED: 'Connecting was given up: aborted, disconnected or shut down.',
  PIKE_ERR_ACCEPT_TIMEOUT: 'finishAccept() was not called in time.',
  PIKE_ERR_HANDSHAKE_FAILED: 'The TLS handshake of a peer that had connected to us failed.',
  PIKE_ERR_CONNECTION_LOST: 'The connection broke: the system reported an error on its socket.',
  PIKE_ERR_REMOTE_ENDED: 'The peer ended the connection.',
  PIKE_ERR_DISCONNECTED: 'The connection is finishing or has ended.',
  PIKE_ERR_DEADLINE: 'The deadline passed before everything was sent.',
  PIKE_ERR_QUEUE_FULL:
    "As much waits as may: maxQueuedMessages, maxSendBufferSize, or a client's maxOfflineMessages.",
  PIKE_ERR_SERIALIZER: 'The converter failed, or misbehaved, while it serialized a message.',
  PIKE_ERR_DESERIALIZER: 'The converter failed, or misbehaved, while it deserialized input.',
  PIKE_ERR_MALFORMED: 'The peer sent bytes that are no message of the protocol.',
  PIKE_ERR_MESSAGE_TOO_LARGE: 'A message is larger than maxMessageBytes.',
  PIKE_ERR_INCOMPLETE_TIMEOUT: 'A message did not arrive whole in time, and came too slowly.',
  PIKE_ERR_STALLED: 'The peer accepted nothing for stallTimeout while there was something to send.',
  PIKE_ERR_NO_PROGRESS: 'A deserializer reported messages again and again without consuming bytes.',
  PIKE_ERR_TRUNCATED: 'The peer ended in the middle of a message.',
  PIKE_ERR_OUT_OF_BYTES:
    'A decoder read past the bytes that have arrived, or no whole number of them.',
  PIKE_ERR_MESSAGE_RETURNED: 'A message given to send came back unsent.',
  PIKE_ERR_NO_REQUESTS:
    'Under correlation in order, a server cannot send requests to its peers, only events.',
  PIKE_ERR_HEARTBEAT_TIMEOUT: 'The peer gave no sign of life for two heartbeat intervals.',
  PIKE_ERR_NO_ERROR_REPLY: 'A handler failed, and the protocol has no message to say so.',
  PIKE_ERR_CLIENT_CLOSED: 'The client was closed before the reply came, or the event was sent.',
  PIKE_ERR_OFFLINE_TIMEOUT: 'The client was not connected again within offlineTimeout.',
  PIKE_ERR_REQUEST_TIMEOUT: 'The reply did not come within requestTimeout.',
  PIKE_ERR_REFUSED: 'The peer says that it has not begun the request, and nothing more.',
  PIKE_ERR_SHUTTING_DOWN: 'The server is closing and has not begun the request.',
  PIKE_ERR_OVERLOADED:
    'As many requests of the connection wait for a handler as may (maxInFlight): this one was not begun.',
  PIKE_ERR_INTERRUPTED: 'The server closed before the handler had finished.',
  PIKE_ERR_NOT_INJECTED: 'Nest could not resolve an option that is a class or token.',
  PIKE_ERR_NO_SERVER: 'An injected server was used, and the application has none that it can be.',
  PIKE_ERR_LISTENER: 'A listener or callback of the application failed.',
} as const satisfies Record<string, string>;

/** A stable error code, see {@link PIKE_ERRORS}. */
export type PikeErrorCode = keyof typeof PIKE_ERRORS;

/** What is known of a failed request or event, see {@link PikeError.delivery}. */
export type Delivery = 'unsent' | 'in-doubt';

const BRAND = Symbol.for('nestjs-pike.PikeError');

/**
 * Every error this library makes. Branch on `code`; `cause` keeps the error underneath, if any.
 */
export class PikeError extends Error {
  override readonly name: string = 'PikeError';
  /** What went wrong, stable across releases. */
  readonly code: PikeErrorCode;
  /**
   * Of a request or event that a client, or a server, has sent and that failed: `'unsent'`, the peer cannot have acted on it, so
   * sending it again is safe: it was not sent, or the peer says that it was not begun; `'in-doubt'`, it was sent, or may have
   * been, and no reply came, or it was begun and not finished.
   */
  readonly delivery: Delivery | undefined;
  /** @internal */
  readonly [BRAND] = true;

  /**
   * @param code what went wrong
   * @param message the option, message or peer concerned, and what to do next
   * @param options `cause`: the error underneath; `delivery`: see there
   */
  constructor(
    code: PikeErrorCode,
    message: string,
    options: { cause?: unknown; delivery?: Delivery } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.delivery = options.delivery;
  }
}

/**
 * Whether a value is a {@link PikeError}. By brand, so that it also recognises errors of another
 * copy of this package (the CommonJS and the ES module build in one process).
 */
export function isPikeError(value: unknown): value is PikeError {
  return typeof value === 'object' && value !== null && BRAND in value;
}

/** The value itself when it is an `Error`, otherwise an `Error` that shows it. */
export function toError(value: unknown): Error {
  // By nature, not only by class: an error of another realm (a vm context) is one too.
  if (value instanceof Error || types.isNativeError(value) || isPikeError(value)) return value;
  let shown: string;
  try {
    shown = String(value);
  } catch {
    shown = Object.prototype.toString.call(value);
  }
  return new Error(`A value that is no Error was thrown: ${shown}`, { cause: value });
}

/**
 * The cause of an error that tells of another anew, with its code: what is underneath that one, such
 * as the system's error, or that one itself.
 */
export function causeBelow(error: unknown): unknown {
  return isPikeError(error) ? (error.cause ?? error) : error;
}

/** What was thrown, in a few words. Node's errors of several attempts have only a code. */
export function describeThrown(thrown: unknown): string {
  const error = toError(thrown) as NodeJS.ErrnoException;
  // OpenSSL's messages end with a line end.
  const message = error.message.trim();
  return message === '' ? (error.code ?? error.name) : message;
}
