import { NestFactory } from '@nestjs/core';
import { MicroserviceOptions } from '@nestjs/microservices';
import { PikeClient, PikeServer } from 'nestjs-pike';
import { firstValueFrom } from 'rxjs';
import { ReadingsModule } from './readings.module.js';

/** The built application: it serves, asks itself, and ends by itself. */
async function bootstrap(): Promise<void> {
  const server = new PikeServer({ host: '127.0.0.1', port: 0 });
  const app = await NestFactory.createMicroservice<MicroserviceOptions>(ReadingsModule, {
    strategy: server,
    logger: ['error', 'warn'],
  });
  await app.listen();
  const { address } = server;
  if (address === undefined || !('port' in address)) throw new Error('It does not listen.');
  const client = new PikeClient({ port: address.port });
  const sum = await firstValueFrom(client.send<number>('sum', [1, 2, 3]));
  console.log(`The built application says that 1 + 2 + 3 is ${sum}.`);
  if (sum !== 6) process.exitCode = 1;
  await client.close();
  await app.close();
}
void bootstrap();
