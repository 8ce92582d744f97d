import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { PikeServer } from 'nestjs-pike';
import type { RespValue } from 'nestjs-pike/converters';
import { REDIS_PORT, REDIS_SERVER } from './protocol.js';
import { RedisModule } from './redis.module.js';

const port = Number(process.argv[2] ?? REDIS_PORT);

const app = await NestFactory.createMicroservice(RedisModule, {
  strategy: new PikeServer<RespValue>({
    host: '127.0.0.1',
    port,
    ...REDIS_SERVER,
    // As in Redis, the commands of a connection are run one after another.
    maxInFlight: 1,
    maxMessageBytes: 8 * 1024 * 1024,
    maxConnections: 1_000,
  }),
});
app.enableShutdownHooks();
await app.listen();
console.log(`Speaking Redis's protocol on 127.0.0.1:${port}. Stop me with Ctrl-C.`);
