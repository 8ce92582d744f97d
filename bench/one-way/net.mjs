// The ceiling: `node:net` and nothing else. Messages are batched by hand into chunks of 64 KiB, which are
// used again once they are sent; no object per message, and a message is copied only if it came in pieces.
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { tell } from '../harness/questions.mjs';
import { readFrames } from './frames.mjs';
import { createMessages, readArguments, RING, Tally } from './load.mjs';

const CHUNK = 65_536;
const { role, port, size, warmUp, count } = readArguments();
if (role === 'receiver') {
  const server = createServer((socket) => readFrames(socket, new Tally(warmUp, count)));
  server.listen(port, '127.0.0.1', () => tell('ready'));
} else await sendAll();

async function sendAll() {
  const socket = createConnection({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  await (size < 4096 ? sendCopies(socket) : sendThemselves(socket));
  socket.end();
}

async function sendCopies(socket) {
  const messages = createMessages(size);
  const total = warmUp + count;
  const frame = 4 + size;
  const perChunk = Math.floor(CHUNK / frame);
  const free = [];
  for (let sent = 0; sent < total;) {
    const chunk = free.pop() ?? Buffer.allocUnsafeSlow(perChunk * frame);
    const many = Math.min(perChunk, total - sent);
    for (let i = 0, at = 0; i < many; i++, at += frame) {
      chunk.writeUInt32BE(size, at);
      messages[(sent + i) % RING].copy(chunk, at + 4);
    }
    sent += many;
    const bytes = many === perChunk ? chunk : chunk.subarray(0, many * frame);
    if (!socket.write(bytes, () => free.push(chunk))) await once(socket, 'drain');
  }
}

/** Large messages cost less without a copy: length and message in one `writev`. */
async function sendThemselves(socket) {
  const messages = createMessages(size);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(size);
  const total = warmUp + count;
  for (let sent = 0; sent < total; sent++) {
    socket.cork();
    socket.write(length);
    const more = socket.write(messages[sent % RING]);
    socket.uncork();
    if (!more) await once(socket, 'drain');
  }
}
