// Prevents: a broadcast that one slow, dead or leaving member delays or spoils for the others; one
// whose sender cannot tell whom it reached; one that goes to who was not let in, or has left.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Logger } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { OnFinishDisconnect, OnRemoteConnect, OnRemoteDisconnect, PikeContext } from 'nestjs-pike';
import type {
  BroadcastResult,
  Connection,
  FinishDisconnectEvent,
  PikeServerOptions,
  RemoteConnectEvent,
} from 'nestjs-pike';
import { MessagePackConverter } from 'nestjs-pike/converters';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { nextTurn } from '../support/turns.js';
import { Notes } from './notes.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const notes = new Notes();
const connections: Connection[] = [];
let accept: (event: RemoteConnectEvent) => void | Promise<void>;
let lastEnd: FinishDisconnectEvent | undefined;

@Controller()
class RoomController {
  @OnRemoteConnect()
  async arriving(event: RemoteConnectEvent) {
    connections.push(event.connection);
    notes.add('arriving');
    await accept(event);
    notes.add('decided');
  }

  @OnRemoteDisconnect()
  left() {
    notes.add('left');
  }

  @OnFinishDisconnect()
  ended(event: FinishDisconnectEvent) {
    lastEnd = event;
    notes.add('ended');
  }

  @MessagePattern('join')
  join(@Payload() room: string, @Ctx() context: PikeContext) {
    return context.join(room);
  }

  @MessagePattern('leave')
  leave(@Payload() room: string, @Ctx() context: PikeContext) {
    return context.leave(room);
  }

  @EventPattern<string>('say')
  say(@Payload() { room, text }: { room: string; text: string }, @Ctx() context: PikeContext) {
    context.group(room).broadcast('said', text, { except: context.getConnection() });
  }

  @MessagePattern('here')
  here() {
    return 'yes';
  }
}

/** The events that a peer has received, in order. */
function heard(peer: PacketPeer): unknown[] {
  return (peer.replies as { pattern?: unknown; data?: unknown }[])
    .filter(({ pattern }) => pattern !== undefined)
    .map(({ data }) => data);
}

describe('a broadcast', () => {
  let running: Running;
  const peers: PacketPeer[] = [];
  const logged: string[] = [];
  const unhandled: unknown[] = [];
  const recordUnhandled = (reason: unknown): void => void unhandled.push(reason);
  beforeEach(() => {
    notes.clear();
    logged.length = 0;
    unhandled.length = 0;
    connections.length = 0;
    lastEnd = undefined;
    accept = (event) => void event.finishAccept();
    jest
      .spyOn(Logger.prototype, 'warn')
      .mockImplementation((message: unknown) => void logged.push(String(message)));
    process.on('unhandledRejection', recordUnhandled);
  });
  afterEach(async () => {
    for (const peer of peers.splice(0)) await peer.raw.destroy();
    await running.close();
    process.off('unhandledRejection', recordUnhandled);
    expect(unhandled).toEqual([]);
    jest.restoreAllMocks();
  });
  const begin = async (options: Partial<PikeServerOptions> = {}) => {
    running = await start([RoomController], { shutdown: { deadline: 500 }, ...options });
    return running.server;
  };
  const join = async ({ reading = true, decided = true } = {}): Promise<PacketPeer> => {
    const peer = await PacketPeer.connect(running.port, { reading });
    peers.push(peer);
    await notes.seen(decided ? 'decided' : 'arriving', peers.length);
    // The handler's decision takes effect when it has returned.
    await nextTurn();
    return peer;
  };
  const ask = async (peer: PacketPeer, pattern: string, data: unknown): Promise<unknown> => {
    const id = peer.replies.length + 1000;
    peer.send({ id, pattern, data });
    return (await peer.lastReply(id)).response;
  };
  const hears = (peer: PacketPeer, text: unknown) =>
    peer.reply((packet) => (packet as { data?: unknown }).data === text);

  it('reaches everybody, those aside who are excepted, and says how many', async () => {
    const server = await begin();
    const [a, b, c] = [await join(), await join(), await join()];
    await expect(lastValueFrom(server.broadcast('said', 'all'))).resolves.toEqual({
      sent: 3,
      failed: [],
    });
    const [first, second] = connections;
    const most = await lastValueFrom(server.broadcast('said', 'most', { except: first! }));
    const few = await lastValueFrom(server.broadcast('said', 'few', { except: [first!, second!] }));
    expect([most.sent, few.sent]).toEqual([2, 1]);
    await server.broadcast('said', 'end').forEach(() => undefined);
    for (const peer of [a, b, c]) await hears(peer, 'end');
    expect(heard(a)).toEqual(['all', 'end']);
    expect(heard(b)).toEqual(['all', 'most', 'end']);
    expect(heard(c)).toEqual(['all', 'most', 'few', 'end']);
  });

  it('goes out without anybody who subscribes, once, however many do', async () => {
    const server = await begin();
    const peer = await join();
    server.broadcast('said', 'unobserved');
    const observed = server.broadcast('said', 'observed twice');
    await Promise.all([lastValueFrom(observed), lastValueFrom(observed)]);
    await hears(peer, 'observed twice');
    expect(heard(peer)).toEqual(['unobserved', 'observed twice']);
  });

  it('to nobody is sent to nobody', async () => {
    const server = await begin();
    const nobody = { sent: 0, failed: [] };
    await expect(lastValueFrom(server.broadcast('said', 1))).resolves.toEqual(nobody);
    await expect(lastValueFrom(server.group('empty').broadcast('said', 1))).resolves.toEqual(
      nobody,
    );
    await running.close();
    await expect(lastValueFrom(server.broadcast('said', 1))).resolves.toEqual(nobody);
  });

  it('reaches the members of a group, who have joined, and not left, and are there', async () => {
    const server = await begin();
    const [a, b, c] = [await join(), await join(), await join()];
    for (const peer of [a, b, c]) expect(await ask(peer, 'join', 'chess')).toBe(true);
    await ask(a, 'join', 'go');
    a.send({ pattern: 'say', data: { room: 'chess', text: 'e4' } });
    await hears(b, 'e4');
    await hears(c, 'e4');

    expect(await ask(b, 'leave', 'chess')).toBe(true);
    expect(await ask(b, 'leave', 'chess')).toBe(false);
    await c.raw.destroy();
    await notes.seen('left');
    const chess = server.group('chess');
    expect(chess.connections).toEqual([connections[0]]);
    expect((await lastValueFrom(chess.broadcast('said', 'e5'))).sent).toBe(1);
    await hears(a, 'e5');
    // By the server, too; and of who has left all is forgotten.
    expect(server.join(connections[1]!, 'chess')).toBe(true);
    expect(server.join(connections[2]!, 'chess')).toBe(false);
    expect(server.leave(connections[0]!, 'chess')).toBe(true);
    expect(chess.connections).toEqual([connections[1]]);
    expect(heard(a)).toEqual(['e5']);
    expect(heard(b)).toEqual(['e4']);
  });

  it('is not for who is not accepted yet, nor for who is managed separately until it is merged', async () => {
    const server = await begin();
    await join();
    let letIn: () => void = () => undefined;
    accept = async (event) => {
      await new Promise<void>((resolve) => (letIn = resolve));
      event.finishAccept();
    };
    const waiting = await join({ decided: false });
    expect((await lastValueFrom(server.broadcast('said', 'early'))).sent).toBe(1);
    letIn();
    await notes.seen('decided', 2);
    await nextTurn();
    expect((await lastValueFrom(server.broadcast('said', 'in time'))).sent).toBe(2);
    await hears(waiting, 'in time');
    expect(heard(waiting)).toEqual(['in time']);

    let before: Promise<unknown> | undefined;
    accept = (event) => {
      before = lastValueFrom(server.emitTo(event.connection, 'said', 'before')).catch(
        (error: unknown) => error,
      );
      event.finishAccept({ separate: true });
    };
    const separate = await join();
    expect((await lastValueFrom(server.broadcast('said', 'more'))).sent).toBe(2);
    // It goes out, but its fate is told to whoever manages the connection.
    await expect(before).resolves.toMatchObject({ delivery: 'in-doubt' });
    await hears(separate, 'before');
    const connection = connections[2]!;
    await expect(lastValueFrom(server.emitTo(connection, 'said', 'you'))).rejects.toMatchObject({
      code: 'PIKE_ERR_DISCONNECTED',
      delivery: 'unsent',
    });
    expect(server.join(connection, 'room')).toBe(false);
    server.unwrap().merge(connection);
    // Before it has said anything.
    expect(server.join(connection, 'room')).toBe(true);
    expect((await lastValueFrom(server.group('room').broadcast('said', 'hello'))).sent).toBe(1);
    expect(await ask(separate, 'here', {})).toBe('yes');
    expect((await lastValueFrom(server.broadcast('said', 'merged'))).sent).toBe(3);
    await hears(separate, 'merged');
    expect(heard(separate)).toEqual(['before', 'hello', 'merged']);
  });

  it('that a member does not take fails for that member, is said of it, and delays nobody', async () => {
    const server = await begin({ maxQueuedMessages: 20, highWaterMark: 10 });
    const [good, slow] = [await join(), await join({ reading: false })];
    // Far more than the system takes for a peer that does not read.
    const big = 'x'.repeat(500_000);
    const results: Promise<BroadcastResult>[] = [];
    for (let i = 0; i < 100; i++) {
      results.push(lastValueFrom(server.broadcast('said', `${i} ${big}`)));
      await hears(good, `${i} ${big}`);
    }
    // A member that is full is told of at once.
    const full = await lastValueFrom(server.broadcast('said', 'full'));
    expect(full).toMatchObject({
      sent: 1,
      failed: [
        { connection: connections[1], error: { code: 'PIKE_ERR_QUEUE_FULL', delivery: 'unsent' } },
      ],
    });
    server.unwrap().disconnect(connections[1]!, { now: true });
    const settled = [...(await Promise.all(results)), full];
    slow.raw.resume();
    await slow.raw.ended;

    const failures = settled.flatMap(({ failed }) => failed);
    const sent = settled.reduce((total, result) => total + result.sent, 0);
    expect(sent + failures.length).toBe(2 * 101);
    for (const { connection, error } of failures) {
      expect(connection).toBe(connections[1]);
      // What came back is certainly not with the peer: a part of a packet is of no use to it.
      expect(error.delivery).toBe('unsent');
    }
    // Everybody else got everything, and the slow one exactly what is not among the failures.
    expect(heard(good)).toHaveLength(101);
    expect(heard(slow)).toHaveLength(101 - failures.length);
    const { queued = [], incomplete } = lastEnd ?? {};
    const rejected = failures.filter(({ error }) => error.code === 'PIKE_ERR_QUEUE_FULL').length;
    expect(queued.length + (incomplete === undefined ? 0 : 1) + rejected).toBe(failures.length);
  }, 30_000);

  it('is encoded for each connection by itself: what one cannot be sent, the others are', async () => {
    await begin();
    const plain = new MessagePackConverter();
    const shy: Connection[] = [];
    const own = await start([RoomController], {
      converter: {
        createSerializer(message: unknown, connection: Connection) {
          if (shy.includes(connection)) throw new Error('This peer speaks another version.');
          return plain.createSerializer(message, connection);
        },
        createDeserializer: (connection, limits) => plain.createDeserializer(connection, limits),
      },
    });
    const other = [await PacketPeer.connect(own.port), await PacketPeer.connect(own.port)];
    await notes.seen('decided', 2);
    await nextTurn();
    shy.push(connections[0]!);
    await expect(lastValueFrom(own.server.broadcast('said', 'news'))).resolves.toMatchObject({
      sent: 1,
      failed: [{ connection: shy[0], error: { code: 'PIKE_ERR_SERIALIZER', delivery: 'unsent' } }],
    });
    await hears(other[1]!, 'news');
    for (const peer of other) await peer.raw.destroy();
    await own.close();
  });

  it('leaves a full member its connection, whatever else of ours it does not take', async () => {
    const server = await begin({ maxQueuedMessages: 5, highWaterMark: 2 });
    const peer = await join({ reading: false });
    const [connection] = connections;
    peer.send({ id: 1, pattern: 'here', data: {} });
    const asked = server.sendTo(connection!, 'ask', {}).subscribe();
    await lastValueFrom(server.emitTo(connection!, 'said', 'small'));
    const big = 'x'.repeat(900_000);
    const failures: unknown[] = [];
    while (failures.length === 0) {
      server.emitTo(connection!, 'said', big).subscribe({ error: (error) => failures.push(error) });
      await nextTurn();
    }
    // Its cancellation is not taken either, and that is nobody's fault.
    asked.unsubscribe();
    await nextTurn();
    peer.raw.resume();
    await server.unwrap().flushed(connection!);
    await expect(ask(peer, 'here', {})).resolves.toBe('yes');
    expect(lastEnd).toBeUndefined();
  }, 30_000);

  it('that is lost with a member, or given to it while it ends, is never said to be sent', async () => {
    const server = await begin();
    await join();
    await join();
    const [finishing, closed] = connections;
    const connector = server.unwrap();
    connector.disconnect(finishing!, { finishQueues: true });
    connector.disconnect(closed!, { now: true });
    // All in the turn in which they end, before any event has told of it.
    const result = lastValueFrom(server.broadcast('said', 'late'));
    const events = [
      lastValueFrom(server.emitTo(finishing!, 'said', 1)),
      lastValueFrom(server.emitTo(closed!, 'said', 2)),
      firstValueFrom(server.sendTo(finishing!, 'ask', 3)),
      firstValueFrom(server.sendTo(closed!, 'ask', 4)),
    ];
    await expect(result).resolves.toMatchObject({
      sent: 0,
      failed: [{ error: { delivery: 'unsent' } }, { error: { delivery: 'unsent' } }],
    });
    for (const outcome of await Promise.allSettled(events)) {
      expect(outcome).toMatchObject({
        status: 'rejected',
        reason: { name: 'PikeError', delivery: 'unsent' },
      });
    }
  });

  it('that nobody can be sent fails for all, unsent, and the next does not', async () => {
    const server = await begin();
    const peer = await join();
    await join();
    // From within a promise, where callbacks of promises come before those of the next tick.
    await Promise.resolve();
    const result = await lastValueFrom(server.broadcast('said', () => 'a function'));
    expect(result.failed).toHaveLength(2);
    for (const { error } of result.failed) {
      expect(error).toMatchObject({ code: 'PIKE_ERR_SERIALIZER', delivery: 'unsent' });
    }
    expect((await lastValueFrom(server.broadcast('said', 'words'))).sent).toBe(2);
    await hears(peer, 'words');
  });

  it('an event that cannot be encoded is not said to be sent, whenever its turn comes', async () => {
    const server = await begin();
    const peer = await join();
    const [connection] = connections;
    // So that the next one is encoded at once, and not at the end of the turn.
    await lastValueFrom(server.emitTo(connection!, 'said', 'y'.repeat(900_000)));
    const outcomes = await Promise.allSettled([
      lastValueFrom(server.emitTo(connection!, 'said', () => 'a function')),
      lastValueFrom(server.emitTo(connection!, 'said', 'fine')),
    ]);
    expect(outcomes).toMatchObject([
      { status: 'rejected', reason: { code: 'PIKE_ERR_SERIALIZER', delivery: 'unsent' } },
      { status: 'fulfilled' },
    ]);
    await hears(peer, 'fine');
  });

  it('whose failure nobody has subscribed to is in the log, as is that of an event', async () => {
    const server = await begin();
    await join();
    server.broadcast('said', () => 'a function');
    server.emitTo(connections[0]!, { cmd: 'said' }, () => 'a function');
    server.broadcast('said', () => 'a function').subscribe();
    server
      .emitTo(connections[0]!, 'said', () => 'a function')
      .subscribe({ error: () => undefined });
    await lastValueFrom(server.broadcast('said', 'behind them'));
    await nextTurn();
    expect(logged).toHaveLength(2);
    expect(logged.join('\n')).toContain('not sent on 1 of 1 connections');
    expect(logged.join('\n')).toContain('The event {"cmd":"said"} was not sent');
  });

  it('made while the server closes is sent or fails, as everything', async () => {
    const server = await begin();
    const peer = await join();
    const closed = running.app.close();
    const during = lastValueFrom(server.broadcast('said', 'closing'));
    await closed;
    const { sent, failed } = await during;
    await peer.raw.ended;
    expect(sent + failed.length).toBe(1);
    expect(heard(peer)).toHaveLength(sent);
  });
});
