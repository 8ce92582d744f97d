import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { AcceptedBytes } from '../outbound/write-progress.js';

/** What of libuv's stream Node shows on a socket's handle. Not documented API: used in this file only. */
interface StreamHandle {
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
}

/**
 * How many bytes the system has accepted from a plain socket: those handed to libuv less those that
 * it still holds. Right to the byte, see the spec beside this file, which runs on every supported
 * version of Node; unknown after a write has failed.
 * @param socket connected, and nothing written to it yet
 */
export function acceptedBytesOf(socket: Socket): AcceptedBytes {
  if (socket instanceof TLSSocket) return UNKNOWN;
  if (socket.destroyed) return NONE;
  // Now: destroying the socket takes it away.
  const handle = handleOf(socket);
  if (handle === undefined) return UNKNOWN;
  return () => (writeHasFailed(socket) ? undefined : handle.bytesWritten - handle.writeQueueSize);
}

/** After a failed write libuv has emptied its queue, and its count claims bytes that never left. */
function writeHasFailed({ errored }: Socket): boolean {
  return errored !== null && (errored as NodeJS.ErrnoException).syscall !== 'read';
}

/** With TLS the system counts ciphertext. */
function UNKNOWN(): undefined {}

/** What is destroyed accepts nothing any more. */
const NONE = (): number => 0;

function handleOf(socket: Socket): StreamHandle | undefined {
  const { _handle: handle } = socket as Socket & { _handle?: Partial<StreamHandle> | null };
  return typeof handle?.bytesWritten === 'number' && typeof handle.writeQueueSize === 'number'
    ? (handle as StreamHandle)
    : undefined;
}
