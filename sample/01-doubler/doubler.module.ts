import { Module } from '@nestjs/common';
import { DoublerController } from './doubler.controller.js';

@Module({ controllers: [DoublerController] })
export class DoublerModule {}
