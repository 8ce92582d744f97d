import { Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { PikeModule } from 'nestjs-pike';
import { PikeHealthIndicator } from 'nestjs-pike/terminus';
import { HealthController } from './health.controller.js';
import { ReadingsModule } from '../readings.module.js';

@Module({
  imports: [TerminusModule.forRoot({ logger: false }), PikeModule, ReadingsModule],
  controllers: [HealthController],
  providers: [PikeHealthIndicator],
})
export class HealthModule {}
