import { tracingChannel } from 'node:diagnostics_channel';
import type { TracingChannel } from 'node:diagnostics_channel';
import type { Connection } from '../../core/connection.js';
import { report } from '../../core/report.js';
import type { ReplyContent } from '../packets/packets.js';
import { Operation } from './operation.js';
import type { OperationDiagnostics } from './operation.js';

/**
 * What the tracing channel `nestjs-pike:handle` tells: a request or event of a peer, from when it has
 * come until everything that its handler has set off is over. It may have waited for its turn first,
 * and may never have had it: refused, cancelled or dropped.
 */
export interface HandlingDiagnostics extends OperationDiagnostics {
  readonly kind: 'request' | 'event';
  /** The pattern: as its handler spells it; if there is none, as the peer does. An object as JSON. */
  readonly pattern: string;
  /** Whether there is a handler. If not, the pattern may be anything, and another each time. */
  readonly known: boolean;
  readonly data: unknown;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /**
   * Called by subscribers of `start`: when its turn has come, the handler is run by `around`, which must
   * call back, at once. For what cannot be bound to the channel with `bindStore`. Should `around` throw,
   * or not call back, the handler runs all the same.
   */
  within(around: (handle: () => void) => void): void;
}

/** What is known of a message of a peer when it has come. */
export type HandledMessage = Pick<
  HandlingDiagnostics,
  'kind' | 'pattern' | 'known' | 'data' | 'metadata'
> & { readonly connection: Connection };

const HANDLE: TracingChannel<unknown, HandlingDiagnostics> = tracingChannel('nestjs-pike:handle');

/** Whether anybody listens; ask before making a {@link HandlingTrace}. */
export function isHandlingTraced(): boolean {
  return HANDLE.hasSubscribers;
}

/** The handling of a request or event, told to those who listen. */
export class HandlingTrace {
  readonly #operation: Operation<HandlingDiagnostics>;
  readonly #arounds: ((handle: () => void) => void)[] = [];
  #failure: { error: unknown } | undefined;

  constructor(message: HandledMessage) {
    this.#operation = new Operation<HandlingDiagnostics>(HANDLE, {
      ...message,
      outcome: undefined,
      error: undefined,
      duration: 0,
      within: (around) => this.#arounds.push(around),
    });
  }

  /** The message has come. @param admit begins its handling, or lets it wait; @throws what that throws */
  start(admit: () => void): void {
    this.#operation.start(admit);
  }

  /** Calls the handler. @throws what `handle` throws */
  run(handle: () => void): void {
    let ran = false;
    let thrown: { error: unknown } | undefined;
    const once = (): void => {
      if (ran) return;
      ran = true;
      try {
        handle();
      } catch (error) {
        thrown = { error };
      }
    };
    const all = this.#arounds.reduce<() => void>((run, around) => () => around(run), once);
    try {
      all();
    } catch (error) {
      report(undefined, error);
    }
    once();
    if (thrown !== undefined) throw thrown.error;
  }

  /** A request is over. @param last what was given last; `undefined`: it was stopped */
  requestEnded(last: ReplyContent | undefined): void {
    if (last === undefined) this.#operation.ended('cancelled');
    else if (last.err === undefined) this.#operation.ended('ok');
    else this.#operation.ended('error', last.err);
  }

  /** A handler of the event has failed, or it comes too late to be handled. */
  eventFailed(error: unknown): void {
    this.#failure ??= { error };
  }

  /** No handler of the event is called. */
  eventDropped(): void {
    if (this.#failure === undefined) this.#operation.ended('dropped');
    else this.eventEnded();
  }

  /** Every handler of the event is over. */
  eventEnded(): void {
    if (this.#failure === undefined) this.#operation.ended('ok');
    else this.#operation.ended('error', this.#failure.error);
  }
}
