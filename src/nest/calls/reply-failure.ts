import { PikeError } from '../../core/errors.js';
import type { Delivery, PikeErrorCode } from '../../core/errors.js';
import type { IncomingReply } from '../packets/packets.js';

/** What a reply says whose request was not begun, or not finished; `codes[0]` where it does not say why. */
interface Failure {
  readonly codes: readonly [PikeErrorCode, ...PikeErrorCode[]];
  readonly message: string;
  readonly delivery: Delivery;
}

const FAILURES: Readonly<Record<'refused' | 'interrupted', Failure>> = {
  refused: {
    codes: ['PIKE_ERR_REFUSED', 'PIKE_ERR_SHUTTING_DOWN', 'PIKE_ERR_OVERLOADED'],
    message: 'The peer has not begun this request.',
    delivery: 'unsent',
  },
  interrupted: {
    codes: ['PIKE_ERR_INTERRUPTED'],
    message: 'The peer has not finished this request.',
    delivery: 'in-doubt',
  },
};

/** Whether a reply says that its request has failed. */
export function hasError({ err, status }: IncomingReply): boolean {
  return (err !== undefined && err !== null) || failureOf(status) !== undefined;
}

/**
 * What the caller of a request is told whose reply {@link hasError}: what its handler has made of the
 * error, as it is; or that no handler has dealt with it, which is for the `status` of the reply to say. The
 * code of the error would not do: a handler may pass on that of a server which it has asked itself.
 */
export function errorOf({ err, status }: IncomingReply): unknown {
  const failure = failureOf(status);
  if (failure === undefined) return err;
  const { code, message } = typeof err === 'object' && err !== null ? (err as Told) : {};
  return new PikeError(
    failure.codes.find((known) => known === code) ?? failure.codes[0],
    typeof message === 'string' ? message : failure.message,
    { cause: err, delivery: failure.delivery },
  );
}

interface Told {
  code?: unknown;
  message?: unknown;
}

function failureOf(status: unknown): Failure | undefined {
  return status === 'refused' || status === 'interrupted' ? FAILURES[status] : undefined;
}
