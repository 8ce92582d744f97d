// Prevents: a peer that we ask answers for another, answers twice, or never, and so misleads a caller,
// keeps what is not its own, or fills our memory.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Logger } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { PikeContext, rawMessages } from 'nestjs-pike';
import type { Connection, PikeServerOptions } from 'nestjs-pike';
import { LineConverter } from 'nestjs-pike/converters';
import { firstValueFrom, lastValueFrom, toArray } from 'rxjs';
import { collectGarbage } from '../support/garbage.js';
import { RawPeer } from '../support/raw-peer.js';
import { Notes } from './notes.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const notes = new Notes();
const connections: Connection[] = [];

@Controller()
class AskingController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @EventPattern<string>('hello')
  hello(@Ctx() context: PikeContext) {
    connections.push(context.getConnection());
    notes.add('hello');
  }

  @EventPattern<string>('line')
  line(@Payload() text: string, @Ctx() context: PikeContext) {
    context.emit('answer', `${text}?`);
    try {
      context.send('question', text);
    } catch (thrown) {
      notes.add((thrown as { code: string }).code);
    }
  }
}

/** A request as it is on the wire. */
interface Asked {
  id: number;
  pattern: string;
  cancel?: boolean;
}

describe('a peer that is asked', () => {
  let running: Running;
  const peers: PacketPeer[] = [];
  const logged: string[] = [];
  beforeEach(async () => {
    notes.clear();
    connections.length = 0;
    logged.length = 0;
    const record = (message: unknown): void => void logged.push(String(message));
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(record);
    jest.spyOn(Logger.prototype, 'error').mockImplementation(record);
    running = await start([AskingController], { shutdown: { deadline: 500 } });
  });
  afterEach(async () => {
    // Nobody else has noticed.
    await expect(firstValueFrom(running.client().send('echo', 'still'))).resolves.toBe('still');
    for (const peer of peers.splice(0)) await peer.raw.destroy();
    await running.close();
    jest.restoreAllMocks();
  });
  /** A peer whose connection is the last of `connections`. */
  const join = async (): Promise<PacketPeer> => {
    const peer = await PacketPeer.connect(running.port);
    peers.push(peer);
    peer.send({ pattern: 'hello', data: {} });
    await notes.seen('hello', peers.length);
    return peer;
  };
  const ask = (data: unknown = {}, to = connections.length - 1) =>
    running.server.sendTo(connections[to]!, 'ask', data);
  /** The request that a peer has received. */
  const asked = async (peer: PacketPeer, id = 1): Promise<Asked> =>
    (await peer.reply((packet) => packet.id === id && 'pattern' in packet)) as Asked;
  const echo = async (peer: PacketPeer, id: number): Promise<unknown> => {
    peer.send({ id, pattern: 'echo', data: `echo ${id}` });
    return (await peer.reply((packet) => packet.id === id && 'response' in packet)).response;
  };

  it('and answers twice is believed once', async () => {
    const peer = await join();
    const answers = lastValueFrom(ask().pipe(toArray()));
    const { id } = await asked(peer);
    peer.send(
      { id, response: 'first', isDisposed: true },
      { id, response: 'second', isDisposed: true },
      { id, err: 'third' },
    );
    await expect(answers).resolves.toEqual(['first']);
    await expect(echo(peer, 7)).resolves.toBe('echo 7');
  });

  it('cannot answer what another is asked', async () => {
    const [honest, liar] = [await join(), await join()];
    const answer = firstValueFrom(ask({}, 0));
    const { id } = await asked(honest);
    liar.send({ id, response: 'mine', isDisposed: true }, { id, err: 'mine' });
    await expect(echo(liar, 9)).resolves.toBe('echo 9');
    honest.send({ id, response: 'true', isDisposed: true });
    await expect(answer).resolves.toBe('true');
  });

  it('cannot cancel what it is asked', async () => {
    const peer = await join();
    const answer = firstValueFrom(ask());
    const { id } = await asked(peer);
    peer.send({ id, cancel: true }, { id, response: 'all the same', isDisposed: true });
    await expect(answer).resolves.toBe('all the same');
  });

  it('may ask us with the id with which we ask it', async () => {
    const peer = await join();
    const answer = firstValueFrom(ask());
    const { id } = await asked(peer);
    await expect(echo(peer, id)).resolves.toBe(`echo ${id}`);
    peer.send({ id, response: 'and the answer', isDisposed: true });
    await expect(answer).resolves.toBe('and the answer');
  });

  it.each<[string, object]>([
    ['an id that nobody has', { id: 4711 }],
    ['an id that is to come', { id: 2 }],
    ['a text for an id', { id: '1' }],
    ['a map for an id', { id: { id: 1 } }],
    ['no id', {}],
    ['an id called __proto__', { id: '__proto__' }],
  ])('and answers with %s has answered nothing', async (_, answer) => {
    const peer = await join();
    const outcome = firstValueFrom(ask());
    const { id } = await asked(peer);
    peer.send({ ...answer, response: 'wrong', isDisposed: true });
    peer.send({ id, response: 'right', isDisposed: true });
    await expect(outcome).resolves.toBe('right');
    // Nor is the next request answered already.
    const next = firstValueFrom(ask());
    await asked(peer, 2);
    peer.send({ id: 2, response: 'next', isDisposed: true });
    await expect(next).resolves.toBe('next');
  });

  it.each<[unknown, 'fails' | 'ends']>([
    ['a text', 'fails'],
    [{ status: 'error', message: 'as Nest says it' }, 'fails'],
    [0, 'fails'],
    [false, 'fails'],
    ['', 'fails'],
    [null, 'ends'],
  ])('and answers with the error %j %s the request', async (error, how) => {
    const peer = await join();
    const outcome = lastValueFrom(ask(), { defaultValue: 'ended' });
    const { id } = await asked(peer);
    peer.send({ id, err: error, isDisposed: true });
    if (how === 'fails') await expect(outcome).rejects.toEqual(error);
    else await expect(outcome).resolves.toBe('ended');
  });

  it('and never ceases to answer is told to, and its further answers are thrown away', async () => {
    const peer = await join();
    const first = firstValueFrom(ask());
    const { id } = await asked(peer);
    for (let i = 0; i < 1000; i++) peer.send({ id, response: i });
    await expect(first).resolves.toBe(0);
    await peer.reply((packet) => packet.id === id && 'cancel' in packet);
    await expect(echo(peer, 77)).resolves.toBe('echo 77');
  });

  it('and never answers keeps nothing of what nobody waits for any more', async () => {
    const peer = await join();
    const round = async (count: number): Promise<void> => {
      const waiting = Array.from({ length: count }, (_, i) => ask({ number: i }).subscribe());
      // All have been sent, so none can be taken back.
      await peer.reply(
        (packet) => (packet as { data?: { number: number } }).data?.number === count - 1,
      );
      for (const each of waiting) each.unsubscribe();
      peer.replies.length = 0;
    };
    await round(1000);
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 50; i++) await round(1000);
    collectGarbage();
    // 50,000 requests; each kept would cost some hundred bytes.
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(5_000_000);
  }, 30_000);

  it('and leaves in the middle of a stream fails it, and everything else that waits for it', async () => {
    const peer = await join();
    const values: unknown[] = [];
    const stream = new Promise((resolve) => {
      ask().subscribe({ next: (value) => values.push(value), error: resolve });
    });
    const others = Array.from({ length: 100 }, () =>
      firstValueFrom(ask()).catch((error: unknown) => error),
    );
    await asked(peer, 101);
    peer.send({ id: 1, response: 'begun' });
    await expect(echo(peer, 500)).resolves.toBe('echo 500');
    peer.raw.reset();
    const lost = { name: 'PikeError', delivery: 'in-doubt' };
    await expect(stream).resolves.toMatchObject(lost);
    for (const error of await Promise.all(others)) expect(error).toMatchObject(lost);
    expect(values).toEqual(['begun']);
  });

  it('and is cut off for garbage fails what it was asked with that reason', async () => {
    const peer = await join();
    const failed = firstValueFrom(ask()).catch((error: unknown) => error);
    await asked(peer);
    peer.send({ id: [1], pattern: 'echo', data: 1 });
    await expect(failed).resolves.toMatchObject({
      code: 'PIKE_ERR_MALFORMED',
      delivery: 'in-doubt',
    });
  });

  it('joins no group, whatever it sends', async () => {
    const peer = await join();
    peer.send(
      { pattern: 'join', data: 'chess' },
      { pattern: 'group', data: { join: 'chess' } },
      { pattern: 'hello', data: {}, join: 'chess', group: 'chess', groups: ['chess'] },
      { join: 'chess' },
      { id: 5, pattern: 'join', data: 'chess' },
      { id: 6, pattern: { pike: 'finishConnect' }, data: { success: true } },
    );
    await peer.lastReply(6);
    expect(running.server.group('chess').connections).toEqual([]);
    expect((await lastValueFrom(running.server.group('chess').broadcast('said', 1))).sent).toBe(0);
  });

  it('that floods us with answers that nobody waits for costs neither memory nor log', async () => {
    const peer = await join();
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 100; i++) {
      const frames = Array.from({ length: 1000 }, (_, k) =>
        PacketPeer.frame({ id: 1000 * i + k, response: 'unasked', isDisposed: true }),
      );
      peer.raw.write(Buffer.concat(frames));
    }
    await expect(echo(peer, 1)).resolves.toBe('echo 1');
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(10_000_000);
    expect(logged).toEqual([]);
  }, 30_000);
});

describe('with replies in order', () => {
  const options: Partial<PikeServerOptions<string>> = {
    converter: new LineConverter(),
    ...rawMessages<string>('line', { reply: false }),
  };
  let running: Running<string>;
  afterEach(() => running.close());

  it('a server can push, and not ask: it is told so at once', async () => {
    notes.clear();
    running = await start<string>([AskingController], options);
    const peer = await RawPeer.connect({ host: '127.0.0.1', port: running.port });
    peer.write('who is there\n');
    await expect(peer.sees('\n')).resolves.toBe('who is there?\n');
    expect(notes.all).toEqual(['PIKE_ERR_NO_REQUESTS']);
    const [connection] = running.server.unwrap().connections;
    expect(() => running.server.sendTo(connection!, 'question', 'x')).toThrow(
      expect.objectContaining({ code: 'PIKE_ERR_NO_REQUESTS', delivery: 'unsent' }),
    );
    await expect(lastValueFrom(running.server.broadcast('any', 'news'))).resolves.toEqual({
      sent: 1,
      failed: [],
    });
    await peer.sees('news\n');
    await peer.destroy();
  });
});
