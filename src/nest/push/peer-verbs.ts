import type { Observable } from 'rxjs';

/** What can be done with the other end of a connection, unasked. */
export interface PeerVerbs {
  /** Sends an event, at once. */
  emit(pattern: string | object, data: unknown): Observable<void>;
  /** Sends a request when subscribed to. @throws PikeError `PIKE_ERR_NO_REQUESTS` */
  send<Result>(pattern: string | object, data: unknown): Observable<Result>;
  /** @returns whether it is in the group now */
  join(group: string): boolean;
  /** @returns whether it was in the group */
  leave(group: string): boolean;
}
