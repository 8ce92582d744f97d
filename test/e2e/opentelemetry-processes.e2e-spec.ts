// Prevents: a trace that breaks off where one process calls another, with each side being right when it
// is tried in one process.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Project } from '../support/project.js';
import type { Program } from '../support/project.js';

/** Records with the real SDK, and prints each span that has ended as a line. */
const SDK = `
import 'reflect-metadata';
import { NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import { registerInstrumentations } from '@opentelemetry/instrumentation';
import { PikeInstrumentation } from 'nestjs-pike/opentelemetry';

const printing = {
  export(spans, done) {
    for (const span of spans) {
      const { traceId, spanId: id } = span.spanContext();
      const { spanId, isRemote = false } = span.parentSpanContext ?? {};
      const parent = spanId && { id: spanId, isRemote };
      console.log('span ' + JSON.stringify({ name: span.name, traceId, id, parent }));
    }
    done({ code: 0 });
  },
  shutdown: async () => undefined,
};
const tracerProvider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(printing)] });
tracerProvider.register();
registerInstrumentations({ instrumentations: [new PikeInstrumentation()], tracerProvider });
`;

const SERVER = `
import './sdk.js';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { PikeServer } from 'nestjs-pike';

@Controller()
class SumController {
  @MessagePattern('sum')
  async sum(numbers: number[]) {
    await Promise.resolve();
    return numbers.reduce((total, number) => total + number, 0);
  }

  @EventPattern<string>('noted')
  noted() {}
}

@Module({ controllers: [SumController] })
class SumModule {}

const strategy = new PikeServer({ host: '127.0.0.1', port: 0 });
const app = await NestFactory.createMicroservice(SumModule, { strategy, logger: false });
app.enableShutdownHooks();
await app.listen();
console.log('port ' + (strategy.address as { port: number }).port);
`;

const CALLER = `
import './sdk.js';
import { trace } from '@opentelemetry/api';
import { PikeClient } from 'nestjs-pike';
import { lastValueFrom } from 'rxjs';

const client = new PikeClient({ host: '127.0.0.1', port: Number(process.argv[2]) });
await trace.getTracer('caller').startActiveSpan('the caller', async (span) => {
  await lastValueFrom(client.send('sum', [1, 2, 3]));
  await lastValueFrom(client.emit('noted', 1), { defaultValue: undefined });
  span.end();
});
await client.close();
`;

interface PrintedSpan {
  name: string;
  traceId: string;
  id: string;
  parent?: { id: string; isRemote: boolean };
}

function spansOf(output: string): Map<string, PrintedSpan> {
  const lines = output.split('\n').filter((line) => line.startsWith('span '));
  const spans = lines.map((line) => JSON.parse(line.slice(5)) as PrintedSpan);
  return new Map(spans.map((span) => [span.name, span]));
}

describe('OpenTelemetry across two processes', () => {
  let project: Project;
  let server: Program;
  beforeEach(async () => {
    project = await Project.create();
    await project.add('sdk.ts', SDK);
    await project.add('server.ts', SERVER);
    await project.add('caller.ts', CALLER);
    server = project.start({ file: 'server.js' });
  });
  afterEach(() => project.remove());

  it('is one trace: the caller, its request and event, and below them their handling', async () => {
    const [, port = ''] = await server.matches(/^port (\d+)$/m);
    const caller = await project.run({ file: 'caller.js', args: [port] });
    expect(caller).toMatchObject({ code: 0, stderr: '' });
    await server.prints('"name":"process noted"');
    server.kill('SIGTERM');
    const asked = spansOf(caller.stdout);
    const handled = spansOf((await server.ended).stdout);
    expect([...asked.keys()].toSorted()).toEqual(['emit noted', 'sum', 'the caller']);
    expect([...handled.keys()].toSorted()).toEqual(['process noted', 'sum']);

    const root = asked.get('the caller');
    expect(root?.parent).toBeUndefined();
    const below = (parent: PrintedSpan | undefined, isRemote: boolean): object => ({
      traceId: root?.traceId,
      parent: { id: parent?.id, isRemote },
    });
    for (const name of ['sum', 'emit noted']) {
      expect(asked.get(name)).toMatchObject(below(root, false));
    }
    expect(handled.get('sum')).toMatchObject(below(asked.get('sum'), true));
    expect(handled.get('process noted')).toMatchObject(below(asked.get('emit noted'), true));
  });
});
