import type { CanActivate, ExecutionContext } from '@nestjs/common';
import { Injectable } from '@nestjs/common';
import type { PikeContext } from 'nestjs-pike';
import { Presence } from './presence.js';
import type { Reading } from './readings.js';

/** A device may report of its own sensors, and one that has logged in elsewhere of none. */
@Injectable()
export class OwnSensor implements CanActivate {
  constructor(private readonly presence: Presence) {}

  canActivate(context: ExecutionContext): boolean {
    const rpc = context.switchToRpc();
    const device = this.presence.deviceAt(rpc.getContext<PikeContext>().getConnection());
    return device?.sensors.includes(rpc.getData<Reading>().sensor) ?? false;
  }
}
