import { subscribe } from 'node:diagnostics_channel';
import { INestApplication } from '@nestjs/common';
import { MicroserviceOptions } from '@nestjs/microservices';
import { Test } from '@nestjs/testing';
import { SpanKind } from '@opentelemetry/api';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} from '@opentelemetry/sdk-trace-node';
import { CallDiagnostics, PikeClient, PikeServer } from 'nestjs-pike';
import { PikeInstrumentation } from 'nestjs-pike/opentelemetry';
import { lastValueFrom } from 'rxjs';
import { HealthModule } from './../../src/operations/health.module.js';

describe('An application whose operators watch it', () => {
  const exporter = new InMemorySpanExporter();
  const tracerProvider = new NodeTracerProvider({
    spanProcessors: [new SimpleSpanProcessor(exporter)],
  });
  let app: INestApplication;
  let server: PikeServer;
  let client: PikeClient;
  let stop: () => void;

  beforeAll(async () => {
    tracerProvider.register();
    stop = registerInstrumentations({
      instrumentations: [new PikeInstrumentation()],
      tracerProvider,
    });
    const testing = await Test.createTestingModule({ imports: [HealthModule] }).compile();
    app = testing.createNestApplication({ logger: false });
    server = new PikeServer({ host: '127.0.0.1', port: 0 });
    app.connectMicroservice<MicroserviceOptions>({ strategy: server });
    await app.startAllMicroservices();
    await app.listen(0, '127.0.0.1');
    const { port } = server.address as { port: number };
    client = new PikeClient({ port });
  });

  afterAll(async () => {
    stop();
    await client.close();
    await app.close();
    await tracerProvider.shutdown();
  });

  beforeEach(() => exporter.reset());

  it('shows its health', async () => {
    const response = await fetch(`${await app.getUrl()}/health`);
    expect(response.status).toBe(200);
    expect(await response.json()).toMatchObject({
      status: 'ok',
      details: { readings: { status: 'up', state: 'listening' } },
    });
  });

  it('traces a request from its client to its handler', async () => {
    await expect(lastValueFrom(client.send('sum', [1, 2, 3]))).resolves.toBe(6);
    const spans = exporter.getFinishedSpans();
    const asked = spans.find(({ kind }) => kind === SpanKind.CLIENT);
    const handled = spans.find(({ kind }) => kind === SpanKind.SERVER);
    expect([asked?.name, handled?.name]).toEqual(['sum', 'sum']);
    expect(handled?.parentSpanContext?.spanId).toBe(asked?.spanContext().spanId);
  });

  it('goes on when a peer sends baggage that the propagators of its SDK throw at', async () => {
    subscribe('tracing:nestjs-pike:request:start', (told) => {
      (told as CallDiagnostics).metadata = { baggage: 'a=%' };
    });
    await expect(lastValueFrom(client.send('sum', [1, 2]))).resolves.toBe(3);
    const handled = exporter.getFinishedSpans().find(({ kind }) => kind === SpanKind.SERVER);
    expect(handled?.parentSpanContext).toBeUndefined();
  });
});
