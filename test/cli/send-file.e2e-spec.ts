// Prevents: a file that was not stored, or not whole, is reported as sent; a progress bar that ends up in a
// script's output.
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { FileConverter, jsonPayload, LineConverter } from 'nestjs-pike/converters';
import type { FileMessage } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import type { Converter } from 'nestjs-pike/core';
import { RawListener } from '../support/raw-peer.js';
import { CommandLine, describeWithPython, failed } from './command-line.js';

const PATIENCE = 60_000;
/** Larger than what the system takes at once. */
const LARGE_BYTES = 32 * 1024 * 1024;

let pike: CommandLine;
let received: string;
let content: Buffer;

beforeAll(async () => {
  pike = await CommandLine.create();
  content = randomBytes(LARGE_BYTES);
  await writeFile(join(pike.project.folder, 'large.bin'), content);
  await writeFile(join(pike.project.folder, 'empty.txt'), '');
});
afterAll(() => pike.remove());
beforeEach(async () => {
  received = await mkdtemp(join(pike.project.folder, 'received-'));
});

/** A receiver that answers each file by its name and size, as a line of JSON. */
async function receive(): Promise<{ to: string; connector: NetConnector<unknown> }> {
  const files = new FileConverter({ directory: received });
  const receipts: Converter<object> = new LineConverter({ payload: jsonPayload<object>() });
  const converter: Converter<unknown> = {
    createSerializer: (message, connection) =>
      receipts.createSerializer(message as object, connection),
    createDeserializer: (connection, limits) => files.createDeserializer(connection, limits),
  };
  const connector = new NetConnector({ converter, host: '127.0.0.1', port: 0 });
  await connector.run();
  connector.subscribe((event) => {
    if (event.type === 'remoteConnect') event.finishAccept();
    if (event.type !== 'messageReceived') return;
    const { name, size } = event.message as FileMessage;
    connector.send(event.connection, { name, size });
  });
  const { port } = connector.address as { port: number };
  return { to: `127.0.0.1:${port}`, connector };
}

describe('pike send-file', () => {
  it(
    'sends files of any size, and prints the receipt of each',
    async () => {
      const { to, connector } = await receive();
      const args = ['send-file', 'large.bin', 'empty.txt', '--to', to, '--receipts', 'lines:json'];
      expect(await pike.run(args)).toEqual({
        code: 0,
        signal: null,
        stdout: `{"name":"large.bin","size":${LARGE_BYTES}}\n{"name":"empty.txt","size":0}\n`,
        stderr: '',
      });
      expect(content.equals(await readFile(join(received, 'large.bin')))).toBe(true);
      expect(await readFile(join(received, 'empty.txt'), 'utf8')).toBe('');
      await connector.shutdown({ now: true });
    },
    PATIENCE,
  );

  it(
    'sends to pike listen, which has the file when it is printed',
    async () => {
      const listening = pike.start(['listen', '127.0.0.1:0', '--converter', `file:${received}`]);
      const [to = ''] = await listening.program.matches(/127\.0\.0\.1:\d+/);
      expect(await pike.run(['send-file', 'large.bin', '--to', to])).toMatchObject({
        code: 0,
        stdout: 'large.bin: 32.0 MiB sent\n',
      });
      await listening.program.prints('"name":"large.bin"');
      expect(content.equals(await readFile(join(received, 'large.bin')))).toBe(true);
      listening.program.kill('SIGINT');
      expect(await listening.program.ended).toMatchObject({ code: 130, stderr: '' });
    },
    PATIENCE,
  );

  it(
    'ends with 5 when the receipt does not come, whatever was sent',
    async () => {
      const listener = await RawListener.listen();
      const { port } = listener.address as { port: number };
      const args = ['send-file', 'empty.txt', '--to', `127.0.0.1:${port}`, '--receipts', 'lines'];
      const sending = pike.run(args);
      const peer = await listener.accept();
      await peer.sees('PKF1');
      peer.end();
      expect(await sending).toEqual(
        failed(5, expect.stringMatching(/^NO_RECEIPT: .*The server may have the file\.\n$/)),
      );
      await listener.close();
    },
    PATIENCE,
  );

  it(
    'ends with 5 when the connection breaks in the middle of the file',
    async () => {
      const listener = await RawListener.listen();
      const { port } = listener.address as { port: number };
      const sending = pike.run(['send-file', 'large.bin', '--to', `127.0.0.1:${port}`]);
      const peer = await listener.accept();
      // Accepting comes first: only then does the command know that it is connected.
      await peer.bytes(1);
      peer.reset();
      expect(await sending).toEqual(failed(5, expect.stringMatching(/^PIKE_ERR_\w+: /)));
      await listener.close();
    },
    PATIENCE,
  );

  it(
    'is interrupted by Ctrl-C in the middle of the file',
    async () => {
      const listener = await RawListener.listen();
      const { port } = listener.address as { port: number };
      const sending = pike.start(['send-file', 'large.bin', '--to', `127.0.0.1:${port}`]);
      const peer = await listener.accept();
      await peer.bytes(1);
      peer.pause();
      sending.program.kill('SIGINT');
      expect(await sending.program.ended).toEqual(failed(130, ''));
      await listener.close();
    },
    PATIENCE,
  );

  it(
    'ends with 1, before it connects, when a file is not there or is none',
    async () => {
      const to = ['--to', '127.0.0.1:1'];
      expect(await pike.run(['send-file', 'absent', ...to])).toEqual(
        failed(1, expect.stringMatching(/^USAGE: absent cannot be sent: ENOENT/)),
      );
      expect(await pike.run(['send-file', '.', ...to])).toEqual(
        failed(1, 'USAGE: . cannot be sent: it is no regular file.\n'),
      );
    },
    PATIENCE,
  );
});

describeWithPython('pike send-file, in a terminal', () => {
  it(
    'shows a progress bar, and takes it away again',
    async () => {
      const { to, connector } = await receive();
      const sending = pike.start(['send-file', 'large.bin', '--to', to], {
        terminal: { columns: 80 },
      });
      await sending.program.matches(/large\.bin \[=* *\] *\d+ %/);
      await sending.shows('large.bin: 32.0 MiB sent', '');
      expect(await sending.program.ended).toMatchObject({ code: 0 });
      await connector.shutdown({ now: true });
    },
    PATIENCE,
  );
});
