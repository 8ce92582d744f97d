import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { PikeServer } from 'nestjs-pike';
import type { Frame } from './frames.js';
import { GatewayModule } from './gateway.module.js';
import { DEVICES_PORT, DEVICES_PROTOCOL, HTTP_PORT } from './protocol.js';

const [, , port = DEVICES_PORT, httpPort = HTTP_PORT] = process.argv;

const app = await NestFactory.create(GatewayModule);
app.connectMicroservice({
  strategy: new PikeServer<Frame>({
    host: '127.0.0.1',
    port: Number(port),
    ...DEVICES_PROTOCOL,
    maxMessageBytes: 1_024,
    maxQueuedMessages: 100,
    maxConnections: 10_000,
  }),
});
app.enableShutdownHooks();
await app.startAllMicroservices();
await app.listen(Number(httpPort), '127.0.0.1');
console.log(
  `Devices on 127.0.0.1:${port}, people on http://127.0.0.1:${httpPort}. Stop me with Ctrl-C.`,
);
