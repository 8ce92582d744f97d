import { Module } from '@nestjs/common';
import { LinesConverter } from './lines.converter.js';
import { Peers } from './peers.js';
import { ReadingsController } from './readings.controller.js';

@Module({ controllers: [ReadingsController], providers: [Peers, LinesConverter] })
export class ReadingsModule {}
