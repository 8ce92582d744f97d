import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { mkdir } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { PikeServer, rawMessages } from 'nestjs-pike';
import { FileConverter } from 'nestjs-pike/converters';
import { FileCopyModule } from './file-copy.module.js';
import { eachWay, FILE_COPY_PORT, RECEIPTS } from './protocol.js';
import type { FileCopyMessage } from './protocol.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    host: { type: 'string', default: '127.0.0.1' },
    port: { type: 'string', default: `${FILE_COPY_PORT}` },
    // The most bytes that a file may have.
    limit: { type: 'string', default: `${Number.MAX_SAFE_INTEGER}` },
  },
});
const { host, port, limit } = values;
const [directory = 'received'] = positionals;

await mkdir(directory, { recursive: true });
const files = new FileConverter({ directory, maxFileBytes: Number(limit) });

const app = await NestFactory.createMicroservice(FileCopyModule.with(files), {
  strategy: new PikeServer<FileCopyMessage>({
    host,
    port: Number(port),
    converter: eachWay(RECEIPTS, files),
    ...rawMessages<FileCopyMessage>('file', { reply: true }),
  }),
});
app.enableShutdownHooks();
await app.listen();

// Only now: had the port been taken, by a server that uses the same directory, we would not be here.
const stale = await files.removeStaleParts();
if (stale.length > 0) console.log(`Stale parts deleted: ${stale.length}`);
console.log(`Storing files in ${directory}, from ${host}:${port}. Stop me with Ctrl-C.`);
