import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Endpoint } from '../endpoint.js';
import { describeThrown } from '../errors.js';
import { remoteOf } from './socket-ends.js';

/** A handshake that has failed: whose, and why. */
export interface FailedHandshake {
  readonly remote: Endpoint | undefined;
  readonly why: string;
  readonly cause: Error;
}

/** The peers of a TLS server whose handshake is not done. */
export class Handshakes {
  readonly #underway = new Set<Socket>();
  /** Noted while they are there: of a peer that has gone, the system does not say it any more. */
  readonly #remotes = new WeakMap<Socket, Endpoint | undefined>();
  #abandoned = false;

  /** A peer has connected. */
  begun(socket: Socket): void {
    this.#underway.add(socket);
    this.#remotes.set(socket, remoteOf(socket));
    socket.once('close', () => this.#underway.delete(socket));
  }

  /** A handshake is done. */
  done(socket: TLSSocket): void {
    this.#underway.delete(beneath(socket));
  }

  /** @param cause what Node says */
  failed(socket: TLSSocket, cause: Error): FailedHandshake {
    const remote = this.#remotes.get(beneath(socket));
    // Of a certificate that it does not trust, Node says in the error only that it has hung up.
    const { authorizationError } = socket as { authorizationError?: unknown };
    const { reason } = cause as { reason?: unknown };
    return { remote, why: String(authorizationError ?? reason ?? describeThrown(cause)), cause };
  }

  /** Refuses the peers that are not done. */
  abandon(): void {
    this.#abandoned = true;
    for (const socket of this.#underway) socket.destroy();
  }

  /** Whether those that fail do so because they were given up. */
  get abandoned(): boolean {
    return this.#abandoned;
  }
}

/**
 * The socket beneath a TLS socket. Node documents no way to it, but has had this one in every version that
 * we support; addresses would not do, for a unix-domain socket has none.
 */
function beneath(socket: TLSSocket): Socket {
  return (socket as TLSSocket & { _parent: Socket })._parent;
}
