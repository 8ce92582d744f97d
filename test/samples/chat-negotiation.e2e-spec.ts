// Prevents: a peer that gives no nickname keeping its place for ever, and a mistake of ours while we
// negotiate with one peer ending the process for all.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { INestMicroservice } from '@nestjs/common';
import { Logger } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { PikeServer } from 'nestjs-pike';
import type { Connector } from 'nestjs-pike';
import { ChatModule } from '../../sample/02-chat/chat.module.js';
import { ChatRules } from '../../sample/02-chat/chat-rules.js';
import { CHAT_PROTOCOL } from '../../sample/02-chat/protocol.js';
import { Room } from '../../sample/02-chat/room.js';
import { eventually } from '../support/eventually.js';
import { RawPeer } from '../support/raw-peer.js';

const unhandled: unknown[] = [];
const onUnhandled = (reason: unknown): void => void unhandled.push(reason);

let server: PikeServer<string>;
let app: INestMicroservice;
let arrivals = 0;
const peers: RawPeer[] = [];

/** Starts a chat; its rules may be changed while it runs. */
async function begin(changes: Partial<ChatRules> = {}): Promise<{ nicknameTimeout: number }> {
  const rules = Object.assign(new ChatRules(), changes);
  server = new PikeServer<string>({ host: '127.0.0.1', port: 0, ...CHAT_PROTOCOL });
  const testing = await Test.createTestingModule({ imports: [ChatModule] })
    .overrideProvider(ChatRules)
    .useValue(rules)
    .compile();
  arrivals = 0;
  server.on('remoteConnect', () => arrivals++);
  app = testing.createNestMicroservice({ strategy: server, logger: false });
  await app.listen();
  return rules;
}

async function visit(options?: { reading: boolean }): Promise<RawPeer> {
  if (server.address === undefined) throw new Error('The server does not listen.');
  const peer = await RawPeer.connect(server.address, options);
  peers.push(peer);
  return peer;
}

/** How many connections have not come to their end. */
function connections(): number {
  return [...server.unwrap<Connector<string>>().connections].length;
}

async function join(nickname: string): Promise<RawPeer> {
  const peer = await visit();
  peer.write(`${nickname}\n`);
  await peer.sees('Welcome');
  return peer;
}

beforeEach(() => {
  process.on('unhandledRejection', onUnhandled);
});
afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.destroy()));
  await app.close();
  jest.restoreAllMocks();
  process.off('unhandledRejection', onUnhandled);
  expect(unhandled.splice(0)).toEqual([]);
});

describe('a visitor that gives no nickname', () => {
  it('in time is told so, and disconnected', async () => {
    await begin({ nicknameTimeout: 50 });
    const peer = await visit();

    await peer.ended;
    expect(peer.text).toBe('* What is your nickname?\n* That took too long. Goodbye.\n');
  });

  it('in time is not let in when it gives one while it is being dismissed', async () => {
    const rules = await begin();
    const ann = await join('ann');
    rules.nicknameTimeout = 50;
    const peer = await visit();
    await peer.sees('too long');
    rules.nicknameTimeout = 30_000;
    peer.write('late\n');
    await peer.ended;
    await peer.destroy();

    await eventually(() => connections() === 1);
    await join('bob');
    expect(await ann.sees('joined')).toMatch(/alone\.\n\* bob has joined\.\n$/);
  });

  it('in time, though it does not even read what it is told, is disconnected', async () => {
    await begin({ nicknameTimeout: 50 });
    const peer = await visit({ reading: false });

    await eventually(() => arrivals === 1 && connections() === 0);
    peer.resume();
    await peer.ended;
    expect(peer.text).toContain('too long');
  });

  it('does not count as long as others do: a member has all the time in the world', async () => {
    const rules = await begin({ nicknameTimeout: 1_000 });
    const ann = await join('ann');
    const peer = await visit();
    await peer.ended;
    rules.nicknameTimeout = 30_000;

    const bob = await join('bob');
    ann.write('still here\n');
    expect(await bob.sees('\n')).toContain('* Welcome, bob. Here: ann.');
    await bob.sees('ann: still here\n');
  });
});

describe('a mistake of ours in a negotiation', () => {
  it.each<[string, (join: Room['join']) => Room['join']]>([
    [
      'before the nickname is given',
      () => () => {
        throw new Error('a mistake');
      },
    ],
    [
      'after it',
      (original) => (peer, nickname) => {
        original(peer, nickname);
        throw new Error('a mistake');
      },
    ],
  ])('%s costs its peer the connection, is logged, and nothing else', async (_, mistaken) => {
    await begin();
    const ann = await join('ann');
    const room = app.get(Room);
    const logged = jest.spyOn(Logger.prototype, 'error').mockImplementation(() => undefined);
    const original = room.join.bind(room);
    const spy = jest.spyOn(room, 'join').mockImplementation(mistaken(original));
    const peer = await visit();
    peer.write('bob\n');

    await peer.ended;
    expect(logged).toHaveBeenCalledWith(expect.objectContaining({ message: 'a mistake' }));
    expect(room.nicknames).toEqual(['ann']);
    spy.mockRestore();
    const bob = await join('bob');
    ann.write('hello\n');
    expect(await bob.sees('ann: hello\n')).toContain('Here: ann.');
  });
});

describe('closing', () => {
  it('on a signal tells everybody that, and not that each of the others goes', async () => {
    await begin();
    const rejected: unknown[] = [];
    server.on('rejectedMessage', (event) => rejected.push(event.message));
    const members = [await join('ann'), await join('bob'), await join('carl')];

    // What Nest does on a signal, in this order.
    app.get(Room).beforeApplicationShutdown();
    const closed = app.close();
    for (const member of members) {
      await member.ended;
      expect(member.text).toMatch(/\* The server is shutting down. Goodbye.\n$/);
      await member.destroy();
    }
    await closed;
    expect(rejected).toEqual([]);
  });

  it('in the middle of negotiations ends them', async () => {
    await begin();
    const [ann, peer] = [await join('ann'), await visit()];
    await peer.sees('nickname?');

    const closed = app.close();
    await Promise.all([ann.ended, peer.ended]);
    await Promise.all([ann.destroy(), peer.destroy()]);
    await closed;
    expect(app.get(Room).nicknames).toEqual([]);
  });
});
