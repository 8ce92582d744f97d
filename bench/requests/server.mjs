// One controller behind one transport: `node server.mjs <transport> <port>`. Each line that it reads, it
// answers with its processor time so far, in ms.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { answerAll, cpuMs, tell } from '../harness/questions.mjs';
import { SumsModule } from './sums.controller.mjs';
import { TRANSPORTS } from './transports.mjs';

const [transport, port] = process.argv.slice(2);
const app = await NestFactory.createMicroservice(SumsModule, {
  ...TRANSPORTS[transport].server(Number(port)),
  logger: false, // it would write between the lines
});
await app.listen();
tell('ready');
await answerAll(() => cpuMs());
