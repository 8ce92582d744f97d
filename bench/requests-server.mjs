// The other process of `requests.mjs`: one controller behind one transport.
// `node bench/requests-server.mjs <pike|tcp> <port>`
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MessagePattern, Transport } from '@nestjs/microservices';
import { PikeServer } from 'nestjs-pike';

class SumController {
  sum(numbers) {
    return numbers.reduce((total, number) => total + number, 0);
  }
}
Controller()(SumController);
MessagePattern('sum')(
  SumController.prototype,
  'sum',
  Object.getOwnPropertyDescriptor(SumController.prototype, 'sum'),
);

class AppModule {}
Module({ controllers: [SumController] })(AppModule);

const [transport, port] = [process.argv[2], Number(process.argv[3])];
const where = { host: '127.0.0.1', port };
const app = await NestFactory.createMicroservice(
  AppModule,
  transport === 'pike'
    ? { strategy: new PikeServer(where), logger: false }
    : { transport: Transport.TCP, options: where, logger: false },
);
await app.listen();
console.log('listening');
