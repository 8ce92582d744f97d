import { Injectable } from '@nestjs/common';
import type { Connection } from 'nestjs-pike';
import type { Device } from './inventory.js';

/** Which device is at which connection. */
@Injectable()
export class Presence {
  readonly #connections = new Map<string, Connection>();
  readonly #devices = new Map<Connection, Device>();

  deviceAt(connection: Connection): Device | undefined {
    return this.#devices.get(connection);
  }

  connectionOf(id: string): Connection | undefined {
    return this.#connections.get(id);
  }

  get devices(): Device[] {
    return [...this.#devices.values()];
  }

  /**
   * A device is at a connection from now on.
   * @returns the one where it was before, which may be broken without our knowing
   */
  arrive(device: Device, connection: Connection): Connection | undefined {
    const before = this.#connections.get(device.id);
    if (before !== undefined) this.#devices.delete(before);
    this.#connections.set(device.id, connection);
    this.#devices.set(connection, device);
    return before;
  }

  /** A connection has ended. @returns the device that was at it */
  leave(connection: Connection): Device | undefined {
    const device = this.#devices.get(connection);
    if (device === undefined) return undefined;
    this.#devices.delete(connection);
    this.#connections.delete(device.id);
    return device;
  }
}
