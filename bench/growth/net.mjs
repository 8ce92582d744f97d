// Many connections of `node:net`, and nothing else: what a turn sends on each is one buffer and one write.
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { readFrames } from '../one-way/frames.mjs';
import { RING } from '../one-way/load.mjs';
import { SIZE } from './load.mjs';

const host = '127.0.0.1';
const FRAME = 4 + SIZE;

/** Accepts connections, and sends acknowledgements on the first. @returns the port */
export async function listen(sum) {
  let first;
  sum.acknowledge = (received) => {
    const frame = Buffer.alloc(8);
    frame.writeUInt32BE(4);
    frame.writeUInt32LE(received, 4);
    first.write(frame);
  };
  const server = createServer({ noDelay: true }, (socket) => {
    first ??= socket;
    readFrames(socket, sum);
  });
  await once(server.listen({ host, port: 0, backlog: 4096 }), 'listening');
  return server.address().port;
}

/** Opens connections. @param acknowledged called with what the receiver has received */
export class Connections {
  #sockets = [];

  async open(port, count, acknowledged) {
    for (let i = 0; i < count; i++) {
      const socket = createConnection({ host, port, noDelay: true });
      await once(socket, 'connect');
      readFrames(socket, { add: acknowledged });
      this.#sockets.push(socket);
    }
  }

  /** Sends, on each, the next `perTurn` of the messages. @param from the number of the first */
  send(messages, perTurn, from) {
    let number = from;
    for (const socket of this.#sockets) {
      const bytes = Buffer.allocUnsafe(perTurn * FRAME);
      for (let at = 0; at < bytes.length; at += FRAME) {
        bytes.writeUInt32BE(SIZE, at);
        messages[number++ % RING].copy(bytes, at + 4);
      }
      socket.write(bytes);
    }
  }
}
