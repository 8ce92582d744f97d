import type { Duplex } from 'node:stream';
import { PikeError, describeThrown } from '../errors.js';
import type { Accepted } from '../outbound/flight.js';
import { WriteProgress } from '../outbound/write-progress.js';
import type { AcceptedBytes } from '../outbound/write-progress.js';

/** Who knows the sockets of a transport. */
export interface SocketExpert {
  /** @internal As in the class that has it. Begins to count, for a socket that is connected and that nothing was written to. */
  acceptedBytesOf(socket: Duplex): AcceptedBytes;
}

/** What the wire tells its connection, and needs of it. */
export interface WireHost {
  readonly owner: SocketExpert;
  data(bytes: Buffer): void;
  /** The chunk given to {@link Wire.write} was accepted. */
  written(): void;
  /** The peer has ended its side. */
  remoteEnd(): void;
  /** The socket is broken. */
  broken(error: PikeError): void;
  /** The socket is closed and holds nothing any more. Always comes, and last. */
  gone(): void;
}

const WIRE = Symbol('nestjs-pike.wire');

/** A socket that knows its wire, so that all sockets share their listeners. */
interface WiredSocket extends Duplex {
  [WIRE]: Wire;
}

/**
 * A socket as its connection sees it: one chunk at a time, and an answer to how much of it the
 * system has accepted.
 */
export class Wire {
  readonly #socket: Duplex;
  /** From the first chunk on: many connections are sent nothing, for long. */
  #progress: WriteProgress | undefined;
  /** Told what happens to the socket. */
  readonly host: WireHost;
  #ending = false;

  constructor(socket: Duplex, host: WireHost) {
    this.#socket = socket;
    this.host = host;
    (socket as WiredSocket)[WIRE] = this;
    // First: who listens for data makes a socket flow.
    socket.pause();
    socket.on('data', onData).on('end', onEnd).on('error', onError).on('close', onClose);
  }

  /**
   * Hands over a chunk; the next one only after `written`.
   * @returns whether the system is known to have copied all of it already, so that nobody reads it any more
   */
  write(chunk: Buffer): boolean {
    const progress = (this.#progress ??= new WriteProgress(
      this.host.owner.acceptedBytesOf(this.#socket),
    ));
    progress.begin();
    this.#socket.write(chunk, (error) => {
      // Of a socket that is going down, callbacks mean nothing; its 'error' says what happened.
      if (error || this.#ending || this.#socket.destroyed) return;
      progress.confirm(chunk.length);
      this.host.written();
    });
    return progress.written(chunk.length);
  }

  /** How much of the chunk in flight the system has accepted. Ask before {@link destroy}. */
  accepted(): Accepted {
    return this.#progress?.accepted ?? { exact: 0 };
  }

  /** Whether the peer has ended its side: with TLS, that may show before anything is read. */
  get remoteEnded(): boolean {
    return this.#socket.readableEnded;
  }

  /** Grows with every byte that the peer's side accepts, as far as can be known. */
  get progress(): number {
    return this.#progress?.total ?? 0;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  /** Ends our side, behind everything written. */
  end(): void {
    this.#ending = true;
    this.#socket.end();
  }

  /** The socket has closed. */
  closed(): void {
    if (!this.#ending) this.host.broken(lost(undefined));
    this.host.gone();
  }

  destroy(): void {
    this.#ending = true;
    this.#socket.destroy();
  }
}

function onData(this: WiredSocket, bytes: Buffer): void {
  this[WIRE].host.data(bytes);
}

function onEnd(this: WiredSocket): void {
  this[WIRE].host.remoteEnd();
}

function onError(this: WiredSocket, cause: Error): void {
  this[WIRE].host.broken(lost(cause));
}

function onClose(this: WiredSocket): void {
  this[WIRE].closed();
}

function lost(cause: Error | undefined): PikeError {
  return new PikeError(
    'PIKE_ERR_CONNECTION_LOST',
    `The connection was lost: ${cause === undefined ? 'its socket was closed' : describeThrown(cause)}`,
    { cause },
  );
}
