/**
 * A command for a Redis, this one or a real one, by way of a Nest client: `client [host:port] command
 * [argument...]`. Exits with 0 if it was answered, with 1 if that was an error, or there was no answer, and
 * with 2 if it was used wrongly.
 */
import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule } from '@nestjs/microservices';
import { PikeClient } from 'nestjs-pike';
import type { RespValue } from 'nestjs-pike/converters';
import { firstValueFrom } from 'rxjs';
import { REDIS_CLIENT, REDIS_PORT } from './protocol.js';

const USAGE = 'Usage: client [host:port] command [argument...]';

const given = process.argv.slice(2);
const [, host = '127.0.0.1', port = REDIS_PORT] = /^(.+):(\d+)$/.exec(given[0] ?? '') ?? [];
const [command, ...args] = port === REDIS_PORT ? given : given.slice(1);
if (command === undefined) {
  console.error(USAGE);
  process.exit(2);
}

@Module({
  imports: [
    ClientsModule.register([
      {
        name: 'REDIS',
        customClass: PikeClient,
        options: { host, port: Number(port), reconnect: false, ...REDIS_CLIENT },
      },
    ]),
  ],
})
class ClientModule {}

const app = await NestFactory.createApplicationContext(ClientModule, { logger: ['error', 'warn'] });
const redis = app.get<PikeClient<RespValue>>('REDIS');
try {
  console.log(JSON.stringify(await firstValueFrom(redis.send<RespValue>(command, args))));
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
}
await app.close();
