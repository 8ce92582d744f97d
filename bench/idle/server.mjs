// Holds idle connections, `node --expose-gc server.mjs <transport>`: `net`, a plain net.Socket with a
// listener for each, or `pike`, a NetConnector. It tells its port, and when asked, how many connections it
// has and how much memory it keeps.
import { createServer } from 'node:net';
import { once } from 'node:events';
import { LengthPrefixedConverter } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import { answerAll, memoryKept, tell } from '../harness/questions.mjs';

const [transport] = process.argv.slice(2);
let open = 0;

async function listenPlain() {
  const sockets = new Set();
  const server = createServer((socket) => {
    open++;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('data', () => {});
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 });
  await once(server, 'listening');
  return server.address().port;
}

async function listenPike() {
  const connector = new NetConnector({
    converter: new LengthPrefixedConverter(),
    host: '127.0.0.1',
    port: 0,
    backlog: 4096,
  });
  connector.subscribe((event) => {
    if (event.type !== 'remoteConnect') return;
    event.finishAccept();
    open++;
  });
  await connector.run();
  return connector.address.port;
}

tell(transport === 'pike' ? await listenPike() : await listenPlain());
await answerAll(() => ({ open, ...memoryKept() }));
