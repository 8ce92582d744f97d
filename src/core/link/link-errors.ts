import { inspect } from 'node:util';
import type { ConnectionFacts } from '../connection.js';
import type { ConnectionState } from '../connection-state.js';
import type { Endpoint } from '../endpoint.js';
import { showEndpoint } from '../endpoint.js';
import { PikeError, describeThrown } from '../errors.js';

/** The system could not connect, or not begin to. @param cause what it says, or Node */
export function connectFailed(remote: Endpoint | undefined, cause: unknown): PikeError {
  return new PikeError(
    'PIKE_ERR_CONNECT_FAILED',
    `Could not connect${to(remote)}: ${describeThrown(cause)}`,
    { cause },
  );
}

/** Connecting was given up by the signal that it was given. @param reason why, in the words of who aborted it */
export function connectAborted(reason: unknown): PikeError {
  return new PikeError('PIKE_ERR_CONNECT_ABORTED', 'Connecting was aborted by its signal.', {
    cause: reason,
  });
}

/** Connecting was given up, for the connector is shut down. */
export function shutDownEarly(): PikeError {
  return new PikeError('PIKE_ERR_CONNECT_ABORTED', 'The connector was shut down while connecting.');
}

/** A peer has not got through its TLS handshake. @param why what was wrong, in Node's words */
export function handshakeFailed(
  remote: Endpoint | undefined,
  why: string,
  cause: Error,
): PikeError {
  return new PikeError(
    'PIKE_ERR_HANDSHAKE_FAILED',
    `The TLS handshake${remote === undefined ? '' : ` of ${showEndpoint(remote)}`} failed: ${why}`,
    { cause },
  );
}

/** The application has given up a connection that was being established. */
export function disconnectedEarly(): PikeError {
  return new PikeError('PIKE_ERR_CONNECT_ABORTED', 'Disconnected while it was still connecting.');
}

/** The peer has ended while we were finishing. */
export function endedEarly(): PikeError {
  return new PikeError('PIKE_ERR_REMOTE_ENDED', 'The peer ended before everything was sent.');
}

/** What was given up was still being sent when its time had passed. */
export function deadlinePassed(ms: number): PikeError {
  return new PikeError('PIKE_ERR_DEADLINE', `Not everything was sent within ${ms} ms.`);
}

/** The connection takes no more messages. */
export function notTaking(state: ConnectionState): PikeError {
  return new PikeError(
    'PIKE_ERR_DISCONNECTED',
    `The connection takes no more messages: it is ${state}.`,
  );
}

/** The application did not accept the peer. */
export function notAccepted(ms: number): PikeError {
  return new PikeError(
    'PIKE_ERR_ACCEPT_TIMEOUT',
    `The peer was not accepted within ${ms} ms: finishAccept() has not taken effect.`,
  );
}

/** Connecting took too long. */
export function notConnected(remote: Endpoint | undefined, ms: number): PikeError {
  return new PikeError('PIKE_ERR_CONNECT_TIMEOUT', `Not connected${to(remote)} within ${ms} ms.`);
}

function to(remote: Endpoint | undefined): string {
  return remote === undefined ? '' : ` to ${showEndpoint(remote)}`;
}

/** A connector was given a connection that is none of its own. @param facts what stands behind it, if it is one */
export function foreignConnection(
  connection: unknown,
  facts: Pick<ConnectionFacts, 'id'> | undefined,
): PikeError {
  return new PikeError(
    'PIKE_ERR_FOREIGN_CONNECTION',
    facts === undefined
      ? `Not a connection: ${inspect(connection, { depth: 0 })}. Give one that this connector has made.`
      : `Connection ${facts.id} was not made by this connector.`,
  );
}
