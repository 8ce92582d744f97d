import type { PikeError } from '../errors.js';
import { soonerWay } from '../finish.js';
import type { FinishWay } from '../finish.js';
import { deadlinePassed } from './link-errors.js';
import { MOST_MS } from '../options.js';

/** How a connection is to end, and by when. */
export class LinkEnding {
  /** Why we disconnect, if it is because of a fault: the first. */
  reason: PikeError | undefined;
  /** Whether the peer has ended its side while ours goes on (`allowHalfOpen`). */
  halfOpen = false;
  /** The last event, held back until the deserializer that still works on received bytes is done. */
  heldEnd: ((truncated: PikeError | undefined) => void) | undefined;
  #way: FinishWay | undefined;
  #deadline: NodeJS.Timeout | undefined;
  #deadlineAt = Number.POSITIVE_INFINITY;

  /** The soonest of the ways that were asked for. */
  get way(): FinishWay | undefined {
    return this.#way;
  }

  /** One more way is asked for. @returns the soonest */
  hasten(way: FinishWay): FinishWay {
    this.#way = this.#way === undefined ? way : soonerWay(this.#way, way);
    return this.#way;
  }

  /** Limits finishing. Of several deadlines the soonest counts. */
  startDeadline(ms: number | undefined, onTimeout: (error: PikeError) => void): void {
    if (ms === undefined) return;
    const at = performance.now() + ms;
    // What no timer can wait for is no deadline: Node's would go off at once.
    if (at >= this.#deadlineAt || ms > MOST_MS) return;
    clearTimeout(this.#deadline);
    this.#deadlineAt = at;
    this.#deadline = setTimeout(() => onTimeout(deadlinePassed(ms)), ms);
  }

  stopDeadline(): void {
    clearTimeout(this.#deadline);
  }

  /** Posts the last event, if it is held back. */
  releaseHeldEnd(error: PikeError | undefined): void {
    const postEnd = this.heldEnd;
    this.heldEnd = undefined;
    postEnd?.(error);
  }
}
