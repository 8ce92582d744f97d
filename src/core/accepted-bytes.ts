import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { AcceptedBytes } from './wire.js';

/** What of libuv's stream Node shows on a socket's handle. Not documented API: used in this file only. */
interface StreamHandle {
  readonly bytesWritten: number;
  readonly writeQueueSize: number;
}

/**
 * How many bytes the system has accepted from a plain socket: those handed to libuv less those that
 * it still holds. Right to the byte, see the spec beside this file, which runs on every supported
 * version of Node; unknown before it is connected and after a write has failed.
 */
export function acceptedBytesOf(socket: Socket): AcceptedBytes {
  if (socket instanceof TLSSocket) return UNKNOWN;
  // Connecting to a host name may replace the handle, and destroying the socket takes it away.
  let handle = socket.connecting ? undefined : handleOf(socket);
  if (socket.connecting) {
    socket.once('connect', () => {
      handle = handleOf(socket);
    });
  }
  return () =>
    handle === undefined || writeHasFailed(socket)
      ? undefined
      : handle.bytesWritten - handle.writeQueueSize;
}

/** After a failed write libuv has emptied its queue, and its count claims bytes that never left. */
function writeHasFailed({ errored }: Socket): boolean {
  return errored !== null && (errored as NodeJS.ErrnoException).syscall !== 'read';
}

/** With TLS the system counts ciphertext. */
function UNKNOWN(): undefined {}

function handleOf(socket: Socket): StreamHandle | undefined {
  const { _handle: handle } = socket as Socket & { _handle?: Partial<StreamHandle> | null };
  return typeof handle?.bytesWritten === 'number' && typeof handle.writeQueueSize === 'number'
    ? (handle as StreamHandle)
    : undefined;
}
