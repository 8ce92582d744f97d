import { Module } from '@nestjs/common';
import { PikeModule } from 'nestjs-pike';
import { DisplaysController } from './displays.controller.js';
import { WIRE, WireModule } from './wire.module.js';

@Module({
  imports: [PikeModule.forRoot({ converter: WIRE }), WireModule],
  controllers: [DisplaysController],
})
export class DisplaysModule {}
