// Prevents: traces that break off at a connection, spans that never end or hang below the wrong parent,
// and metrics with as many series as a peer likes to make up.
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, RpcException } from '@nestjs/microservices';
import { context, metrics, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  CompositePropagator,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { Histogram } from '@opentelemetry/sdk-metrics';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import type { ReadableSpan } from '@opentelemetry/sdk-trace-node';
import { PikeClient, PikeContext } from 'nestjs-pike';
import { PikeInstrumentation } from 'nestjs-pike/opentelemetry';
import { firstValueFrom, lastValueFrom, mergeMap, NEVER, of } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { collectGarbage } from '../support/garbage.js';
import { muteLogger } from '../support/mute-logger.js';
import { nextTurn } from '../support/turns.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

let begun = 0;
let onward: PikeClient;

@Controller()
class TracedController {
  @MessagePattern('sum')
  async sum(numbers: number[]) {
    await nextTurn();
    return numbers.reduce((total, number) => total + number, 0);
  }

  @MessagePattern({ cmd: 'onward' })
  async onward() {
    await nextTurn();
    return lastValueFrom(onward.send('sum', [1, 2]));
  }

  @MessagePattern({ cmd: 'known' })
  known() {
    return 'known';
  }

  @MessagePattern('stream')
  stream() {
    return of(1, 2, 3);
  }

  @MessagePattern('error')
  error() {
    throw new RpcException('not today');
  }

  @MessagePattern('endless')
  endless() {
    begun++;
    return NEVER;
  }

  @MessagePattern('metadata')
  metadata(_: unknown, @Ctx() pike: PikeContext) {
    return pike.getMetadata() ?? 'none';
  }

  @EventPattern<string>('event')
  event() {
    begun++;
  }

  @EventPattern<string>('failing event')
  failingEvent() {
    throw new TypeError('not today');
  }
}

describe('OpenTelemetry', () => {
  const spans = new InMemorySpanExporter();
  const points = new InMemoryMetricExporter(AggregationTemporality.DELTA);
  const meters = new MeterProvider({
    readers: [
      new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 3_600_000 }),
    ],
  });
  /** As that of the SDK itself. */
  const propagator = new CompositePropagator({
    propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()],
  });
  let instrumentation: PikeInstrumentation;
  let running: Running;

  beforeAll(() => {
    // The real SDK: its context manager, its W3C propagator, its providers as the global ones.
    new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(spans)] }).register({
      propagator,
    });
    metrics.setGlobalMeterProvider(meters);
  });
  afterAll(async () => {
    await meters.shutdown();
    for (const api of [trace, metrics, context, propagation]) api.disable();
  });
  beforeEach(async () => {
    begun = 0;
    muteLogger();
    running = await start([TracedController], { shutdown: { deadline: 300 } });
    onward = running.client();
    await meters.forceFlush();
    points.reset();
    spans.reset();
    instrumentation = new PikeInstrumentation();
  });
  afterEach(async () => {
    instrumentation.disable();
    await running.close();
    jest.restoreAllMocks();
  });

  /** Resolves when so many spans have ended. */
  const ended = async (count: number): Promise<ReadableSpan[]> => {
    await eventually(() => spans.getFinishedSpans().length >= count);
    expect(spans.getFinishedSpans()).toHaveLength(count);
    return spans.getFinishedSpans();
  };

  const ofKind = (all: ReadableSpan[], kind: SpanKind): ReadableSpan => {
    const found = all.filter((span) => span.kind === kind);
    expect(found).toHaveLength(1);
    return found[0] as ReadableSpan;
  };

  const isChild = (child: ReadableSpan, parent: ReadableSpan): void => {
    expect(child.spanContext().traceId).toBe(parent.spanContext().traceId);
    expect(child.parentSpanContext?.spanId).toBe(parent.spanContext().spanId);
  };

  /** Every series of a metric, by its attributes, with its count. */
  const series = async (name: string): Promise<{ attributes: object; count: number }[]> => {
    await meters.forceFlush();
    const all = points
      .getMetrics()
      .flatMap(({ scopeMetrics }) => scopeMetrics)
      .flatMap((scope) => scope.metrics)
      .filter(({ descriptor }) => descriptor.name === name);
    return all.flatMap(({ dataPoints }) =>
      dataPoints.map(({ attributes, value }) => ({
        attributes,
        count: typeof value === 'number' ? value : (value as Histogram).count,
      })),
    );
  };

  it('gives a request a client span and, across the connection, a server span below it', async () => {
    const tracer = trace.getTracer('test');
    await tracer.startActiveSpan('the caller', async (caller) => {
      await expect(lastValueFrom(running.client().send('sum', [1, 2]))).resolves.toBe(3);
      caller.end();
    });
    const all = await ended(3);
    const client = ofKind(all, SpanKind.CLIENT);
    const server = ofKind(all, SpanKind.SERVER);
    isChild(client, ofKind(all, SpanKind.INTERNAL));
    isChild(server, client);
    expect(server.parentSpanContext?.isRemote).toBe(true);
    const common = {
      'rpc.system.name': 'nestjs-pike',
      'rpc.method': 'sum',
      'server.address': '127.0.0.1',
      'server.port': running.port,
      'network.transport': 'tcp',
      'network.peer.address': '127.0.0.1',
      'network.peer.port': expect.any(Number),
    };
    for (const span of [client, server]) {
      expect(span.name).toBe('sum');
      expect(span.attributes).toEqual(common);
      expect(span.status).toEqual({ code: SpanStatusCode.UNSET });
      expect(span.instrumentationScope.name).toBe('nestjs-pike');
    }
  });

  it('carries the context on: what a handler asks of others is below its own span', async () => {
    await expect(lastValueFrom(running.client().send({ cmd: 'onward' }, {}))).resolves.toBe(3);
    const all = await ended(4);
    const [secondServer, secondClient, firstServer, firstClient] = all as [
      ReadableSpan,
      ReadableSpan,
      ReadableSpan,
      ReadableSpan,
    ];
    expect(firstServer.name).toBe('{"cmd":"onward"}');
    isChild(secondServer, secondClient);
    isChild(secondClient, firstServer);
    isChild(firstServer, firstClient);
  });

  it('does not hang what a stranger sends below what was active before', async () => {
    const peer = await PacketPeer.connect(running.port);
    peer.send({ id: 1, pattern: 'sum', data: [1] }, { id: 2, pattern: 'sum', data: [2] });
    const all = await ended(2);
    for (const span of all) expect(span.parentSpanContext).toBeUndefined();
    expect(all[0]?.spanContext().traceId).not.toBe(all[1]?.spanContext().traceId);
    await peer.raw.destroy();
  });

  it('gives an event a producer span, and a consumer span below it', async () => {
    running.client().emit('event', 1);
    const all = await ended(2);
    const producer = ofKind(all, SpanKind.PRODUCER);
    const consumer = ofKind(all, SpanKind.CONSUMER);
    isChild(consumer, producer);
    expect(producer.name).toBe('emit event');
    expect(producer.attributes).toMatchObject({
      'messaging.system.name': 'nestjs-pike',
      'messaging.operation.name': 'emit',
      'messaging.operation.type': 'send',
      'messaging.destination.name': 'event',
      'server.port': running.port,
    });
    expect(consumer.name).toBe('process event');
    expect(consumer.attributes).toMatchObject({
      'messaging.operation.name': 'process',
      'messaging.operation.type': 'process',
      'messaging.destination.name': 'event',
    });
  });

  it('tells errors: of a handler, on both sides', async () => {
    await lastValueFrom(running.client().send('error', {})).catch(() => undefined);
    for (const span of await ended(2)) {
      expect(span.status).toEqual({ code: SpanStatusCode.ERROR, message: 'not today' });
      expect(span.attributes['error.type']).toBe('_OTHER');
    }
  });

  it('tells errors: of an event handler', async () => {
    running.client().emit('failing event', {});
    const consumer = ofKind(await ended(2), SpanKind.CONSUMER);
    // What Nest's exception filter has made of it.
    const message = 'Internal server error';
    expect(consumer.status).toEqual({ code: SpanStatusCode.ERROR, message });
  });

  it('tells errors: of the way, by their codes', async () => {
    const request = running.client().send('endless', {}, { timeout: 20 });
    await expect(lastValueFrom(request)).rejects.toThrow('20 ms');
    const all = await ended(2);
    expect(ofKind(all, SpanKind.CLIENT).attributes['error.type']).toBe('PIKE_ERR_REQUEST_TIMEOUT');
    // The server was told to stop: that is no error of its own.
    expect(ofKind(all, SpanKind.SERVER).status.code).toBe(SpanStatusCode.UNSET);
  });

  it('ends the spans of a request that is cancelled', async () => {
    const subscription = running.client().send('endless', {}).subscribe();
    await eventually(() => begun === 1);
    subscription.unsubscribe();
    for (const span of await ended(2)) expect(span.status.code).toBe(SpanStatusCode.UNSET);
  });

  it('calls patterns that nobody handles _OTHER, however many a peer makes up', async () => {
    const peer = await PacketPeer.connect(running.port);
    for (let i = 0; i < 50; i++) {
      peer.send(
        { id: i, pattern: `made up ${i}`, data: {} },
        { pattern: `made up ${i}`, data: {} },
      );
    }
    const all = await ended(100);
    expect(new Set(all.map(({ name }) => name))).toEqual(new Set(['nestjs-pike', 'process']));
    expect(all[0]?.attributes).toMatchObject({
      'rpc.method': '_OTHER',
      'rpc.method_original': 'made up 0',
    });
    await expect(series('rpc.server.call.duration')).resolves.toEqual([
      { attributes: expect.objectContaining({ 'rpc.method': '_OTHER' }), count: 50 },
    ]);
    await expect(series('messaging.client.consumed.messages')).resolves.toEqual([
      {
        attributes: expect.objectContaining({ 'messaging.destination.name': '_OTHER' }),
        count: 50,
      },
    ]);
    await peer.raw.destroy();
  });

  it('measures requests and events, on both sides', async () => {
    const client = running.client();
    for (let i = 0; i < 3; i++) await lastValueFrom(client.send('stream', {}));
    await lastValueFrom(client.send('error', {})).catch(() => undefined);
    for (let i = 0; i < 2; i++) {
      await lastValueFrom(client.emit('event', {}), { defaultValue: undefined });
    }
    await ended(12);
    const at = { 'server.address': '127.0.0.1', 'server.port': running.port };
    const rpc = (method: string): object => ({
      'rpc.system.name': 'nestjs-pike',
      'rpc.method': method,
      ...at,
    });
    for (const side of ['client', 'server']) {
      await expect(series(`rpc.${side}.call.duration`)).resolves.toEqual([
        { attributes: rpc('stream'), count: 3 },
        { attributes: { ...rpc('error'), 'error.type': '_OTHER' }, count: 1 },
      ]);
    }
    const event = (operation: string): object => ({
      'messaging.system.name': 'nestjs-pike',
      'messaging.operation.name': operation,
      'messaging.operation.type': operation === 'emit' ? 'send' : 'process',
      'messaging.destination.name': 'event',
      ...at,
    });
    for (const name of ['messaging.client.operation.duration', 'messaging.client.sent.messages']) {
      await expect(series(name)).resolves.toEqual([{ attributes: event('emit'), count: 2 }]);
    }
    for (const name of ['messaging.process.duration', 'messaging.client.consumed.messages']) {
      await expect(series(name)).resolves.toEqual([{ attributes: event('process'), count: 2 }]);
    }
  });

  it('shows a request that is refused as an error of its code, in spans and metrics', async () => {
    const busy = await start([TracedController], { maxInFlight: 1, shutdown: { deadline: 1 } });
    const peer = await PacketPeer.connect(busy.port);
    peer.send(...[1, 2, 3].map((id) => ({ id, pattern: 'endless', data: {} })));
    const [refused] = await ended(1);
    expect(refused?.kind).toBe(SpanKind.SERVER);
    expect(refused?.status.code).toBe(SpanStatusCode.ERROR);
    const told = { 'rpc.method': 'endless', 'error.type': 'PIKE_ERR_OVERLOADED' };
    expect(refused?.attributes).toMatchObject(told);
    await expect(series('rpc.server.call.duration')).resolves.toEqual([
      { attributes: expect.objectContaining(told), count: 1 },
    ]);
    await peer.raw.destroy();
    await busy.close();
  });

  it('shows what was cancelled, or dropped, as neither an error nor a success', async () => {
    const peer = await PacketPeer.connect(running.port);
    peer.send({ id: 1, pattern: 'endless', data: {} });
    await eventually(() => begun === 1);
    peer.send({ id: 1, cancel: true }, { pattern: 'nobody listens', data: {} });
    const [cancelled, dropped] = await ended(2);
    expect(cancelled?.attributes).toMatchObject({ 'nestjs_pike.outcome': 'cancelled' });
    expect(dropped?.attributes).toMatchObject({ 'nestjs_pike.outcome': 'dropped' });
    for (const [name, outcome] of [
      ['rpc.server.call.duration', 'cancelled'],
      ['messaging.client.consumed.messages', 'dropped'],
    ] as const) {
      await expect(series(name)).resolves.toEqual([
        { attributes: expect.objectContaining({ 'nestjs_pike.outcome': outcome }), count: 1 },
      ]);
    }
    await peer.raw.destroy();
  });

  it('counts the many spellings of one pattern as one', async () => {
    const peer = await PacketPeer.connect(running.port);
    for (let id = 0; id < 20; id++) {
      peer.send({ id, pattern: `{${' '.repeat(id)}"cmd": "known"}`, data: {} });
    }
    await ended(20);
    await expect(series('rpc.server.call.duration')).resolves.toEqual([
      { attributes: expect.objectContaining({ 'rpc.method': '{"cmd":"known"}' }), count: 20 },
    ]);
    await peer.raw.destroy();
  });

  it.each([
    ['of 64 KiB', { traceparent: `00-${'a'.repeat(65_536)}` }],
    ['that is none', { traceparent: '00-zz-zz-01', tracestate: '=,'.repeat(10_000) }],
    ['among thousands', Object.fromEntries(Array.from({ length: 5_000 }, (_, i) => [`${i}`, 'x']))],
    ['in baggage that cannot be decoded', { baggage: 'a=%' }],
  ])('gives a span without a parent to what comes with a context %s', async (_, metadata) => {
    const peer = await PacketPeer.connect(running.port);
    peer.send({ id: 1, pattern: 'sum', data: [1], metadata });
    await expect(peer.lastReply(1)).resolves.toMatchObject({ response: 1 });
    const [span] = await ended(1);
    expect(span?.parentSpanContext).toBeUndefined();
    await peer.raw.destroy();
  });

  it('survives a propagator that throws at what a peer has sent', async () => {
    const failing = {
      inject: () => undefined,
      extract: () => decodeURIComponent('%') as never,
      fields: () => [],
    };
    propagation.disable();
    propagation.setGlobalPropagator(failing);
    try {
      const peer = await PacketPeer.connect(running.port);
      peer.send({ id: 1, pattern: 'sum', data: [1], metadata: { baggage: 'a=%' } });
      await expect(peer.lastReply(1)).resolves.toMatchObject({ response: 1 });
      await ended(1);
      await peer.raw.destroy();
    } finally {
      propagation.disable();
      propagation.setGlobalPropagator(propagator);
    }
  });

  it('survives an SDK that throws: the request is handled, and recorded by nobody', async () => {
    const tracerProvider = new NodeTracerProvider({
      sampler: {
        shouldSample: () => {
          throw new Error('no sample');
        },
        toString: () => 'failing',
      },
    });
    instrumentation.setTracerProvider(tracerProvider);
    await expect(lastValueFrom(running.client().send('sum', [1, 2]))).resolves.toBe(3);
    await tracerProvider.shutdown();
  });

  it('puts what a caller does with a reply below the caller, not below who made the connection', async () => {
    const client = running.client();
    const tracer = trace.getTracer('test');
    await tracer.startActiveSpan('first', async (first) => {
      await lastValueFrom(client.send('sum', [1]));
      first.end();
    });
    spans.reset();
    await tracer.startActiveSpan('second', async (second) => {
      const both = client.send('sum', [1]).pipe(mergeMap(() => client.send('sum', [2])));
      await expect(lastValueFrom(both)).resolves.toBe(2);
      second.end();
    });
    const all = await ended(5);
    const second = ofKind(all, SpanKind.INTERNAL);
    const clients = all.filter(({ kind }) => kind === SpanKind.CLIENT);
    for (const span of clients) isChild(span, second);
  });

  it('runs a handler that has had to wait within its own span', async () => {
    const busy = await start([TracedController], { maxInFlight: 1 });
    onward = running.client();
    const client = busy.client();
    const both = [1, 2].map(() => lastValueFrom(client.send({ cmd: 'onward' }, {})));
    await expect(Promise.all(both)).resolves.toEqual([3, 3]);
    const all = await ended(8);
    const handled = all.filter(({ kind, name }) => kind === SpanKind.SERVER && name !== 'sum');
    const asked = all.filter(({ kind, name }) => kind === SpanKind.CLIENT && name === 'sum');
    expect(asked.map((span) => span.parentSpanContext?.spanId)).toEqual(
      handled.map((span) => span.spanContext().spanId),
    );
    expect(new Set(all.map((span) => span.spanContext().traceId)).size).toBe(2);
    await busy.close();
  });

  it('holds on to no message by its spans, which may wait long to be exported', async () => {
    const peer = await PacketPeer.connect(running.port);
    const rounds = 100;
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let id = 1; id <= rounds; id++) {
      peer.send({ id, pattern: 'x'.repeat(500_000), data: {} });
      await peer.lastReply(id);
    }
    await ended(rounds);
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
    await peer.raw.destroy();
  });

  it('is an instrumentation as registerInstrumentations takes it, with providers of its own', async () => {
    instrumentation.disable();
    const own = new InMemorySpanExporter();
    const tracerProvider = new NodeTracerProvider({
      spanProcessors: [new SimpleSpanProcessor(own)],
    });
    const stop = registerInstrumentations({
      instrumentations: [new PikeInstrumentation()],
      tracerProvider,
      meterProvider: meters,
    });
    await lastValueFrom(running.client().send('sum', [1]));
    await eventually(() => own.getFinishedSpans().length === 2);
    await expect(series('rpc.client.call.duration')).resolves.toHaveLength(1);
    stop();
    await lastValueFrom(running.client().send('sum', [1]));
    expect(own.getFinishedSpans()).toHaveLength(2);
    expect(spans.getFinishedSpans()).toEqual([]);
    await tracerProvider.shutdown();
  });

  it('records nothing, and adds nothing to packets, when it is disabled', async () => {
    instrumentation.disable();
    await expect(firstValueFrom(running.client().send('metadata', {}))).resolves.toBe('none');
    expect(spans.getFinishedSpans()).toEqual([]);
    instrumentation.enable();
    await expect(firstValueFrom(running.client().send('metadata', {}))).resolves.toEqual({
      traceparent: expect.stringMatching(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/),
    });
    await ended(2);
  });
});
