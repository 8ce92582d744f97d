import { randomBytes } from 'node:crypto';
import { Injectable, Logger } from '@nestjs/common';
import type { Connection, Connector, RemoteConnectEvent } from 'nestjs-pike';
import { InjectPikeServer, PikeServer } from 'nestjs-pike';
import type { Frame } from './frames.js';
import type { Device } from './inventory.js';
import { Inventory } from './inventory.js';
import { Presence } from './presence.js';

/** How long a device may take to log in, in ms. */
const LOGIN_TIMEOUT = 5_000;
const NONCE_BYTES = 16;

/** Lets devices in: on a queue of its own each must prove who it is, before any handler hears of it. */
@Injectable()
export class Logins {
  readonly #logger = new Logger(Logins.name);

  constructor(
    private readonly inventory: Inventory,
    private readonly presence: Presence,
    @InjectPikeServer() private readonly server: PikeServer<Frame>,
  ) {}

  /**
   * Takes the login of a peer that is connecting, once it has been accepted. Never rejects, so that
   * nobody need await it: whatever goes wrong costs this peer its connection.
   */
  async take(event: RemoteConnectEvent, connector: Connector<Frame>): Promise<void> {
    const { connection } = event;
    try {
      if (!(await event.accepted)) return;
      const device = await this.#authenticate(connector, connection);
      if (device === undefined) this.#refuse(connector, connection);
      else this.#welcome(connector, connection, device);
    } catch (error) {
      this.#logger.error(error);
      connector.disconnect(connection, { now: true });
      // The end of a connection that is separate is told to nobody else.
      this.presence.leave(connection);
    }
  }

  async #authenticate(
    connector: Connector<Frame>,
    connection: Connection,
  ): Promise<Device | undefined> {
    const nonce = randomBytes(NONCE_BYTES);
    connector.send(connection, { type: 'challenge', nonce });
    const tooLate = setTimeout(
      () => connector.disconnect(connection, { now: true }),
      LOGIN_TIMEOUT,
    );
    const event = await connector.receiveFrom(connection);
    clearTimeout(tooLate);
    if (event?.type !== 'messageReceived' || event.message.type !== 'login') return undefined;
    const { device, proof } = event.message;
    return this.inventory.authenticate(device, nonce, proof);
  }

  #welcome(connector: Connector<Frame>, connection: Connection, device: Device): void {
    const before = this.presence.arrive(device, connection);
    // The device knows best: where it was before is a connection that it has given up.
    if (before !== undefined) connector.disconnect(before, { now: true });
    connector.send(connection, { type: 'welcome' });
    connector.merge(connection);
    this.server.join(connection, `tenant ${device.tenant}`);
    this.#logger.log(`${device.id} of ${device.tenant} has logged in`);
  }

  /** Why is not told: the next guess should not be a better one. Does nothing to one who has left. */
  #refuse(connector: Connector<Frame>, connection: Connection): void {
    if (connection.ended) return;
    connector.send(connection, { type: 'refused' });
    connector.disconnect(connection, { finishQueues: true, deadline: 1_000 });
  }
}
