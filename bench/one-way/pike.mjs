// This package: `node pike.mjs <role> <port> <size> <warmUp> <count> <framed|object>`.
import { NetConnector } from 'nestjs-pike/core';
import { LengthPrefixedConverter, rawPayload } from 'nestjs-pike/converters';
import { tell } from '../harness/questions.mjs';
import { createMessages, readArguments, RING, Tally } from './load.mjs';
import { ObjectConverter } from './object-converter.mjs';

const { role, port, size, warmUp, count } = readArguments();
const converter =
  process.argv[7] === 'framed'
    ? new LengthPrefixedConverter({ bytes: 4, payload: rawPayload })
    : new ObjectConverter();

if (role === 'receiver') {
  const connector = new NetConnector({ converter, host: '127.0.0.1', port });
  const tally = new Tally(warmUp, count);
  connector.subscribe((event) => {
    if (event.type === 'messageReceived') {
      const { message } = event;
      tally.add(message.readUInt32LE(0), message[message.length - 1]);
    } else if (event.type === 'remoteConnect') event.finishAccept();
  });
  await connector.run();
  tell('ready');
} else {
  const connector = new NetConnector({ converter });
  await connector.run();
  const { connection } = await connector.connectWaiting({ host: '127.0.0.1', port });
  const messages = createMessages(size);
  const total = warmUp + count;
  for (let i = 0; i < total; i++) {
    if (!connector.send(connection, messages[i % RING])) await connector.drained(connection);
  }
  await connector.shutdown({ finishQueues: true });
}
