import type { Observer } from 'rxjs';
import type { IncomingReply } from '../packets/packets.js';
import { hasError } from './correlator.js';

/** Gives a reply to who waits for it; the last one completes, or fails, the Observable. */
export function deliverReply<Result>(reply: IncomingReply, observer: Observer<Result>): void {
  const { response, err, isDisposed } = reply;
  if (hasError(reply)) {
    observer.error(err);
    return;
  }
  if (response !== undefined || isDisposed !== true) observer.next(response as Result);
  if (isDisposed === true) observer.complete();
}
