// Prevents: a subscriber of a diagnostics channel that throws, or sets metadata that no peer takes,
// failing requests, or costing them their connection.
import { afterEach, beforeEach, expect, it } from '@jest/globals';
import { Project } from '../support/project.js';

const PROGRAM = `
import 'reflect-metadata';
import { subscribe } from 'node:diagnostics_channel';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import { PikeClient, PikeServer } from 'nestjs-pike';
import { lastValueFrom } from 'rxjs';

@Controller()
class EchoController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }
}

@Module({ controllers: [EchoController] })
class EchoModule {}

process.on('uncaughtException', (error) => console.log('uncaught:', error.message));
for (const name of ['request', 'handle']) {
  for (const step of ['start', 'end', 'asyncStart', 'asyncEnd']) {
    subscribe(\`tracing:nestjs-pike:\${name}:\${step}\`, () => {
      throw new Error(\`\${name} \${step}\`);
    });
  }
}
subscribe('tracing:nestjs-pike:request:start', (call: any) => (call.metadata = { attempt: 1 }));

const strategy = new PikeServer({ host: '127.0.0.1', port: 0 });
const app = await NestFactory.createMicroservice(EchoModule, { strategy, logger: false });
await app.listen();
const client = new PikeClient({ ...(strategy.address as { host: string; port: number }), reconnect: false });
console.log('first:', await lastValueFrom(client.send('echo', 1)));
console.log('second:', await lastValueFrom(client.send('echo', 2)));
await client.close();
await app.close();
`;

let project: Project;
beforeEach(async () => {
  project = await Project.create();
});
afterEach(() => project.remove());

it('subscribers that throw, or set what is no metadata, fail no request', async () => {
  await project.add('program.ts', PROGRAM);
  const { code, stdout } = await project.run({ file: 'program.js' });
  const lines = stdout.trim().split('\n');
  expect(code).toBe(0);
  expect(lines).toEqual(expect.arrayContaining(['first: 1', 'second: 2']));
  const uncaught = (message: string): number =>
    lines.filter((line) => line === `uncaught: ${message}`).length;
  for (const name of ['request', 'handle']) {
    for (const step of ['start', 'end', 'asyncStart', 'asyncEnd']) {
      expect(uncaught(`${name} ${step}`)).toBe(2);
    }
  }
  expect(uncaught('The metadata of a packet must be a map of strings.')).toBe(2);
});
