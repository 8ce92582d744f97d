import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { ChannelListener } from 'node:diagnostics_channel';
import { diag, metrics, trace } from '@opentelemetry/api';
import type { MeterProvider, Tracer, TracerProvider } from '@opentelemetry/api';
import type { CallDiagnostics } from '../nest/diagnostics/call-diagnostics.js';
import type { HandlingDiagnostics } from '../nest/diagnostics/handling-diagnostics.js';
import type { OperationDiagnostics } from '../nest/diagnostics/operation.js';
import { createMeasures } from './measures.js';
import type { Measures } from './measures.js';
import { Telemetry } from './telemetry.js';
import { VERSION } from './version.js';

/** Options of a {@link PikeInstrumentation}. */
export interface PikeInstrumentationConfig {
  /** Whether it records from when it is made; otherwise from `enable()`. Default: true. */
  enabled?: boolean;
}

/**
 * OpenTelemetry for every `PikeServer` and `PikeClient` of the process: spans and metrics by the
 * semantic conventions, RPC for requests and messaging for events, with the context of the caller
 * carried in the metadata of the packets. (docs/opentelemetry.md)
 *
 * It is an instrumentation as `registerInstrumentations` and `NodeSDK` take it. It patches nothing: it
 * listens to the diagnostics channels.
 */
export class PikeInstrumentation {
  readonly instrumentationName = 'nestjs-pike';
  readonly instrumentationVersion: string = VERSION;
  #config: PikeInstrumentationConfig;
  #tracer: Tracer = trace.getTracer(this.instrumentationName, VERSION);
  #meterProvider: MeterProvider | undefined;
  /** Made when first needed: what is made before the SDK has started records nothing. */
  #measures: Measures | undefined;
  readonly #listeners: ReadonlyMap<string, ChannelListener>;
  #enabled = false;

  constructor(config: PikeInstrumentationConfig = {}) {
    this.#config = { enabled: true, ...config };
    this.#listeners = this.#createListeners();
    if (this.#config.enabled === true) this.enable();
  }

  /** Records from now on. */
  enable(): void {
    if (this.#enabled) return;
    this.#enabled = true;
    for (const [name, listener] of this.#listeners) subscribe(name, listener);
  }

  /** Records nothing any more; what has begun and not ended is not recorded either. */
  disable(): void {
    if (!this.#enabled) return;
    this.#enabled = false;
    for (const [name, listener] of this.#listeners) unsubscribe(name, listener);
  }

  /** Where spans go. Default: the global provider. */
  setTracerProvider(provider: TracerProvider): void {
    this.#tracer = provider.getTracer(this.instrumentationName, VERSION);
  }

  /** Where metrics go. Default: the global provider. */
  setMeterProvider(provider: MeterProvider): void {
    this.#meterProvider = provider;
    this.#measures = undefined;
  }

  /** Called by OpenTelemetry. Whether it records is for {@link enable} and {@link disable}. */
  setConfig(config: PikeInstrumentationConfig): void {
    this.#config = { ...config };
  }

  /** Called by OpenTelemetry. */
  getConfig(): PikeInstrumentationConfig {
    return this.#config;
  }

  #createListeners(): ReadonlyMap<string, ChannelListener> {
    const current = (): Tracer => this.#tracer;
    const measures = (): Measures => this.#currentMeasures();
    const telemetry = new Telemetry({
      get tracer() {
        return current();
      },
      get measures() {
        return measures();
      },
    });
    const requestStarts = guarded<CallDiagnostics>((call) => telemetry.requestStarts(call));
    const emitStarts = guarded<CallDiagnostics>((call) => telemetry.emitStarts(call));
    const handlingStarts = guarded<HandlingDiagnostics>((told) => telemetry.handlingStarts(told));
    const ended = guarded<OperationDiagnostics>((operation) => telemetry.ended(operation));
    return new Map<string, ChannelListener>([
      ['tracing:nestjs-pike:request:start', requestStarts],
      ['tracing:nestjs-pike:emit:start', emitStarts],
      ['tracing:nestjs-pike:handle:start', handlingStarts],
      ['tracing:nestjs-pike:request:asyncEnd', ended],
      ['tracing:nestjs-pike:emit:asyncEnd', ended],
      ['tracing:nestjs-pike:handle:asyncEnd', ended],
    ]);
  }

  #currentMeasures(): Measures {
    const provider = this.#meterProvider ?? metrics;
    this.#measures ??= createMeasures(provider.getMeter(this.instrumentationName, VERSION));
    return this.#measures;
  }
}

/** What the SDK throws, or a part of it that is the application's, must not end the process as an uncaught exception. */
function guarded<Message>(listener: (message: Message) => void): ChannelListener {
  return (told) => {
    try {
      listener(told as Message);
    } catch (thrown) {
      diag.error('nestjs-pike: recording has failed.', thrown);
    }
  };
}
