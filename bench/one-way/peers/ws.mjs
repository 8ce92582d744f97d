// ws, without compression, its socket corked for a turn's messages.
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';
import { tell } from '../../harness/questions.mjs';
import { createMessages, readArguments, RING, Tally } from '../load.mjs';

const { role, port, size, warmUp, count } = readArguments();
if (role === 'receiver') {
  const tally = new Tally(warmUp, count);
  const server = new WebSocketServer({ host: '127.0.0.1', port, perMessageDeflate: false });
  server.on('listening', () => tell('ready'));
  server.on('connection', (socket) => {
    socket.on('message', (message) => {
      tally.add(message.readUInt32LE(0), message[message.length - 1]);
    });
  });
} else {
  const client = new WebSocket(`ws://127.0.0.1:${port}`, { perMessageDeflate: false });
  await once(client, 'open');
  const messages = createMessages(size);
  const total = warmUp + count;
  const perTurn = Math.max(1, Math.floor(65_536 / size));
  for (let sent = 0; sent < total;) {
    const many = Math.min(perTurn, total - sent);
    let flushed;
    client._socket.cork();
    for (let i = 1; i <= many; i++, sent++) {
      if (i < many) client.send(messages[sent % RING]);
      else flushed = new Promise((resolve) => client.send(messages[sent % RING], resolve));
    }
    client._socket.uncork();
    await flushed;
  }
  client.close();
}
