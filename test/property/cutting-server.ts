import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Endpoint } from 'nestjs-pike/core';
import type { Random } from '../support/random.js';
import type { WireProtocol } from './wire-protocols.js';

/** How one connection is treated. */
interface Plan {
  /** It is cut when so many bytes have been read, and so many turns have passed since. */
  cutAfter: number;
  turnsBeforeCut: number;
  how: 'resets' | 'destroys' | 'ends';
  /** Whether it reads anything at all. */
  reads: boolean;
  /** How many requests it answers. */
  answers: number;
}

const SIZES = [0, 1, 500, 20_000, 300_000, 3_000_000];

/**
 * A server that reads, answers and cuts its connections as chance has it, at any byte, until it is
 * told to be faithful. It remembers which messages it has seen whole, in order.
 */
export class CuttingServer {
  /** The numbers of the messages that it has seen whole. */
  readonly seen: number[] = [];
  cuts = 0;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Those that have left requests unanswered. */
  readonly #unanswered = new Set<Socket>();
  readonly #random: Random;
  readonly #protocol: WireProtocol;
  #faithful = false;

  private constructor(random: Random, protocol: WireProtocol) {
    this.#random = random;
    this.#protocol = protocol;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (socket) =>
      this.#accept(socket),
    );
  }

  static async listen(random: Random, protocol: WireProtocol): Promise<CuttingServer> {
    const server = new CuttingServer(random, protocol);
    server.#server.listen(0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get endpoint(): Endpoint {
    const { port } = this.#server.address() as { port: number };
    return { host: '127.0.0.1', port };
  }

  /** From now on it reads and answers everything, and cuts nothing but what it has begun to cut. */
  beFaithful(): void {
    this.#faithful = true;
    for (const socket of this.#sockets) {
      // Where replies come in order, the next one would be taken for that which was left out.
      if (this.#protocol.inOrder && this.#unanswered.has(socket)) socket.destroy();
      else socket.resume();
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const random = this.#random;
    const plan: Plan = {
      cutAfter: random.below(random.pick(SIZES) + 1),
      turnsBeforeCut: random.below(6),
      how: random.pick(['resets', 'destroys', 'ends']),
      reads: random.below(3) > 0,
      answers: random.pick([Infinity, random.below(10)]),
    };
    let rest = Buffer.alloc(0);
    let read = 0;
    let cutting = false;
    const cut = (): void => {
      if (cutting || this.#faithful) return;
      cutting = true;
      socket.pause();
      inTurns(plan.turnsBeforeCut, () => this.#cut(socket, plan));
    };
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('end', () => socket.end());
    socket.on('data', (chunk: Buffer) => {
      if (cutting) return;
      const due = this.#faithful ? chunk.length : Math.max(0, plan.cutAfter - read);
      const taken = chunk.subarray(0, due);
      read += taken.length;
      rest = Buffer.concat([rest, taken]);
      for (;;) {
        const frame = this.#protocol.frameOf(rest);
        if (frame === undefined) break;
        rest = rest.subarray(frame.length);
        const message = this.#protocol.read(frame);
        if (message === undefined) continue;
        this.seen.push(message.number);
        if (!message.isRequest) continue;
        if (this.#faithful || plan.answers-- > 0) socket.write(this.#protocol.answer(message));
        else this.#unanswered.add(socket);
      }
      if (read >= plan.cutAfter) cut();
    });
    if (this.#faithful || plan.reads) socket.resume();
    if (!plan.reads || plan.cutAfter === 0) cut();
  }

  #cut(socket: Socket, { how }: Plan): void {
    this.cuts++;
    if (how === 'resets') socket.resetAndDestroy();
    else if (how === 'destroys') socket.destroy();
    else socket.end(() => socket.destroy());
  }
}

function inTurns(turns: number, then: () => void): void {
  if (turns === 0) then();
  else setImmediate(inTurns, turns - 1, then);
}
