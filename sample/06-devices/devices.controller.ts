import { Controller, Logger, UseGuards } from '@nestjs/common';
import { Ctx, EventPattern, Payload } from '@nestjs/microservices';
import {
  OnFinishDisconnect,
  OnRemoteConnect,
  OnRemoteDisconnect,
  PikeContext,
  RemoteConnectEvent,
} from 'nestjs-pike';
import type { Connection, FinishDisconnectEvent, RemoteDisconnectEvent } from 'nestjs-pike';
import type { Frame } from './frames.js';
import { Logins } from './logins.js';
import { OwnSensor } from './own-sensor.guard.js';
import { Presence } from './presence.js';
import type { Reading } from './readings.js';
import { Readings } from './readings.js';

/** What devices do. */
@Controller()
export class DevicesController {
  readonly #logger = new Logger(DevicesController.name);

  constructor(
    private readonly logins: Logins,
    private readonly presence: Presence,
    private readonly readings: Readings,
  ) {}

  @OnRemoteConnect()
  arrives(@Payload() event: RemoteConnectEvent, @Ctx() context: PikeContext<Frame>): void {
    event.finishAccept({ separate: true });
    // Not awaited: it begins when this handler has returned and the peer is accepted.
    void this.logins.take(event, context.getConnector());
  }

  @EventPattern<string>('reading')
  @UseGuards(OwnSensor)
  reading(@Payload() reading: Reading, @Ctx() context: PikeContext<Frame>): void {
    const device = this.presence.deviceAt(context.getConnection());
    if (device !== undefined) this.readings.note(device.id, reading);
  }

  @OnRemoteDisconnect()
  hasLeft({ connection }: RemoteDisconnectEvent): void {
    this.#leave(connection);
  }

  @OnFinishDisconnect()
  wasDisconnected({ connection }: FinishDisconnectEvent): void {
    this.#leave(connection);
  }

  #leave(connection: Connection): void {
    const device = this.presence.leave(connection);
    if (device !== undefined) this.#logger.log(`${device.id} is gone`);
  }
}
