import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Endpoint } from 'nestjs-pike/core';

interface Waiter {
  holds: () => boolean;
  resolve: (received: Buffer) => void;
  reject: (error: Error) => void;
}

/**
 * The other side of a connection, on `node:net` alone: it records every byte that arrives and does
 * exactly what it is told: read or not, end its side or not, reset.
 */
export class RawPeer {
  readonly socket: Socket;
  /** Resolves when the other side has ended, or the socket is closed, whichever is first. */
  readonly ended: Promise<void>;
  /** Resolves when its own end has been handed to the system. */
  readonly finished: Promise<void>;
  /** Resolves when the socket is closed, with the code of the error that closed it, if any. */
  readonly closed: Promise<string | undefined>;
  /** How many bytes have arrived. */
  bytesReceived = 0;
  readonly #chunks: Buffer[] = [];
  #waiters: Waiter[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    let code: string | undefined;
    socket.on('error', (error: NodeJS.ErrnoException) => (code = error.code));
    this.ended = new Promise((resolve) => socket.once('end', resolve).once('close', resolve));
    this.finished = new Promise((resolve) => socket.once('finish', resolve));
    this.closed = new Promise((resolve) =>
      socket.once('close', () => {
        resolve(code);
        for (const { reject } of this.#waiters) {
          reject(new Error(`The socket closed (${code ?? 'no error'}) at: ${this.text}`));
        }
      }),
    );
    socket.on('data', (chunk: Buffer) => this.#record(chunk));
  }

  /** Connects; with `reading: false` nothing is read before `resume`. */
  static async connect(
    endpoint: Endpoint,
    { reading = true }: { reading?: boolean } = {},
  ): Promise<RawPeer> {
    const socket = createConnection({ ...endpoint, allowHalfOpen: true });
    const peer = new RawPeer(socket);
    if (!reading) socket.pause();
    await once(socket, 'connect');
    return peer;
  }

  /** Everything that has arrived. */
  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  /** Everything that has arrived, as text. */
  get text(): string {
    return this.received.toString();
  }

  /** Resolves once so many bytes have arrived in all; rejects if the socket closes before. */
  bytes(count: number): Promise<Buffer> {
    return this.#when(() => this.bytesReceived >= count);
  }

  /** Resolves once a text has arrived; rejects if the socket closes before. */
  async sees(text: string): Promise<string> {
    return (await this.#when(() => this.text.includes(text))).toString();
  }

  write(data: string | Uint8Array): void {
    this.socket.write(data);
  }

  /** Ends its own side, and goes on reading. */
  end(): void {
    this.socket.end();
  }

  /** Breaks the connection with a TCP reset; while its own end is on its way, just closes it. */
  reset(): void {
    // Node cannot reset a socket that is shutting down: it would never be closed.
    const { writableEnded, writableFinished } = this.socket;
    if (writableEnded && !writableFinished) this.socket.destroy();
    else this.socket.resetAndDestroy();
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Closes whatever is left. */
  async destroy(): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }

  #record(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.bytesReceived += chunk.length;
    this.#waiters = this.#waiters.filter(({ holds, resolve }) => {
      if (!holds()) return true;
      resolve(this.received);
      return false;
    });
  }

  #when(holds: () => boolean): Promise<Buffer> {
    if (holds()) return Promise.resolve(this.received);
    if (this.socket.closed) return Promise.reject(new Error(`The socket is closed: ${this.text}`));
    return new Promise((resolve, reject) => this.#waiters.push({ holds, resolve, reject }));
  }
}

/** Listens on `node:net` alone, for connections that the connector under test dials. */
export class RawListener {
  readonly #server: Server;
  readonly #waiting: RawPeer[] = [];
  readonly #takers: ((peer: RawPeer) => void)[] = [];
  readonly #peers: RawPeer[] = [];

  private constructor(reading: boolean) {
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: !reading }, (socket) => {
      const peer = new RawPeer(socket);
      this.#peers.push(peer);
      const taker = this.#takers.shift();
      if (taker === undefined) this.#waiting.push(peer);
      else taker(peer);
    });
  }

  /** Listens on a free port of the loopback, or at `at`. */
  static async listen({
    at = { host: '127.0.0.1', port: 0 },
    reading = true,
  }: { at?: Endpoint; reading?: boolean } = {}): Promise<RawListener> {
    const listener = new RawListener(reading);
    listener.#server.listen(at);
    await once(listener.#server, 'listening');
    return listener;
  }

  get address(): Endpoint {
    const address = this.#server.address() as AddressInfo | string;
    return typeof address === 'string'
      ? { path: address }
      : { host: address.address, port: address.port };
  }

  /** The next peer that connects. */
  accept(): Promise<RawPeer> {
    const peer = this.#waiting.shift();
    return peer === undefined
      ? new Promise((resolve) => this.#takers.push(resolve))
      : Promise.resolve(peer);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    await Promise.all(this.#peers.map((peer) => peer.destroy()));
    await closed;
  }
}
