import { createHmac, timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';

/** A device that may connect. */
export interface Device {
  readonly id: string;
  readonly tenant: string;
  /** The sensors that it has: of others it may not report. */
  readonly sensors: readonly number[];
  readonly key: string;
}

/** The devices that there are. Yours would be in a database, and their keys in a vault. */
@Injectable()
export class Inventory {
  readonly #devices = new Map<string, Device>(
    [
      { id: 'boiler-1', tenant: 'acme', sensors: [1, 2], key: 'acme first key' },
      { id: 'boiler-2', tenant: 'acme', sensors: [1], key: 'acme second key' },
      { id: 'pump-1', tenant: 'globex', sensors: [7], key: 'globex key' },
    ].map((device) => [device.id, device]),
  );

  get(id: string): Device | undefined {
    return this.#devices.get(id);
  }

  /** The device of that name, if the proof shows that it knows its key. */
  authenticate(id: string, nonce: Buffer, proof: Buffer): Device | undefined {
    const device = this.#devices.get(id);
    // Without a device, too: how long it takes does not tell which names there are.
    const hmac = createHmac('sha256', device?.key ?? '');
    const expected = hmac.update(nonce).update(id).digest();
    return timingSafeEqual(expected, proof) ? device : undefined;
  }
}
