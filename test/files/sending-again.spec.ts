// Prevents: a file that is sent again after its transfer was cut off and is then there twice, cut
// short, or beside a part that nobody deletes; and one that neither was sent nor came back.
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FileConverter } from 'nestjs-pike/converters';
import type { FileMessage } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import type { Endpoint, Finish } from 'nestjs-pike/core';
import { EventRecorder } from '../support/event-recorder.js';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import { useFolders } from '../support/use-folders.js';
import { addressOf, useSockets } from '../support/use-sockets.js';

const sockets = useSockets();
const MIB = 1024 * 1024;
/** More than the system holds for a peer that does not read. */
const LARGE = 64 * MIB;

let outbox: string;
let inbox: string;
useFolders((folders) => ({ outbox, inbox } = folders));

interface Sending {
  connector: NetConnector<FileMessage>;
  events: EventRecorder<FileMessage>;
  /** Resolves when the first bytes of a file's content have been given to the connection. */
  begun: Promise<void>;
}

/** A connector that sends files over a connection of its own, in order. */
async function send(endpoint: Endpoint, messages: readonly FileMessage[]): Promise<Sending> {
  let onBegun: () => void;
  const begun = new Promise<void>((resolve) => (onBegun = resolve));
  const converter = new FileConverter({ checksum: 'sha256', onProgress: () => onBegun() });
  const connector = new NetConnector<FileMessage>({ converter });
  sockets.defer(async () => {
    await connector.shutdown({ now: true });
    await converter.settled();
  });
  await connector.run();
  const events = new EventRecorder(connector);
  const { connection } = await connector.connectWaiting(endpoint);
  for (const message of messages) connector.send(connection, message);
  return { connector, events, begun };
}

/** Three files, the first of which is {@link LARGE}. */
async function makeFiles(): Promise<FileMessage[]> {
  return Promise.all(
    [LARGE, 3 * MIB, 10].map(async (size, index) => {
      const path = join(outbox, `file-${index}`);
      await writeFile(path, randomBytes(size));
      return { path };
    }),
  );
}

/** That the inbox holds one good copy of each file, and nothing else. */
async function expectOneCopyOfEach(messages: readonly FileMessage[]): Promise<void> {
  expect((await readdir(inbox)).sort()).toEqual(['file-0', 'file-1', 'file-2']);
  for (const [index, { path }] of messages.entries()) {
    const copy = await readFile(join(inbox, `file-${index}`));
    expect([index, copy.equals(await readFile(path))]).toEqual([index, true]);
  }
}

describe('files that a shutdown has cut off', () => {
  it.each<{ how: Finish; peerReads: boolean; incomplete: number[]; queued: number[] }>([
    { how: { now: true }, peerReads: false, incomplete: [0], queued: [1, 2] },
    { how: { finishMessages: true }, peerReads: true, incomplete: [], queued: [1, 2] },
    {
      how: { finishMessages: true, deadline: 10 },
      peerReads: false,
      incomplete: [0],
      queued: [1, 2],
    },
    {
      how: { finishQueues: true, deadline: 10 },
      peerReads: false,
      incomplete: [0],
      queued: [1, 2],
    },
    { how: { finishQueues: true }, peerReads: true, incomplete: [], queued: [] },
  ])(
    'come back and are sent again: $how',
    async ({ how, peerReads, incomplete, queued }) => {
      const receiving = new FileConverter({ directory: inbox });
      const receiver = new NetConnector<FileMessage>({
        converter: receiving,
        host: '127.0.0.1',
        port: 0,
      });
      sockets.defer(async () => {
        await receiver.shutdown({ now: true });
        await receiving.settled();
      });
      await receiver.run();
      // Nothing is read from a peer that is not accepted: so the first file is in its middle for
      // as long as the test likes.
      const received = new EventRecorder(receiver, () => {});
      const messages = await makeFiles();

      const first = await send(addressOf(receiver), messages);
      const arrival = await received.next('remoteConnect');
      await first.begun;
      const ended = first.connector.shutdown(how);
      if (peerReads) arrival.finishAccept();
      const end = await first.events.next('finishDisconnect');
      if (!peerReads) arrival.finishAccept();
      await ended;

      const sentBefore = messages.length - incomplete.length - queued.length;
      expect(end.incomplete).toBe(messages[incomplete[0] as number]);
      expect(end.queued).toEqual(queued.map((index) => messages[index]));
      expect(end.uncertain).toEqual([]);
      for (let count = 0; count < sentBefore; count++) await received.next('messageReceived');
      await received.next('remoteDisconnect');
      await receiving.settled();
      expect(await readdir(inbox)).toHaveLength(sentBefore);

      const leftovers = [...(end.incomplete ? [end.incomplete] : []), ...end.queued];
      const again = await send(addressOf(receiver), leftovers);
      (await received.next('remoteConnect')).finishAccept();
      for (let count = 0; count < leftovers.length; count++) await received.next('messageReceived');
      await again.connector.shutdown({ finishQueues: true });
      expect((await again.events.next('finishDisconnect')).queued).toEqual([]);
      await receiving.settled();
      await expectOneCopyOfEach(messages);
    },
    30_000,
  );
});

describe('a receiver that is killed in the middle of a file', () => {
  let project: Project;
  beforeEach(async () => {
    project = await Project.create();
  });
  afterEach(() => project.remove());

  /** @param killedAt after how many bytes of a file it kills itself */
  const RECEIVER = (port: number, killedAt: number): string => `
    import { NetConnector } from 'nestjs-pike/core';
    import { FileConverter } from 'nestjs-pike/converters';
    const converter = new FileConverter({
      directory: ${JSON.stringify(inbox)},
      onProgress: ({ bytes }) => { if (bytes >= ${killedAt}) process.kill(process.pid, 'SIGKILL'); },
    });
    const connector = new NetConnector({ converter, host: '127.0.0.1', port: ${port} });
    connector.subscribe((event) => {
      if (event.type === 'remoteConnect') event.finishAccept();
      if (event.type === 'messageReceived') console.log('received ' + event.message.name);
    });
    await connector.run();
    const removed = await converter.removeStaleParts();
    console.log('listening, without ' + removed.length + ' stale parts');
  `;

  it('leaves a part, which goes when it is started again, and the file is sent again', async () => {
    const messages = await makeFiles();
    const endpoint = { host: '127.0.0.1', port: await freePort() };
    const doomed = project.start({ code: RECEIVER(endpoint.port, 2 * MIB) });
    await doomed.prints('without 0 stale parts');
    const first = await send(endpoint, messages);
    expect(await doomed.ended).toMatchObject({ signal: 'SIGKILL' });
    const end = await first.events.next('remoteDisconnect');
    expect([end.incomplete, ...end.queued]).toEqual(messages);
    expect(end.uncertain).toEqual([]);

    const [part, ...others] = await readdir(inbox);
    expect([part, others]).toEqual([expect.stringMatching(/^\.file-0\.[0-9a-f]{12}\.part$/), []]);
    // What has arrived has been written, but for what waited for the disk.
    expect((await stat(join(inbox, part as string))).size).toBeGreaterThan(MIB);

    const receiver = project.start({ code: RECEIVER(endpoint.port, Infinity) });
    await receiver.prints('without 1 stale parts');
    expect(await readdir(inbox)).toEqual([]);
    const again = await send(endpoint, messages);
    await receiver.prints('received file-2');
    await again.connector.shutdown({ finishQueues: true });
    await expectOneCopyOfEach(messages);
  }, 30_000);
});
