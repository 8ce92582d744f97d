// Who receives files: `node receiver.mjs <directory>`, with one listener for each way of receiving. It
// tells their ports, then of each file that is stored, and, when asked, its processor time so far, in ms.
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { FileConverter } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import { answerAll, cpuMs, tell } from '../harness/questions.mjs';

const [directory] = process.argv.slice(2);
const host = '127.0.0.1';
let received = 0;

/** Stores what each connection brings. @param highWaterMark of the file's stream; Node's own if not given */
async function listenForStreams(checked, highWaterMark) {
  const store = async (socket) => {
    const path = join(directory, `stream-${(received += 1)}`);
    const hash = checked ? createHash('sha256') : undefined;
    if (hash) socket.on('data', (bytes) => hash.update(bytes));
    await pipeline(socket, createWriteStream(path, { highWaterMark }));
    tell({ path, digest: hash?.digest('hex') });
  };
  const server = createServer((socket) => void store(socket));
  await once(server.listen(0, host), 'listening');
  return server.address().port;
}

/** Of how a file is checked its sender decides. */
async function listenForFiles() {
  const connector = new NetConnector({
    converter: new FileConverter({ directory }),
    host,
    port: 0,
  });
  connector.subscribe((event) => {
    if (event.error) throw event.error;
    if (event.type === 'remoteConnect') event.finishAccept();
    if (event.type === 'messageReceived') {
      const { path, sha256 } = event.message;
      tell({ path, digest: sha256 });
    }
  });
  await connector.run();
  return connector.address.port;
}

const files = await listenForFiles();
tell({
  plain: {
    stream: await listenForStreams(false),
    tuned: await listenForStreams(false, 512 * 1024),
    files,
  },
  checked: {
    stream: await listenForStreams(true),
    tuned: await listenForStreams(true, 512 * 1024),
    files,
  },
});
await answerAll(() => cpuMs());
