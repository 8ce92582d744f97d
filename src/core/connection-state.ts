/**
 * The states of a connection:
 *
 * ```
 * connecting ──┐                    ┌──────────── fault, peer gone, `now` ────────────┐
 *              ├─→ open ──→ remoteEnded ──→ finishing ──→ lingering ──→ closed ←───────┘
 * arriving ────┘      └───────────────────────↗
 * ```
 *
 * - `connecting`: we dial; messages queue;
 * - `arriving`: the system has accepted the peer, the application has not; nothing is read or sent;
 * - `open`;
 * - `remoteEnded`: half-open: nothing more to read, we may still send (`allowHalfOpen`);
 * - `finishing`: sending what the way to finish allows; new messages are rejected; reading goes on;
 * - `lingering`: all is sent and our side ended; input is thrown away until the peer ends too, for
 *   closing a socket with unread input resets it, which can destroy what was just sent;
 * - `closed`.
 */
export type ConnectionState =
  'connecting' | 'arriving' | 'open' | 'remoteEnded' | 'finishing' | 'lingering' | 'closed';

/** Which states may follow which. */
export const NEXT_STATES: Readonly<Record<ConnectionState, readonly ConnectionState[]>> = {
  connecting: ['open', 'closed'],
  arriving: ['open', 'closed'],
  open: ['remoteEnded', 'finishing', 'closed'],
  remoteEnded: ['finishing', 'closed'],
  finishing: ['lingering', 'closed'],
  lingering: ['closed'],
  closed: [],
};

/** Whether messages are sent, and bytes read. */
export function isOpen(state: ConnectionState): boolean {
  return state === 'open' || state === 'remoteEnded' || state === 'finishing';
}

/** Whether `send` takes messages in a state. */
export function takesMessages(state: ConnectionState): boolean {
  return (
    state === 'open' || state === 'connecting' || state === 'arriving' || state === 'remoteEnded'
  );
}
