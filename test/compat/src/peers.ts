import { Injectable } from '@nestjs/common';

/** What has happened to connections. */
@Injectable()
export class Peers {
  readonly happened: string[] = [];
  #waiting: (() => void)[] = [];

  add(what: string): void {
    this.happened.push(what);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async until(what: string): Promise<void> {
    while (!this.happened.includes(what)) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}
