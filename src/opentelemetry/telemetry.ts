import {
  context,
  diag,
  propagation,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api';
import type { Context, Span, Tracer } from '@opentelemetry/api';
import type { CallDiagnostics } from '../nest/diagnostics/call-diagnostics.js';
import type { HandlingDiagnostics } from '../nest/diagnostics/handling-diagnostics.js';
import type { OperationDiagnostics } from '../nest/diagnostics/operation.js';
import {
  describeEmit,
  describeProcess,
  describeRequest,
  messageOf,
  outcomeOf,
  peerOf,
  serverOf,
} from './conventions.js';
import type { Description } from './conventions.js';
import type { Measure, Measures } from './measures.js';

/** What belongs to an operation that has not ended. */
interface Recording {
  readonly span: Span;
  readonly description: Description;
  readonly measure: Measure;
}

/** Where spans and measurements go. */
export interface TelemetrySinks {
  readonly tracer: Tracer;
  readonly measures: Measures;
}

/** Makes spans and measurements of what the diagnostics channels tell. */
export class Telemetry {
  readonly #sinks: TelemetrySinks;
  readonly #recordings = new WeakMap<OperationDiagnostics, Recording>();

  constructor(sinks: TelemetrySinks) {
    this.#sinks = sinks;
  }

  /** A request of ours. */
  requestStarts(call: CallDiagnostics): void {
    const description = describeRequest(call.pattern, true);
    this.#callStarts(call, description, SpanKind.CLIENT, this.#sinks.measures.request);
  }

  /** An event of ours. */
  emitStarts(call: CallDiagnostics): void {
    this.#callStarts(
      call,
      describeEmit(call.pattern),
      SpanKind.PRODUCER,
      this.#sinks.measures.emit,
    );
  }

  /** A request or event of a peer. */
  handlingStarts(handling: HandlingDiagnostics): void {
    const { kind, pattern, known, metadata } = handling;
    const { answer, process } = this.#sinks.measures;
    // Not below what is active: that is of whoever was handled before, as likely as not.
    const parent = parentOf(metadata);
    const span =
      kind === 'request'
        ? this.#begin(handling, describeRequest(pattern, known), SpanKind.SERVER, answer, parent)
        : this.#begin(
            handling,
            describeProcess(pattern, known),
            SpanKind.CONSUMER,
            process,
            parent,
          );
    const active = trace.setSpan(parent, span);
    handling.within((handle) => context.with(active, handle));
  }

  /** Any of these has ended. */
  ended(operation: OperationDiagnostics): void {
    const recording = this.#recordings.get(operation);
    // It had begun before anybody listened.
    if (recording === undefined) return;
    const { span, description, measure } = recording;
    const { connection, outcome, error, duration } = operation;
    const ending = { ...serverOf(connection), ...outcomeOf(operation) };
    span.setAttributes({ ...ending, ...peerOf(connection) });
    if (outcome === 'error') {
      span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(error) });
    }
    span.end();
    measure.record(duration / 1_000, { ...description.attributes, ...ending });
  }

  #callStarts(
    call: CallDiagnostics,
    description: Description,
    kind: SpanKind,
    measure: Measure,
  ): void {
    const parent = context.active();
    const span = this.#begin(call, description, kind, measure, parent);
    const carrier: Record<string, string> = {};
    propagation.inject(trace.setSpan(parent, span), carrier);
    if (Object.keys(carrier).length > 0) call.metadata = { ...call.metadata, ...carrier };
  }

  #begin(
    operation: OperationDiagnostics,
    description: Description,
    kind: SpanKind,
    measure: Measure,
    parent: Context,
  ): Span {
    const { name, attributes, details } = description;
    const place = { ...serverOf(operation.connection), ...peerOf(operation.connection) };
    const options = { kind, attributes: { ...attributes, ...details, ...place } };
    const span = this.#sinks.tracer.startSpan(name, options, parent);
    this.#recordings.set(operation, { span, description, measure });
    return span;
  }
}

/** The context that a peer says it has sent from, which may be anything: some propagators throw at it. */
function parentOf(metadata: HandlingDiagnostics['metadata']): Context {
  try {
    return propagation.extract(ROOT_CONTEXT, metadata ?? {});
  } catch (thrown) {
    diag.debug('nestjs-pike: a peer has sent a context that the propagator fails on.', thrown);
    return ROOT_CONTEXT;
  }
}
