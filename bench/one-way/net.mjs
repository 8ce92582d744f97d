// The ceiling: `node:net` and nothing else, batched by hand into chunks of 64 KiB, no object per message.
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { createMessages, readArguments, ready, RING, Tally } from './load.mjs';

const CHUNK = 65_536;
const { role, port, size, warmUp, count } = readArguments();
if (role === 'receiver') {
  const tally = new Tally(warmUp, count);
  const server = createServer((socket) => {
    let rest = Buffer.alloc(0);
    socket.on('data', (data) => {
      const bytes = rest.length === 0 ? data : Buffer.concat([rest, data]);
      let at = 0;
      while (bytes.length - at >= 4) {
        const end = at + 4 + bytes.readUInt32BE(at);
        if (end > bytes.length) break;
        tally.add(bytes.readUInt32LE(at + 4), bytes[end - 1]);
        at = end;
      }
      rest = at === bytes.length ? Buffer.alloc(0) : bytes.subarray(at);
    });
  });
  server.listen(port, '127.0.0.1', ready);
} else {
  const socket = createConnection({ host: '127.0.0.1', port, noDelay: true });
  await once(socket, 'connect');
  const messages = createMessages(size);
  const total = warmUp + count;
  const frame = 4 + size;
  const perChunk = Math.max(1, Math.floor(CHUNK / frame));
  for (let sent = 0; sent < total;) {
    const many = Math.min(perChunk, total - sent);
    const chunk = Buffer.allocUnsafeSlow(many * frame);
    for (let i = 0, at = 0; i < many; i++, at += frame) {
      chunk.writeUInt32BE(size, at);
      messages[(sent + i) % RING].copy(chunk, at + 4);
    }
    sent += many;
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  socket.end();
}
