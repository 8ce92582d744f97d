import { fileURLToPath } from 'node:url';
import { PeerProcess, withNodeOptions, withOpenFiles } from '../harness/peer-process.mjs';
import { expectedSum } from './load.mjs';

const program = (name) => fileURLToPath(new URL(name, import.meta.url));

/** How many files a process has open besides its connections, at most. */
const OTHER_FILES = 100;

/** How many open files a process with so many connections needs. */
export const openFilesFor = (connections) => connections + OTHER_FILES;

/** A sender with many connections to a receiver, each a process of its own. */
export class ManyConnections {
  #sent = 0;
  #receiverCpu = 0;

  /** @param nodeOptions of the receiver and of the sender */
  static async start({ transport, connections }, nodeOptions = { receiver: [], sender: [] }) {
    const many = new ManyConnections();
    const start = (role, ...args) => {
      const command = [process.execPath, program(`${role}.mjs`), transport, ...args];
      return new PeerProcess(
        withOpenFiles(withNodeOptions(command, nodeOptions[role]), openFilesFor(connections)),
      );
    };
    many.connections = connections;
    many.receiver = start('receiver');
    many.sender = start('sender', `${await many.receiver.next()}`, `${connections}`);
    await many.sender.next();
    many.#receiverCpu = (await many.receiver.ask(0)).cpu;
    return many;
  }

  /** Has `perTurn` messages sent on each connection, `turns` times, and every one of them counted. */
  async measure({ perTurn, turns }) {
    const messages = turns * perTurn * this.connections;
    this.#sent += messages;
    const began = performance.now();
    const [senderCpu, { received, sum, cpu }] = await Promise.all([
      this.sender.ask({ perTurn, turns }),
      this.receiver.ask(this.#sent),
    ]);
    const ms = performance.now() - began;
    if (received !== this.#sent || sum !== expectedSum(this.#sent)) {
      throw new Error(`${this.#sent} messages were sent; ${received} came, their sum is ${sum}`);
    }
    const receiverCpu = cpu - this.#receiverCpu;
    this.#receiverCpu = cpu;
    return { messages, ms, senderCpu, receiverCpu };
  }

  /** @param signal by which both are ended */
  async stop(signal) {
    await Promise.all([this.sender.stop(signal), this.receiver.stop(signal)]);
  }
}
