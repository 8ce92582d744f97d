// The ceiling: `node:net` and nothing else. Messages are batched by hand into chunks of 64 KiB, which are
// used again once they are sent; no object per message, and a message is copied only if it came in pieces.
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import { tell } from '../harness/questions.mjs';
import { createMessages, readArguments, RING, Tally } from './load.mjs';

const CHUNK = 65_536;
const { role, port, size, warmUp, count } = readArguments();
if (role === 'receiver') createServer(receive).listen(port, '127.0.0.1', () => tell('ready'));
else await sendAll();

function receive(socket) {
  const tally = new Tally(warmUp, count);
  let pieces = []; // of a message that is not whole
  let have = 0;
  let need = 4;
  /** How many bytes of `data` belong to the message that began before; it may be whole then. */
  const complete = (data) => {
    let used = 0;
    while (have > 0 && used < data.length) {
      const piece = data.subarray(used, used + need - have);
      pieces.push(piece);
      have += piece.length;
      used += piece.length;
      if (have < need) break;
      const bytes = pieces.length === 1 ? pieces[0] : Buffer.concat(pieces, have);
      need = 4 + bytes.readUInt32BE(0);
      if (have === need) {
        tally.add(bytes.readUInt32LE(4), bytes[need - 1]);
        pieces = [];
        have = 0;
      } else pieces = [bytes];
    }
    return used;
  };
  socket.on('data', (data) => {
    let at = have > 0 ? complete(data) : 0;
    while (data.length - at >= 4) {
      const end = at + 4 + data.readUInt32BE(at);
      if (end > data.length) break;
      tally.add(data.readUInt32LE(at + 4), data[end - 1]);
      at = end;
    }
    if (at === data.length) return;
    pieces = [data.subarray(at)];
    have = data.length - at;
    need = have < 4 ? 4 : 4 + data.readUInt32BE(at);
  });
}

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
