import { createConnection } from 'node:net';
import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { outputOf, ownVersion, packageVersion } from '../harness/machine.mjs';
import { PeerProcess, freePort, withNodeOptions } from '../harness/peer-process.mjs';
import { TRANSPORTS } from './transports.mjs';

const program = (name) => fileURLToPath(new URL(name, import.meta.url));

/** Every transport, with its version; `undefined` where something that it needs is not installed. */
export const PEERS = Object.entries(TRANSPORTS).map(([name, transport]) => ({
  name,
  version: versionOf(transport),
}));

function versionOf({ broker, packages = [] }) {
  const versions = packages.map(packageVersion);
  if (broker !== undefined) versions.push(outputOf(broker(0)[0], '--version'));
  if (versions.includes(undefined)) return undefined;
  return packages.length > 0 ? versions.join(', ') : ownVersion;
}

/** A server and a client of one transport, each a process of its own, and the broker between them. */
export class RunningTransport {
  /**
   * Starts several at once.
   * @returns for each peer, its transport
   */
  static async startAll(peers) {
    const start = async (peer) => [peer, await RunningTransport.start(peer)];
    return new Map(await Promise.all(peers.map(start)));
  }

  /** @param nodeOptions of the server and of the client */
  static async start({ name }, nodeOptions = { server: [], client: [] }) {
    const running = new RunningTransport();
    const port = await freePort();
    const start = async (role) => {
      const command = [process.execPath, program(`${role}.mjs`), name, `${port}`];
      running[role] = new PeerProcess(withNodeOptions(command, nodeOptions[role]));
      await running[role].next();
    };
    const { broker } = TRANSPORTS[name];
    if (broker !== undefined) {
      running.broker = new PeerProcess(broker(port));
      await answers(port);
    }
    await start('server');
    await start('client');
    return running;
  }

  /** Has the client do a task. @returns its figures, and the processor time that the server took */
  async measure(task) {
    const before = await this.server.ask('cpu');
    const figures = await this.client.ask(task);
    const after = await this.server.ask('cpu');
    return { ...figures, serverCpu: after - before };
  }

  /** @param signal by which the client and the server are ended */
  async stop(signal) {
    await this.client.stop(signal);
    await this.server.stop(signal);
    await this.broker?.stop();
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
