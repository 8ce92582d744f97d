import type { PikeErrorCode } from '../../core/errors.js';
import { causeBelow, isPikeError } from '../../core/errors.js';
import type { DisconnectType } from '../../core/events.js';

/** Why a connection has ended, as far as its callers are concerned. */
export interface EndReason {
  code: PikeErrorCode;
  message: string;
  /** The error underneath, such as the system's, if there is one. */
  cause: unknown;
}

/** That our own side was closed, which is reason enough for a connection to end. */
export type Closed = Omit<EndReason, 'cause'>;

/** Why a connection has ended. @param closed if our own side was closed before */
export function endReasonOf(
  { type, error }: { type: DisconnectType; error?: Error },
  closed: Closed | undefined,
): EndReason {
  if (closed !== undefined) return { ...closed, cause: error };
  if (type === 'remoteDisconnect' && error === undefined) {
    return {
      code: 'PIKE_ERR_REMOTE_ENDED',
      message: 'The peer ended the connection.',
      cause: error,
    };
  }
  const code = isPikeError(error) ? error.code : 'PIKE_ERR_CONNECTION_LOST';
  return { code, message: error?.message ?? 'The connection was ended.', cause: causeBelow(error) };
}
