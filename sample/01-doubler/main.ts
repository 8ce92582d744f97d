import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { PikeServer } from 'nestjs-pike';
import { DoublerModule } from './doubler.module.js';
import { DOUBLER_PORT, DOUBLER_PROTOCOL } from './protocol.js';

const port = Number(process.argv[2] ?? DOUBLER_PORT);

const app = await NestFactory.createMicroservice(DoublerModule, {
  strategy: new PikeServer<number>({ host: '127.0.0.1', port, ...DOUBLER_PROTOCOL }),
});
app.enableShutdownHooks();
await app.listen();
console.log(`Doubling numbers on 127.0.0.1:${port}. Stop me with Ctrl-C.`);
