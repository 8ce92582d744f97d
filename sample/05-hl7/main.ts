import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { PikeServer } from 'nestjs-pike';
import { Hl7Module } from './hl7.module.js';
import { HL7_PORT, HL7_PROTOCOL } from './protocol.js';

const port = Number(process.argv[2] ?? HL7_PORT);

const app = await NestFactory.createMicroservice(Hl7Module, {
  strategy: new PikeServer<string>({ host: '127.0.0.1', port, ...HL7_PROTOCOL }),
});
app.enableShutdownHooks();
await app.listen();
console.log(`Taking HL7 messages on 127.0.0.1:${port}. Stop me with Ctrl-C.`);
