/**
 * A small command-line client, without Nest: `client [host:port] number...`. It speaks nothing but
 * the wire protocol, so it works against an original Pike server as well.
 */
import { NetConnector } from 'nestjs-pike/core';
import { DOUBLER_PORT, DOUBLER_PROTOCOL } from './protocol.js';

const USAGE = 'Usage: client [host:port] number...';

const given = process.argv.slice(2);
const [host = '127.0.0.1', port = `${DOUBLER_PORT}`] = given[0]?.includes(':')
  ? (given.shift() as string).split(':')
  : [];
const values = given.map(Number);
if (values.length === 0 || given.some((text) => text.trim() === '' || Number.isNaN(Number(text)))) {
  console.error(USAGE);
  process.exit(2);
}

const connector = new NetConnector<number>({ converter: DOUBLER_PROTOCOL.converter });
await connector.run();
const { connection, success, error } = await connector.connectWaiting({ host, port: Number(port) });
if (!success) {
  console.error(error?.message);
  process.exit(1);
}

for (const value of values) connector.send(connection, value);
for (const value of values) {
  const event = await connector.receive();
  if (event?.type !== 'messageReceived') {
    console.error(`The server went away before it had doubled ${value}.`);
    process.exitCode = 1;
    break;
  }
  console.log(`${value} doubled is ${event.message}`);
}
await connector.shutdown({ finishQueues: true });
