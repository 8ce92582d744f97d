import 'reflect-metadata';
import { createConnection } from 'node:net';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ClientsModule } from '@nestjs/microservices';
import { PikeClient, PikeServer } from 'nestjs-pike';
import type { Connection, FinishDisconnectEvent } from 'nestjs-pike';
import { firstValueFrom, lastValueFrom, tap } from 'rxjs';
import { AppModule } from './app.module.js';
import { chapter, describe, say } from './say.js';

const [first = '21', second = 'hello'] = process.argv.slice(2);

chapter('1. A Nest microservice, with PikeServer as its transport strategy');
const server = new PikeServer({ host: '127.0.0.1', port: 0, shutdown: { mode: 'now' } });
const app = await NestFactory.createMicroservice(AppModule, {
  strategy: server,
  logger: ['error'],
});
await app.listen();
const { port } = server.address as { port: number };
say('server', `listens on 127.0.0.1:${port}`);

chapter('2. A PikeClient from ClientsModule calls it');
@Module({
  imports: [
    ClientsModule.register([{ name: 'WORDS', customClass: PikeClient, options: { port } }]),
  ],
})
class CallerModule {}

const caller = await NestFactory.createApplicationContext(CallerModule, { logger: ['error'] });
const client = caller.get<PikeClient>('WORDS');

say('client', `send('double', ${describe(first)})`);
say('client', `  -> ${describe(await firstValueFrom(client.send('double', first)))}`);
say('client', `send({ cmd: 'spell' }, ${describe(second)}), a stream`);
await lastValueFrom(
  client
    .send<string>({ cmd: 'spell' }, second)
    .pipe(tap((letter) => say('client', `  -> ${describe(letter)}`))),
);
say('client', `emit('noted', ${describe(`${first} ${second}`)})`);
await lastValueFrom(client.emit('noted', `${first} ${second}`));
say('client', `send('unknown', ${describe(first)})`);
await firstValueFrom(client.send('unknown', first)).catch((error: unknown) =>
  say('client', `  -> error ${describe(error)}`),
);

chapter('3. The client leaves');
const clientLeft = next('remoteDisconnect');
await caller.close();
await clientLeft;

chapter('4. A peer that never reads is sent more than the system takes, and the server shuts down');
const peerArrived = next('remoteConnect');
const peer = createConnection({ host: '127.0.0.1', port }).pause();
peer.on('error', () => undefined);
const connection = await peerArrived;
const text = `${first} ${second} `.repeat(10_000);
const messages = Array.from({ length: 200 }, (_, index) => ({
  pattern: 'flood',
  data: `${first} ${second} no. ${index + 1} ${text}`,
}));
const connector = server.unwrap();
for (const message of messages) connector.send(connection, message);
say('server', `gave ${messages.length} messages to send(); now app.close(), mode 'now'`);

let ended: FinishDisconnectEvent | undefined;
server.on('finishDisconnect', (event) => (ended = event));
await new Promise((resolve) => setImmediate(resolve));
await app.close();
peer.destroy();

chapter('5. Every message has exactly one fate: what the shutdown returned');
const { incomplete, queued = [], uncertain = [] } = ended ?? {};
const returned = (incomplete === undefined ? 0 : 1) + queued.length + uncertain.length;
say('sent', `${messages.length - returned} messages, wholly handed to the system`);
say('incomplete', incomplete === undefined ? 'none' : preview(incomplete));
say('queued', `${queued.length} messages, from ${preview(queued[0])} to ${preview(queued.at(-1))}`);
say('uncertain', `${uncertain.length} messages`);

console.log(`
That was it: a server, a client, their events, and a shutdown that lost nothing.

Leave a server running:       npm run sample -- 01-doubler
and talk to it:               node scripts/sample.mjs 01-doubler client ${Number(first) || 21}
or with any socket:           printf '${Number(first) || 21}.0 ' | nc -q 1 127.0.0.1 4321
The code of this tour:        sample/00-tour/main.ts, app.module.ts`);

/** Resolves with the connection of the server's next event of a type, once its handlers have been called. */
function next(type: 'remoteConnect' | 'remoteDisconnect'): Promise<Connection> {
  return new Promise((resolve) => {
    server.on(type, (event: { connection: Connection }) => {
      setImmediate(() => resolve(event.connection));
    });
  });
}

/** The beginning of a message. */
function preview(message: unknown): string {
  const { data } = message as { data: string };
  return describe(`${data.split(' ').slice(0, 4).join(' ')} ...`);
}
