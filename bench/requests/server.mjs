// One controller behind one transport: `node server.mjs <transport> <port>`. Each line that it reads, it
// answers with its processor time so far, in ms.
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { createInterface } from 'node:readline';
import { SumsModule } from './sums.controller.mjs';
import { TRANSPORTS } from './transports.mjs';

const [transport, port] = process.argv.slice(2);
const app = await NestFactory.createMicroservice(SumsModule, {
  ...TRANSPORTS[transport].server(Number(port)),
  logger: false, // it would write between the lines
});
await app.listen();
console.log('{"ready":true}');
createInterface({ input: process.stdin }).on('line', () => {
  const { user, system } = process.cpuUsage();
  console.log(JSON.stringify({ cpu: (user + system) / 1000 }));
});
