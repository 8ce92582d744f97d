import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Endpoint } from 'nestjs-pike/core';

interface Waiter {
  holds: () => boolean;
  resolve: (received: Buffer) => void;
  reject: (error: Error) => void;
}

/** Options of a {@link RawPeer}. */
export interface RawPeerOptions {
  /** Whether it reads from the first moment on; otherwise nothing is read before `resume`. Default: true. */
  reading?: boolean;
}

/**
 * The other side of a connection, on its socket alone: it records every byte that arrives and does
 * exactly what it is told: read or not, end its side or not, break the connection off.
 */
export class RawPeer {
  readonly socket: Duplex;
  /** Resolves when the other side has ended, or the socket is closed, whichever is first. */
  readonly ended: Promise<void>;
  /** Resolves when its own end has been handed to the system. */
  readonly finished: Promise<void>;
  /** Resolves when the socket is closed, with the code of the error that closed it, if any. */
  readonly closed: Promise<string | undefined>;
  /** How many bytes have arrived. */
  bytesReceived = 0;
  readonly #breakOff: () => void;
  readonly #chunks: Buffer[] = [];
  #waiters: Waiter[] = [];

  /** @param breakOff ends the connection at once and as rudely as the transport can; see {@link reset} */
  constructor(socket: Duplex, breakOff: () => void, { reading = true }: RawPeerOptions = {}) {
    this.socket = socket;
    this.#breakOff = breakOff;
    let code: string | undefined;
    // First: who listens for data makes a socket flow.
    if (!reading) socket.pause();
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

  /** Connects over TCP or a unix-domain socket. */
  static async connect(endpoint: Endpoint, options?: RawPeerOptions): Promise<RawPeer> {
    const socket = createConnection({ ...endpoint, allowHalfOpen: true });
    const peer = RawPeer.over(socket, options);
    await once(socket, 'connect');
    return peer;
  }

  /** A peer on a TCP or unix-domain socket. */
  static over(socket: Socket, options?: RawPeerOptions): RawPeer {
    return new RawPeer(socket, () => resetAndDestroy(socket), options);
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

  /** Breaks the connection with a reset, where the transport has such a thing; elsewhere just closes it. */
  reset(): void {
    this.#breakOff();
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

/**
 * Resets a TCP socket; while its own end is on its way, and of a unix-domain socket, just closes it.
 * @param above the TLS socket upon it, if there is one
 */
export function resetAndDestroy(socket: Socket, above: Socket = socket): void {
  // Node cannot reset a socket that is shutting down: it would never be closed.
  const { writableEnded, writableFinished } = above;
  const isTcp = socket.remoteAddress !== undefined;
  if (!isTcp || (writableEnded && !writableFinished)) above.destroy();
  else socket.resetAndDestroy();
}

/** Something that listens. */
export interface Listening {
  address: Endpoint;
  /** Nothing listens any more when it resolves; connections are none of its business. */
  close(): Promise<void>;
}

/** Listens for connections that the connector under test dials. */
export class RawListener {
  readonly address: Endpoint;
  readonly #listening: Listening;
  readonly #arrivals: Arrivals;

  private constructor(listening: Listening, arrivals: Arrivals) {
    this.address = listening.address;
    this.#listening = listening;
    this.#arrivals = arrivals;
  }

  /** @param listen starts to listen, and calls back with each peer that has connected */
  static async start(
    listen: (arrived: (peer: RawPeer) => void) => Promise<Listening>,
  ): Promise<RawListener> {
    const arrivals = new Arrivals();
    return new RawListener(await listen((peer) => arrivals.add(peer)), arrivals);
  }

  /** Listens on `node:net` alone, on a free port of the loopback, or at `at`. */
  static listen({
    at = { host: '127.0.0.1', port: 0 },
    ...options
  }: RawPeerOptions & { at?: Endpoint } = {}): Promise<RawListener> {
    return RawListener.start((arrived) =>
      listenForSockets(at, options, (socket) => arrived(RawPeer.over(socket, options))),
    );
  }

  /** The next peer that connects. */
  accept(): Promise<RawPeer> {
    return this.#arrivals.next();
  }

  async close(): Promise<void> {
    const closed = this.#listening.close();
    await Promise.all(this.#arrivals.all.map((peer) => peer.destroy()));
    await closed;
  }
}

/** Listens on `node:net`. @param arrived called with each socket, half-open, and paused unless `reading` */
export async function listenForSockets(
  at: Endpoint,
  { reading = true }: RawPeerOptions,
  arrived: (socket: Socket) => void,
): Promise<Listening> {
  const server = createServer({ allowHalfOpen: true, pauseOnConnect: !reading }, arrived);
  server.listen(at);
  await once(server, 'listening');
  return {
    address: addressOf(server),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function addressOf(server: Server): Endpoint {
  const address = server.address() as AddressInfo | string;
  return typeof address === 'string'
    ? { path: address }
    : { host: address.address, port: address.port };
}

/** Peers that have connected, and those who wait for one. */
class Arrivals {
  readonly all: RawPeer[] = [];
  readonly #waiting: RawPeer[] = [];
  readonly #takers: ((peer: RawPeer) => void)[] = [];

  add(peer: RawPeer): void {
    this.all.push(peer);
    const taker = this.#takers.shift();
    if (taker === undefined) this.#waiting.push(peer);
    else taker(peer);
  }

  next(): Promise<RawPeer> {
    const peer = this.#waiting.shift();
    return peer === undefined
      ? new Promise((resolve) => this.#takers.push(resolve))
      : Promise.resolve(peer);
  }
}
