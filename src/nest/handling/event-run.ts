import { Run } from './run.js';
import { nextTurn } from './turn.js';

/** Whoever has streams of events: a peer, or a server with many. */
export interface EventStreams {
  /** Whether it has ended: then streams end as well. */
  readonly ended: boolean;
  readonly eventStreams: Set<EventRun>;
}

/**
 * One handler of one event. Nobody receives what its stream emits; it is run to its end all the same,
 * or to the end of its connection. An event is handled though its peer has left meanwhile: what its
 * handler returns then gets as far as its first value, since until it has given one nobody can tell a
 * stream from an interceptor that still waits for its handler.
 */
export class EventRun extends Run {
  readonly #owners: readonly EventStreams[];
  readonly #report: (error: unknown) => void;

  /**
   * @param owners whose end is its end
   * @param report told what fails: there is nobody else to tell
   */
  constructor(owners: readonly EventStreams[], report: (error: unknown) => void) {
    super();
    this.#owners = owners;
    this.#report = report;
    this.begin();
  }

  /** The peer has left. */
  leave(): void {
    if (this.gave) this.stop();
  }

  failed(err: unknown): void {
    this.report(err);
    this.finish(undefined);
  }

  threw(error: unknown): void {
    this.failed(error);
  }

  report(error: unknown): void {
    this.#report(error);
  }

  /** A turn for each value: a generator without an end must not keep everybody else from theirs. */
  room(): Promise<void> {
    return nextTurn();
  }

  protected override streams(): void {
    for (const { eventStreams } of this.#owners) eventStreams.add(this);
  }

  protected give(): void {
    if (this.#owners.some(({ ended }) => ended)) this.stop();
  }

  protected override ended(): void {
    for (const { eventStreams } of this.#owners) eventStreams.delete(this);
  }
}
