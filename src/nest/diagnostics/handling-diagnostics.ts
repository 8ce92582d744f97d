import { tracingChannel } from 'node:diagnostics_channel';
import type { TracingChannel } from 'node:diagnostics_channel';
import { report } from '../../core/report.js';
import type { Outcome } from '../handling/run.js';
import type { PikeContext } from '../pike-context.js';
import { Operation } from './operation.js';
import type { OperationDiagnostics } from './operation.js';

/**
 * What the tracing channel `nestjs-pike:handle` tells: a request or event of a peer, from when its
 * handler is called until everything that the handler has set off is over.
 */
export interface HandlingDiagnostics extends OperationDiagnostics {
  readonly kind: 'request' | 'event';
  /** The pattern, as the peer gave it; an object as JSON. */
  readonly pattern: string;
  /** Whether there is a handler. If not, the pattern may be anything, and another each time. */
  readonly known: boolean;
  readonly data: unknown;
  readonly metadata: Readonly<Record<string, string>> | undefined;
  /**
   * Called by subscribers of `start`: the handler is run by `around`, which must call back, at once.
   * For what cannot be bound to the channel with `bindStore`. Should `around` throw, or not call back,
   * the handler runs all the same.
   */
  within(around: (handle: () => void) => void): void;
}

type MessageContext = Pick<PikeContext, 'getPattern' | 'getMetadata' | 'getConnection'>;

const HANDLE: TracingChannel<unknown, HandlingDiagnostics> = tracingChannel('nestjs-pike:handle');

/** Whether anybody listens; ask before making a {@link HandlingTrace}. */
export function isHandlingTraced(): boolean {
  return HANDLE.hasSubscribers;
}

/** An event came that nobody handles. */
export function traceUnknownEvent(context: MessageContext, data: unknown): void {
  const trace = new HandlingTrace('event', context, data, false);
  trace.run(() => undefined);
  trace.eventEnded();
}

/** The handling of a request or event, told to those who listen. */
export class HandlingTrace {
  readonly #operation: Operation<HandlingDiagnostics>;
  readonly #arounds: ((handle: () => void) => void)[] = [];
  #failure: { error: unknown } | undefined;

  /** @param known whether there is a handler */
  constructor(
    kind: HandlingDiagnostics['kind'],
    context: MessageContext,
    data: unknown,
    known: boolean,
  ) {
    this.#operation = new Operation<HandlingDiagnostics>(HANDLE, {
      kind,
      pattern: context.getPattern(),
      known,
      data,
      metadata: context.getMetadata(),
      connection: context.getConnection(),
      outcome: undefined,
      error: undefined,
      duration: 0,
      within: (around) => this.#arounds.push(around),
    });
  }

  /** Calls the handler. @throws what `handle` throws */
  run(handle: () => void): void {
    this.#operation.start(() => this.#runWithin(handle));
  }

  /** A request is over. @param outcome what was given last; `undefined`: it was stopped */
  requestEnded(outcome: Outcome | undefined): void {
    if (outcome === undefined) this.#operation.ended('cancelled');
    else if (outcome.err === undefined) this.#operation.ended('ok');
    else this.#operation.ended('error', outcome.err);
  }

  /** A handler of the event has failed. */
  eventFailed(error: unknown): void {
    this.#failure ??= { error };
  }

  /** Every handler of the event is over. */
  eventEnded(): void {
    if (this.#failure === undefined) this.#operation.ended('ok');
    else this.#operation.ended('error', this.#failure.error);
  }

  #runWithin(handle: () => void): void {
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
}
