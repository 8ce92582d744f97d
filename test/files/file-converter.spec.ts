// Prevents: a file that arrives cut short or altered and looks whole, a name from a peer that leaves
// the directory or overwrites something, and parts or open files that a broken transfer leaves behind.
import { createHash, randomBytes } from 'node:crypto';
import { readlinkSync, readdirSync } from 'node:fs';
import { readFile, readdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { FileConverter } from 'nestjs-pike/converters';
import type { FileMessage, FileOptions, FileProgress, ReceivedFile } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import type { Connection } from 'nestjs-pike/core';
import { encodeAll } from 'nestjs-pike/testing';
import { EventRecorder } from '../support/event-recorder.js';
import { fileFrame } from '../support/file-frame.js';
import { RawPeer } from '../support/raw-peer.js';
import { useFolders } from '../support/use-folders.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();
let outbox: string;
let inbox: string;
useFolders((folders) => ({ outbox, inbox } = folders));

interface Pair {
  sender: NetConnector<FileMessage>;
  sent: EventRecorder<FileMessage>;
  connection: Connection;
  receiver: NetConnector<FileMessage>;
  received: EventRecorder<FileMessage>;
  receiving: FileConverter;
}

async function connector(
  converter: FileConverter,
  listens: boolean,
): Promise<[NetConnector<FileMessage>, EventRecorder<FileMessage>]> {
  const made = new NetConnector<FileMessage>({
    converter,
    ...(listens ? { host: '127.0.0.1', port: 0 } : {}),
  });
  sockets.defer(async () => {
    await made.shutdown({ now: true });
    await converter.settled();
  });
  await made.run();
  return [made, new EventRecorder(made)];
}

async function pair(
  sendOptions: FileOptions = {},
  receiveOptions: FileOptions = {},
): Promise<Pair> {
  const receiving = new FileConverter({ directory: inbox, ...receiveOptions });
  const [receiver, received] = await connector(receiving, true);
  const [sender, sent] = await connector(new FileConverter(sendOptions), false);
  const { connection } = await sender.connectWaiting(addressOf(receiver));
  await received.next('remoteConnect');
  return { sender, sent, connection, receiver, received, receiving };
}

async function file(name: string, content: Uint8Array | string): Promise<string> {
  const path = join(outbox, name);
  await writeFile(path, content);
  return path;
}

/** The files of a directory that this process has open. */
function openFilesIn(directory: string): string[] {
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${descriptor}`);
      return target.startsWith(directory) ? [target] : [];
    } catch {
      return []; // closed meanwhile
    }
  });
}

describe('FileConverter', () => {
  it.each([0, 1, 65_536, 300_001, 20_000_000])(
    'brings a file of %i bytes over, unaltered',
    async (size) => {
      const { sender, connection, received } = await pair({ checksum: 'sha256' });
      const content = randomBytes(size);
      sender.send(connection, { path: await file('report.bin', content) });
      const message = (await received.next('messageReceived')).message as ReceivedFile;
      expect(message).toMatchObject({ name: 'report.bin', size, path: join(inbox, 'report.bin') });
      expect(message.sha256).toBe(createHash('sha256').update(content).digest('hex'));
      expect((await readFile(message.path)).equals(content)).toBe(true);
      expect(await readdir(inbox)).toEqual(['report.bin']);
    },
    20_000,
  );

  it('brings several files over, one behind the other, and tells how far they are', async () => {
    const progress: FileProgress[] = [];
    const { sender, connection, received } = await pair({
      onProgress: (state) => progress.push(state),
    });
    for (let index = 0; index < 20; index++) {
      sender.send(connection, { path: await file(`file-${index}`, `content ${index}`) });
    }
    await sender.flushed(connection);
    for (let index = 0; index < 20; index++) {
      const { path } = (await received.next('messageReceived')).message;
      expect(await readFile(path, 'utf8')).toBe(`content ${index}`);
    }
    expect(progress.at(-1)).toMatchObject({ name: 'file-19', bytes: 10, size: 10 });
  });

  it('never overwrites: a name that is taken gets a suffix, or costs the connection', async () => {
    await writeFile(join(inbox, 'report.txt'), 'mine');
    const path = await file('report.txt', 'yours');
    const one = await pair();
    one.sender.send(one.connection, { path });
    const { message } = await one.received.next('messageReceived');
    expect(message.path).toMatch(/report-[0-9a-f]{12}\.txt$/);
    expect(await readFile(message.path, 'utf8')).toBe('yours');
    const two = await pair({}, { existing: 'refuse' });
    two.sender.send(two.connection, { path });
    const { error } = await two.received.next('finishDisconnect');
    expect(error).toMatchObject({ code: 'PIKE_ERR_DESERIALIZER' });
    await two.receiving.settled();
    expect(await readFile(join(inbox, 'report.txt'), 'utf8')).toBe('mine');
    expect((await readdir(inbox)).filter((name) => name.endsWith('.part'))).toEqual([]);
  });

  it('follows no symbolic link', async () => {
    const target = await file('target', 'untouched');
    await symlink(target, join(inbox, 'report.txt'));
    const { sender, connection, received } = await pair();
    sender.send(connection, { path: await file('report.txt', 'new') });
    await received.next('messageReceived');
    expect(await readFile(target, 'utf8')).toBe('untouched');
  });

  it('rejects what it cannot send, none of whose bytes has left, and goes on', async () => {
    const { sender, sent, connection, received } = await pair({ maxFileBytes: 100 });
    const bad: FileMessage[] = [
      { path: join(outbox, 'missing') },
      { path: outbox },
      { path: await file('large', 'x'.repeat(101)) },
      { path: await file('fine', 'x'), name: '../escape' },
    ];
    for (const message of bad) sender.send(connection, message);
    const good = { path: await file('good', 'content') };
    sender.send(connection, good);
    for (const message of bad) {
      expect((await sent.next('rejectedMessage')).message).toBe(message);
    }
    await received.next('messageReceived');
    expect(await readdir(inbox)).toEqual(['good']);
  });

  it('closes the connection, and the receiver stores nothing, when a file shrinks on the way', async () => {
    const path = await file('shrinking', randomBytes(30_000_000));
    const { sender, sent, connection, received, receiving } = await pair({
      onProgress: ({ bytes }) => {
        if (bytes > 1_000_000) void truncate(path, 10);
      },
    });
    const message = { path };
    sender.send(connection, message);
    const end = await sent.next('finishDisconnect');
    expect(end.incomplete).toBe(message);
    await received.next('remoteDisconnect');
    await receiving.settled();
    expect(await readdir(inbox)).toEqual([]);
  }, 20_000);

  it.each([
    ['../escape', '../escape'],
    ['an absolute path', '/etc/passwd'],
    ['a path of Windows', 'C:\\evil'],
    ['nothing', ''],
    ['a dot', '.'],
    ['two dots', '..'],
    ['a hidden file', '.bashrc'],
    ['a NUL', 'a\0b'],
    ['a device', 'CON'],
    ['a character that reads as a separator', 'a\uff0fb'],
    ['a right-to-left override', 'cod\u202egpj.exe'],
  ])('refuses a peer that names a file %s', async (_, name) => {
    const receiving = new FileConverter({ directory: inbox });
    const [receiver, received] = await connector(receiving, true);
    const peer = await RawPeer.connect(addressOf(receiver));
    peer.write(fileFrame(name, 'content'));
    const { error } = await received.next('finishDisconnect');
    expect(error).toMatchObject({ code: 'PIKE_ERR_MALFORMED' });
    expect(received.messages()).toEqual([]);
    await receiving.settled();
    expect(await readdir(inbox)).toEqual([]);
    await peer.destroy();
  });

  it('takes a frame that is built from the documentation alone', async () => {
    const [receiver, received] = await connector(new FileConverter({ directory: inbox }), true);
    const peer = await RawPeer.connect(addressOf(receiver));
    peer.write(fileFrame('fine.txt', 'content'));
    const { message } = await received.next('messageReceived');
    expect(await readFile(message.path, 'utf8')).toBe('content');
    await peer.destroy();
  });

  it('leaves nothing behind, wherever a transfer is cut', async () => {
    const path = await file('cut.bin', randomBytes(200_000));
    const whole = await encodeAll(new FileConverter(), { path });
    const receiving = new FileConverter({ directory: inbox });
    const [receiver, received] = await connector(receiving, true);
    for (let cut = 1; cut < whole.length; cut += Math.ceil(whole.length / 40)) {
      const peer = await RawPeer.connect(addressOf(receiver));
      await received.next('remoteConnect');
      await new Promise((resolve) => peer.socket.write(whole.subarray(0, cut), resolve));
      if (cut % 2 === 0) peer.reset();
      else await peer.destroy();
      await received.next('remoteDisconnect');
    }
    await receiving.settled();
    expect(received.messages()).toEqual([]);
    expect(await readdir(inbox)).toEqual([]);
    if (process.platform === 'linux') expect(openFilesIn(inbox)).toEqual([]);
  }, 20_000);

  it('stores nothing when a byte was altered on the way', async () => {
    const whole = await encodeAll(new FileConverter(), {
      path: await file('a', randomBytes(1000)),
    });
    whole[500] = (whole[500] as number) ^ 1;
    const receiving = new FileConverter({ directory: inbox });
    const [receiver, received] = await connector(receiving, true);
    const peer = await RawPeer.connect(addressOf(receiver));
    peer.write(whole);
    const { error } = await received.next('finishDisconnect');
    expect(error).toMatchObject({ code: 'PIKE_ERR_MALFORMED' });
    await receiving.settled();
    expect(await readdir(inbox)).toEqual([]);
    await peer.destroy();
  });

  it('gives back what a shutdown cut off, to be sent again', async () => {
    const path = await file('again.bin', randomBytes(50_000_000));
    const { sender, sent, connection, received, receiving } = await pair({
      onProgress: ({ bytes }) => {
        if (bytes > 5_000_000) sender.disconnect(connection, { now: true });
      },
    });
    const messages = [{ path }, { path: await file('behind', 'me') }];
    for (const message of messages) sender.send(connection, message);
    const { incomplete, queued } = await sent.next('finishDisconnect');
    expect([incomplete, ...queued]).toEqual(messages);
    await received.next('remoteDisconnect');
    await receiving.settled();
    expect(await readdir(inbox)).toEqual([]);
  }, 20_000);
});
