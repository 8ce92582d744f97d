// The server of the soak: `node --expose-gc server.mjs <port>`. Any line that it reads is answered with what
// it keeps in memory and what it has counted.
import 'reflect-metadata';
import { Controller, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { EventPattern } from '@nestjs/microservices';
import { PikeServer } from 'nestjs-pike';
import { decorate } from '../harness/decorate.mjs';
import { answerAll, memoryKept, tell } from '../harness/questions.mjs';
import { SumsController } from '../requests/sums.controller.mjs';

const TICK_MS = 20;
let [notes, ticks] = [0, 0];

class NotesController {
  noted() {
    notes++;
  }
}
Controller()(NotesController);
decorate(NotesController, 'noted', EventPattern('noted'));

class SoakModule {}
Module({ controllers: [SumsController, NotesController] })(SoakModule);

const strategy = new PikeServer({ host: '127.0.0.1', port: Number(process.argv[2]) });
const app = await NestFactory.createMicroservice(SoakModule, { strategy, logger: false });
await app.listen();
setInterval(() => strategy.broadcast('tick', ticks++), TICK_MS);
tell('ready');
await answerAll(() => ({ ...memoryKept(), notes, ticks }));
