import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { pipeline, Transform } from 'node:stream';
import type { TransformCallback } from 'node:stream';

interface Address {
  host: string;
  port: number;
}

/**
 * Stands between a client and a server. Of what the first client sends it passes on so many bytes, and
 * holds the rest, so that a story can be told of the middle of a message; later clients notice nothing.
 */
export class HoldingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(to: Address, bytes: number) {
    this.#server = createServer((inbound) => {
      const isFirst = this.#sockets.size === 0;
      const outbound = createConnection(to);
      this.#sockets.add(inbound).add(outbound);
      // Each side sees for itself how the other ends.
      const done = (): void => undefined;
      if (isFirst) pipeline(inbound, new Hold(bytes), outbound, inbound, done);
      else pipeline(inbound, outbound, inbound, done);
    });
  }

  static async listen(to: Address, bytes: number): Promise<HoldingProxy> {
    const proxy = new HoldingProxy(to, bytes);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): Address {
    return { host: '127.0.0.1', port: (this.#server.address() as AddressInfo).port };
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}

/** Passes so many bytes on, and then asks for no more. */
class Hold extends Transform {
  #left: number;

  constructor(bytes: number) {
    super();
    this.#left = bytes;
  }

  override _transform(chunk: Buffer, _encoding: string, callback: TransformCallback): void {
    const passed = chunk.subarray(0, this.#left);
    this.#left -= passed.length;
    this.push(passed);
    if (this.#left > 0) callback();
  }
}
