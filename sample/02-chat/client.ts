/**
 * A client for the terminal, without Nest: `client [host:port]`. Exits with 0 when it was told to
 * leave, and with 1 when the server could not be reached or has ended the connection.
 */
import { NetConnector } from 'nestjs-pike/core';
import { printable } from './printable.js';
import { CHAT_PORT, CHAT_PROTOCOL, LONGEST_LINE } from './protocol.js';
import { Terminal } from './terminal.js';

const USAGE = 'Usage: client [host:port]';
const QUIT = '/quit';
/** How long the server may take to let us go, in ms. */
const LEAVING_TIMEOUT = 3_000;

const [address = `127.0.0.1:${CHAT_PORT}`, ...others] = process.argv.slice(2);
const [, host, port] = /^\[?(.+?)\]?:(\d+)$/.exec(address) ?? [];
if (host === undefined || Number(port) < 1 || Number(port) > 65_535 || others.length > 0) {
  console.error(USAGE);
  process.exit(2);
}

const connector = new NetConnector<string>({ converter: CHAT_PROTOCOL.converter });
await connector.run();
const { connection, success, error } = await connector.connectWaiting({ host, port: Number(port) });
if (!success) {
  console.error(error?.message);
  process.exit(1);
}

let leaving = false;
const terminal = new Terminal({
  line: (line) => (line.trim() === QUIT ? leave() : say(line)),
  end: leave,
  interrupt: () => (leaving ? leaveAtOnce() : leave()),
});
for await (const event of connector) {
  if (event.type === 'messageReceived') terminal.print(printable(event.message));
  if (event.type === 'remoteDisconnect' || event.type === 'finishDisconnect') {
    terminal.close();
    reportUnsent([event.incomplete ?? [], event.uncertain, event.queued].flat());
    break;
  }
}
await connector.shutdown({ now: true });
if (!leaving) {
  console.error('The server has ended the connection.');
  process.exitCode = 1;
}

function say(line: string): void {
  if (Buffer.byteLength(line) >= LONGEST_LINE) {
    terminal.print('(Not sent: that line is too long.)');
    return;
  }
  if (connector.send(connection, line)) return;
  // A whole file may be piped in: no more of it is read than the connection takes.
  terminal.pause();
  void connector.drained(connection).then(() => terminal.resume());
}

/** Asks the server to let us go: it answers everything before, and ends the connection. */
function leave(): void {
  if (leaving) return;
  leaving = true;
  connector.send(connection, QUIT);
  setTimeout(leaveAtOnce, LEAVING_TIMEOUT).unref();
}

function leaveAtOnce(): void {
  void connector.shutdown({ now: true });
}

function reportUnsent(lines: string[]): void {
  for (const line of lines) if (line !== QUIT) console.error(`Not sent: ${line}`);
}
