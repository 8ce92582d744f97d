import type { Observable } from 'rxjs';
import type { Request } from '../handling/request.js';
import type { ContextPeer } from '../pike-context.js';
import type { Group } from '../push/group.js';

/** A peer whose events go out between the replies to its requests. */
interface PeerInLine extends ContextPeer {
  /** @param own the request that the event comes of: it goes out ahead of its reply */
  emit(pattern: string | object, data: unknown, own?: Request): Observable<void>;
}

/** A peer as the handler of one of its requests speaks to it, with correlation in order. */
export class AskingPeer implements ContextPeer {
  readonly #peer: PeerInLine;
  readonly #request: Request;

  constructor(peer: PeerInLine, request: Request) {
    this.#peer = peer;
    this.#request = request;
  }

  emit(pattern: string | object, data: unknown): Observable<void> {
    return this.#peer.emit(pattern, data, this.#request);
  }

  send<Result>(pattern: string | object, data: unknown): Observable<Result> {
    return this.#peer.send<Result>(pattern, data);
  }

  join(group: string): boolean {
    return this.#peer.join(group);
  }

  leave(group: string): boolean {
    return this.#peer.leave(group);
  }

  group(name: string): Group {
    return this.#peer.group(name);
  }
}
