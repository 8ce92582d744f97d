import { Module } from '@nestjs/common';
import { PikeModule } from 'nestjs-pike';
import { DevicesController } from './devices.controller.js';
import { Inventory } from './inventory.js';
import { Logins } from './logins.js';
import { OperatorsController } from './operators.controller.js';
import { Presence } from './presence.js';
import { Readings } from './readings.js';

@Module({
  imports: [PikeModule],
  controllers: [DevicesController, OperatorsController],
  providers: [Inventory, Logins, Presence, Readings],
})
export class GatewayModule {}
