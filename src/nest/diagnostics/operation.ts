import type { TracingChannel } from 'node:diagnostics_channel';
import type { Connection } from '../../core/connection.js';

/**
 * How an operation ended: well; with an error; `'cancelled'`, nobody waited for its outcome any more;
 * `'dropped'`, an event was not handled, for want of a handler or because a processing start hook has
 * not called it.
 */
export type OperationOutcome = 'ok' | 'error' | 'cancelled' | 'dropped';

/** What is told of an operation; the same object each time, from its start to its end. */
export interface OperationDiagnostics {
  /** The connection: of a call, unknown before it has ended, and for ever if it was given to none. */
  connection: Connection | undefined;
  /** How it ended; `undefined` before. */
  outcome: OperationOutcome | undefined;
  /** Why, if `outcome` is `'error'`: of a call that failed on the way a `PikeError`, otherwise what the peer is told. */
  error: unknown;
  /** From its start to its end, in ms; 0 before. */
  duration: number;
}

/** One operation, told to those who listen to its channels. Made only if somebody does. */
export class Operation<Message extends OperationDiagnostics> {
  readonly message: Message;
  readonly #channels: TracingChannel<unknown, Message>;
  readonly #began = performance.now();
  /** Not read from the message, in which a subscriber may write. */
  #over = false;

  constructor(channels: TracingChannel<unknown, Message>, message: Message) {
    this.#channels = channels;
    this.message = message;
  }

  /** Tells that it starts, and runs what of it is synchronous, within the stores bound to the channel. */
  start(run: () => void): void {
    const { start, end } = this.#channels;
    start.runStores(this.message, () => {
      try {
        run();
      } finally {
        end.publish(this.message);
      }
    });
  }

  /** Tells that it has ended, the first time. */
  ended(outcome: OperationOutcome, error?: unknown): void {
    if (this.#over) return;
    this.#over = true;
    const { message } = this;
    message.outcome = outcome;
    message.error = error;
    message.duration = performance.now() - this.#began;
    const { asyncStart, asyncEnd, error: failed } = this.#channels;
    if (outcome === 'error') failed.publish(message);
    asyncStart.publish(message);
    asyncEnd.publish(message);
  }
}
