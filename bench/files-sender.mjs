// The sending process of `files.mjs`: sends a file in the way that its parent names, and tells it the
// digest, if it has computed one, and what its CPU has had to do.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { createConnection } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { FileConverter } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';

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

async function send({ way, port, path, checked }) {
  const digest = await WAYS[way]({ host: '127.0.0.1', port }, path, checked);
  process.send({ digest, cpu: process.cpuUsage() });
}

process.on('message', (order) => void send(order));
process.send('ready');
