// Prevents: a server that drains loses track of a message, waits for peers that do not stop sending, or is
// deaf to those that give up.
import { EventEmitter, once } from 'node:events';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Logger } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { OnFinishDisconnect, PikeServer } from 'nestjs-pike';
import type { FinishDisconnectEvent, PikeServerOptions } from 'nestjs-pike';
import { firstValueFrom, Observable } from 'rxjs';
import { eventually, settled } from '../support/eventually.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const happened = new EventEmitter();
let produced = 0;
let noted: unknown[] = [];
let kept: unknown[] = [];
let ended: FinishDisconnectEvent[] = [];
let keep: () => Promise<void>;

const heard = (what: string) => once(happened, what);

@Controller()
class DrainedController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern('work')
  async work() {
    const released = heard('release');
    happened.emit('working');
    await released;
    return 'done';
  }

  @MessagePattern('stream')
  stream() {
    happened.emit('streaming');
    return new Observable(() => () => happened.emit('torn down'));
  }

  @MessagePattern('large')
  large() {
    produced++;
    return 'x'.repeat(500_000);
  }

  @EventPattern('note')
  async note(data: unknown) {
    await new Promise((resolve) => setImmediate(resolve));
    noted.push(data);
  }

  @OnFinishDisconnect()
  async finished(event: FinishDisconnectEvent) {
    await keep();
    ended.push(event);
    kept.push(...(event.incomplete === undefined ? [] : [event.incomplete]), ...event.queued);
  }
}

let running: Running;
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

async function begin(options: Partial<PikeServerOptions> = {}): Promise<PikeServer> {
  noted = [];
  kept = [];
  ended = [];
  keep = () => Promise.resolve();
  running = await start([DrainedController], { lingerTimeout: 100, ...options });
  closers.push(() => running.close());
  return running.server;
}

/** A peer whose request is being handled, so that draining waits. */
async function peerAtWork(): Promise<PacketPeer> {
  const peer = await PacketPeer.connect(running.port);
  closers.push(() => peer.raw.destroy());
  const working = heard('working');
  peer.send({ id: 1, pattern: 'work' });
  await working;
  return peer;
}

const released = () => happened.emit('release');

describe('what comes while a server drains', () => {
  it('is refused if it is a request, and not handled if it is an event; those before are', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    closers.push(() => warnings.mockRestore());
    const server = await begin();
    const peer = await peerAtWork();
    peer.send({ pattern: 'note', data: 'before' }, { id: 2, pattern: 'echo' });
    await peer.lastReply(2);
    const drained = server.drain();
    peer.send({ pattern: 'note', data: 'late' }, { pattern: 'note', data: 'later' });
    peer.send({ id: 3, pattern: 'echo' });
    expect(await peer.lastReply(3)).toMatchObject({ err: { code: 'PIKE_ERR_SHUTTING_DOWN' } });
    released();
    expect(await peer.lastReply(1)).toMatchObject({ response: 'done' });
    await drained;
    expect(noted).toEqual(['before']);
    expect(warnings.mock.calls).toEqual([[expect.stringMatching(/^2 events .*not handled/)]]);
  });

  it('does not keep it from ending, however many events there are', async () => {
    jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    closers.push(() => jest.restoreAllMocks());
    const server = await begin({ shutdown: { deadline: 600_000 } });
    const peer = await peerAtWork();
    let received = 0;
    server.on('messageReceived', () => received++);
    const drained = server.drain();
    let ending = false;
    peer.raw.socket.on('close', () => (ending = true)).on('end', () => (ending = true));
    const flood = (): void => {
      if (ending) return;
      peer.send({ pattern: 'note', data: 'more' });
      setImmediate(flood);
    };
    flood();
    await eventually(() => received > 100);
    released();
    await drained;
    expect(noted).toEqual([]);
  });

  it('is heard if a client gives up', async () => {
    const server = await begin();
    const peer = await peerAtWork();
    const streaming = heard('streaming');
    peer.send({ id: 2, pattern: 'stream' });
    await streaming;
    const drained = server.drain();
    const tornDown = heard('torn down');
    peer.send({ id: 2, cancel: true });
    await tornDown;
    released();
    expect(await peer.lastReply(1)).toMatchObject({ response: 'done' });
    await drained;
    expect(peer.replies.filter(({ id }) => id === 2)).toEqual([]);
  });
});

describe('what takes its time while a server drains', () => {
  /** Promises that resolve when they are told to, in the order in which they were asked for. */
  const slowly = () => {
    const begun: (() => void)[] = [];
    const later = async <V>(value: V): Promise<V> => {
      await new Promise<void>((resolve) => begun.push(resolve));
      return value;
    };
    return { begun, later };
  };
  const ask = async (): Promise<PacketPeer> => {
    const peer = await PacketPeer.connect(running.port);
    closers.push(() => peer.raw.destroy());
    peer.send({ id: 1, pattern: 'echo', data: 'asked' }, { pattern: 'note', data: 'noted' });
    return peer;
  };

  it('before a handler, a processing hook, is waited for: the request is answered, the event handled', async () => {
    const server = await begin();
    const { begun, later } = slowly();
    server.setOnProcessingStartHook(async (_, __, done) => {
      await later(undefined);
      await done();
    });
    const peer = await ask();
    await eventually(() => begun.length === 2);
    const drained = server.drain();
    for (const go of begun) go();
    await drained;
    expect(noted).toEqual(['noted']);
    expect(await peer.lastReply(1)).toMatchObject({ response: 'asked' });
  });

  it('before a handler, and longer than there is time for, is told: the handler does not run afterwards', async () => {
    const errors = jest.spyOn(Logger.prototype, 'error').mockReturnValue(undefined);
    closers.push(() => errors.mockRestore());
    const server = await begin({ shutdown: { deadline: 20 } });
    const { begun, later } = slowly();
    let ends = 0;
    server.setOnProcessingStartHook(async (_, __, done) => {
      await later(undefined);
      await done();
    });
    server.setOnProcessingEndHook(() => ends++);
    const peer = await ask();
    await eventually(() => begun.length === 2);
    await server.drain();
    expect(await peer.lastReply(1)).toMatchObject({ err: { code: 'PIKE_ERR_INTERRUPTED' } });
    for (const go of begun) go();
    await eventually(() => ends === 2);
    expect(noted).toEqual([]);
    expect(errors.mock.calls).toEqual([[expect.objectContaining({ code: 'PIKE_ERR_SHUT_DOWN' })]]);
  });

  it('in the serializer is sent all the same', async () => {
    const { begun, later } = slowly();
    const server = await begin({ serializer: { serialize: later } });
    const peer = await ask();
    await eventually(() => begun.length === 1 && noted.length === 1);
    const drained = server.drain();
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const go of begun) go();
    await drained;
    expect(await peer.lastReply(1)).toMatchObject({ response: 'asked' });
  });

  it('in the deserializer has come too late, and is told so', async () => {
    const warnings = jest.spyOn(Logger.prototype, 'warn').mockReturnValue(undefined);
    closers.push(() => warnings.mockRestore());
    const { begun, later } = slowly();
    const server = await begin({
      deserializer: { deserialize: (message) => later(message as object) },
    });
    const peer = await ask();
    await eventually(() => begun.length === 2);
    const drained = server.drain();
    await new Promise((resolve) => setTimeout(resolve, 20));
    for (const go of begun) go();
    await drained;
    expect(await peer.lastReply(1)).toMatchObject({ err: { code: 'PIKE_ERR_SHUTTING_DOWN' } });
    expect(noted).toEqual([]);
    expect(warnings.mock.calls).toEqual([[expect.stringMatching(/^1 events .*not handled/)]]);
  });

  it('because its peer does not read, holds up no event behind it', async () => {
    const server = await begin({ shutdown: { deadline: 300 } });
    const peer = await PacketPeer.connect(running.port, { reading: false });
    closers.push(() => peer.raw.destroy());
    produced = 0;
    peer.send(...Array.from({ length: 200 }, (_, id) => ({ id, pattern: 'large' })));
    peer.send({ pattern: 'note', data: 'behind' });
    expect(await settled(() => produced)).toBeLessThan(200);
    expect(noted).toEqual([]);
    const drained = server.drain();
    await drained;
    expect(noted).toEqual(['behind']);
  });
});

describe('what was not sent', () => {
  const REPLIES = 60;

  it.each([
    ['now', {}],
    ['finishMessages', {}],
    ['finishQueues', { deadline: 50 }],
  ] as const)(
    'by %s, with %j, is handed over: nothing is lost, nothing twice',
    async (mode, more) => {
      const server = await begin();
      let received = 0;
      server.on('messageReceived', () => received++);
      const peer = await PacketPeer.connect(running.port, { reading: false });
      closers.push(() => peer.raw.destroy());
      for (let id = 0; id < REPLIES; id++) peer.send({ id, pattern: 'large' });
      await firstValueFrom(running.client().send('echo', 1));
      await eventually(() => received === REPLIES + 1);
      keep = () => new Promise((resolve) => setTimeout(resolve, 50));
      const drained = server.drain({ mode, ...more });
      if (mode === 'finishMessages') peer.raw.resume();
      await drained;
      expect(ended).toHaveLength(2);
      peer.raw.resume();
      await peer.raw.ended;
      const arrived = peer.replies.map(({ id }) => id);
      const back = kept.map((reply) => (reply as { id: number }).id);
      expect(back.length).toBeGreaterThan(0);
      expect([...arrived, ...back]).toEqual(Array.from({ length: REPLIES }, (_, id) => id));
    },
  );

  it('does not hold everything up if its handler never ends', async () => {
    const server = await begin({ shutdown: { mode: 'now' } });
    await firstValueFrom(running.client().send('echo', 1));
    keep = () => new Promise(() => undefined);
    await expect(server.drain()).resolves.toBeUndefined();
    expect(ended).toEqual([]);
  });
});

describe('drain()', () => {
  it('joins close(), and is joined by it; afterwards the server may listen again', async () => {
    const server = await begin();
    const statuses: unknown[] = [];
    server.status.subscribe((status) => statuses.push(status));
    await peerAtWork();
    const finished: string[] = [];
    const note = (what: string) => () => void finished.push(what);
    const all = Promise.all([
      server.drain().then(note('first')),
      server.close().then(note('second')),
      server.drain({ mode: 'now' }).then(note('third')),
    ]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(finished).toEqual([]);
    released();
    await all;
    expect(finished).toHaveLength(3);
    expect(statuses).toEqual(['connected', 'disconnected']);
    await new Promise<void>((resolve, reject) => {
      server.listen((error) => (error instanceof Error ? reject(error) : resolve()));
    });
    expect(server.address).toBeDefined();
  });

  it('is nothing to a server that does not listen, but a wrong option is one all the same', async () => {
    const server = new PikeServer({ port: 0 });
    await expect(server.drain()).resolves.toBeUndefined();
    await expect(server.drain({ now: true } as never)).rejects.toMatchObject({
      code: 'PIKE_ERR_INVALID_OPTION',
      message: expect.stringContaining('"now"'),
    });
  });

  it('without PikeModule no signal is known: a server that waits for one does not listen', async () => {
    await expect(begin({ shutdown: { signals: { SIGINT: 'now' } } })).rejects.toMatchObject({
      code: 'PIKE_ERR_INVALID_OPTION',
      message: expect.stringMatching(/"shutdown.signals".*Import PikeModule/),
    });
  });
});
