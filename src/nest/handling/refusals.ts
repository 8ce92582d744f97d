import type { PikeErrorCode } from '../../core/errors.js';
import type { ReplyContent, ReplyStatus } from '../packets/packets.js';

/** What requests are answered with that nobody handles. Nest's own words, which its users' code and tests may compare with. */
export const NO_MESSAGE_HANDLER =
  'There is no matching message handler defined in the remote service.';

/** The reply to a request that no handler has begun, or finished. */
export type Refusal = Readonly<Required<Pick<ReplyContent, 'status' | 'err'>>>;

/** While the server shuts down: it was not begun. */
export const SHUTTING_DOWN = refusal('refused', {
  code: 'PIKE_ERR_SHUTTING_DOWN',
  message: 'The server is shutting down and has not begun this request.',
});

/** Of a request that comes when too many wait already: it was not begun. */
export const OVERLOADED = refusal('refused', {
  code: 'PIKE_ERR_OVERLOADED',
  message:
    'Too many requests of this connection wait for a handler (maxInFlight): this one was not begun.',
});

/** Of what the server does not finish: streams, and what outlives the deadline. */
export const INTERRUPTED = refusal('interrupted', {
  code: 'PIKE_ERR_INTERRUPTED',
  message: 'The server has shut down before this request was finished.',
});

function refusal(
  status: ReplyStatus,
  err: { readonly code: PikeErrorCode; readonly message: string },
): Refusal {
  return Object.freeze({ status, err: Object.freeze({ status: 'error', ...err }) });
}
