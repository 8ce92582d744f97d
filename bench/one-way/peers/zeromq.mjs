// zeromq.js, Push to Pull over TCP: libzmq batches by itself.
import { Pull, Push } from 'zeromq';
import { tell } from '../../harness/questions.mjs';
import { createMessages, readArguments, RING, Tally } from '../load.mjs';

const { role, port, size, warmUp, count } = readArguments();
const endpoint = `tcp://127.0.0.1:${port}`;
const most = size > 4096 ? 1000 : 100_000;
if (role === 'receiver') {
  const socket = new Pull({ receiveHighWaterMark: most });
  await socket.bind(endpoint);
  tell('ready');
  const tally = new Tally(warmUp, count);
  for await (const [message] of socket) {
    tally.add(message.readUInt32LE(0), message[message.length - 1]);
  }
} else {
  const socket = new Push({ sendHighWaterMark: most });
  socket.connect(endpoint);
  const messages = createMessages(size);
  const total = warmUp + count;
  for (let i = 0; i < total; i++) await socket.send(messages[i % RING]);
}
