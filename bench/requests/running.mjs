import { createConnection } from 'node:net';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { outputOf, packageVersion } from '../harness/machine.mjs';
import { PeerProcess, freePort } from '../harness/peer-process.mjs';
import { TRANSPORTS } from './transports.mjs';

const program = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Every transport, with its version; `undefined` where something that it needs is not installed. */
export const PEERS = Object.entries(TRANSPORTS).map(([name, transport]) => ({
  name,
  version: versionOf(transport),
}));

function versionOf({ broker, packages = [] }) {
  if (packages.some((each) => packageVersion(each) === undefined)) return undefined;
  if (broker !== undefined) return outputOf(broker(0)[0], '--version');
  return packageVersion(packages[0] ?? '@nestjs/microservices');
}

/** A server and a client of one transport, each a process of its own, and the broker between them. */
export class RunningTransport {
  static async start({ name }) {
    const running = new RunningTransport();
    const port = await freePort();
    const { broker } = TRANSPORTS[name];
    if (broker !== undefined) {
      running.broker = new PeerProcess(broker(port));
      await answers(port);
    }
    running.server = new PeerProcess([process.execPath, program('server.mjs'), name, `${port}`]);
    await running.server.next();
    running.client = new PeerProcess([process.execPath, program('client.mjs'), name, `${port}`]);
    await running.client.next();
    return running;
  }

  /** Has the client do a task. @returns its figures, and the processor time that the server took */
  async measure(task) {
    const before = await this.server.ask('cpu');
    const figures = await this.client.ask(task);
    const after = await this.server.ask('cpu');
    return { ...figures, serverCpu: after.cpu - before.cpu };
  }

  async stop() {
    for (const each of [this.client, this.server, this.broker]) await each?.stop();
  }
}

/** Waits until somebody listens on a port; brokers do not say when they do. */
async function answers(port) {
  for (;;) {
    const socket = createConnection(port, '127.0.0.1');
    try {
      await once(socket, 'connect');
      return;
    } catch {
      await wait(20);
    } finally {
      socket.destroy();
    }
  }
}
