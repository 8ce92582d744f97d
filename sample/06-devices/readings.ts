import { Injectable } from '@nestjs/common';

export interface Reading {
  sensor: number;
  value: number;
}

/** What each sensor of each device has last said. There are as many as the inventory has. */
@Injectable()
export class Readings {
  readonly #values = new Map<string, Map<number, number>>();

  note(device: string, { sensor, value }: Reading): void {
    const values = this.#values.get(device) ?? new Map<number, number>();
    this.#values.set(device, values.set(sensor, value));
  }

  of(device: string): Record<number, number> {
    return Object.fromEntries(this.#values.get(device) ?? []);
  }
}
