import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { PikeServer } from 'nestjs-pike';
import { ChatModule } from './chat.module.js';
import { CHAT_PORT, CHAT_PROTOCOL, LONGEST_LINE } from './protocol.js';

const port = Number(process.argv[2] ?? CHAT_PORT);

const app = await NestFactory.createMicroservice(ChatModule, {
  strategy: new PikeServer<string>({
    host: '127.0.0.1',
    port,
    ...CHAT_PROTOCOL,
    maxMessageBytes: LONGEST_LINE,
    // A member for whom so many lines wait, or who accepts none for so long, does not read.
    maxQueuedMessages: 1_000,
    stallTimeout: 30_000,
    shutdown: { mode: 'finishQueues', deadline: 5_000 },
  }),
});
app.enableShutdownHooks();
await app.listen();
console.log(`Chatting on 127.0.0.1:${port}. Stop me with Ctrl-C.`);
