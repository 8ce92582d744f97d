import { tmpdir } from 'node:os';
import { FileTransfer } from '../files/running.mjs';
import { ManyConnections } from '../growth/running.mjs';
import { OURS } from '../one-way/peers.mjs';
import { sendOneWay } from '../one-way/running.mjs';
import { RunningTransport } from '../requests/running.mjs';

const option = (standard) => ({ type: 'string', default: standard });

/** Measures again and again, for so many seconds. */
async function repeat(seconds, measure) {
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) await measure();
}

async function withTransport({ transport }, nodeOptions, ending, work) {
  const running = await RunningTransport.start({ name: transport }, nodeOptions);
  await work(running);
  await running.stop(ending);
}

/**
 * What can be profiled: the two processes of each, its own options, and how it is run: for so many seconds, with
 * options for Node by process, and the signal that ends them.
 */
export const SCENARIOS = {
  'one-way': {
    roles: ['sender', 'receiver'],
    options: { size: option('100'), converter: option('framed') },
    async run({ seconds, size, converter }, nodeOptions, ending) {
      const load = (count) => ({ size: Number(size), warmUp: count >> 1, count });
      let count = 10_000;
      // The first is cold, and says little.
      for (const aim of [500, (seconds * 2000) / 3]) {
        const ms = await sendOneWay(OURS[converter], load(count));
        count = Math.round((count / ms) * aim);
      }
      await sendOneWay(OURS[converter], load(count), { nodeOptions, ending });
    },
  },
  requests: {
    roles: ['client', 'server'],
    options: { transport: option('nestjs-pike, MessagePack'), 'in-flight': option('1000') },
    async run({ seconds, ...options }, nodeOptions, ending) {
      const task = { inFlight: Number(options['in-flight']), ms: seconds * 1000 };
      await withTransport(options, nodeOptions, ending, (running) => running.measure(task));
    },
  },
  streams: {
    roles: ['client', 'server'],
    options: { transport: option('nestjs-pike, MessagePack') },
    async run({ seconds, ...options }, nodeOptions, ending) {
      await withTransport(options, nodeOptions, ending, (running) =>
        repeat(seconds, () => running.measure({ values: 100_000 })),
      );
    },
  },
  growth: {
    roles: ['sender', 'receiver'],
    options: { connections: option('1000'), 'per-turn': option('64') },
    async run({ seconds, ...options }, nodeOptions, ending) {
      const connections = Number(options.connections);
      const many = await ManyConnections.start({ transport: 'pike', connections }, nodeOptions);
      await repeat(seconds, () => many.measure({ perTurn: Number(options['per-turn']), turns: 3 }));
      await many.stop(ending);
    },
  },
  files: {
    roles: ['sender', 'receiver'],
    options: { mib: option('256'), directory: option(tmpdir()) },
    async run({ seconds, mib, directory }, nodeOptions, ending) {
      const transfer = await FileTransfer.start({ mebibytes: Number(mib), directory }, nodeOptions);
      await repeat(seconds, () => transfer.measure('files', false));
      await transfer.stop(ending);
    },
  },
};
