import 'reflect-metadata';
import { Inject, Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule } from '@nestjs/microservices';
import { PikeClient } from 'nestjs-pike';
import { firstValueFrom } from 'rxjs';
import { DOUBLER_PORT, DOUBLER_PROTOCOL } from './protocol.js';

/** A service of another Nest application that needs numbers doubled. */
@Injectable()
class Accountant {
  constructor(@Inject('DOUBLER') private readonly doubler: PikeClient<number>) {}

  async doubleAll(values: number[]): Promise<number[]> {
    return Promise.all(
      values.map((value) => firstValueFrom(this.doubler.send<number>('double', value))),
    );
  }
}

@Module({
  imports: [
    ClientsModule.register([
      {
        name: 'DOUBLER',
        customClass: PikeClient,
        options: { port: Number(process.env['DOUBLER_PORT'] ?? DOUBLER_PORT), ...DOUBLER_PROTOCOL },
      },
    ]),
  ],
  providers: [Accountant],
})
class CallerModule {}

const values = process.argv.slice(2).map(Number);
const app = await NestFactory.createApplicationContext(CallerModule, { logger: ['error', 'warn'] });
const doubled = await app.get(Accountant).doubleAll(values.length > 0 ? values : [1, 2.5, 21]);
console.log(doubled.join(' '));
await app.close();
