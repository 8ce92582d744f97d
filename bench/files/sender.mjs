// Who sends files. Each line that it reads is an order, `{ way, port, path, checked }`, answered by the
// digest, if it has computed one, and the processor time that it took, in ms.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createConnection } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { FileConverter } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import { answerAll, cpuMs, tell } from '../harness/questions.mjs';

/** @param highWaterMark of the file's stream; Node's own if not given */
async function stream(endpoint, path, checked, highWaterMark) {
  const socket = createConnection(endpoint);
  await once(socket, 'connect');
  const source = createReadStream(path, { highWaterMark });
  const hash = checked ? createHash('sha256') : undefined;
  if (hash) source.on('data', (bytes) => hash.update(bytes));
  await pipeline(source, socket);
  return hash?.digest('hex');
}

async function files(endpoint, path, checked) {
  const converter = new FileConverter({ checksum: checked ? 'sha256' : 'crc32' });
  const connector = new NetConnector({ converter });
  await connector.run();
  const { connection, error } = await connector.connectWaiting(endpoint);
  if (error) throw error;
  connector.send(connection, { path });
  await connector.flushed(connection);
  await connector.shutdown({ finishQueues: true });
}

const WAYS = {
  stream,
  tuned: (endpoint, path, checked) => stream(endpoint, path, checked, 128 * 1024),
  files,
};

tell('ready');
await answerAll(async ({ way, port, path, checked }) => {
  const before = process.cpuUsage();
  const digest = await WAYS[way]({ host: '127.0.0.1', port }, path, checked);
  return { digest, cpu: cpuMs(before) };
});
