// Prevents: a peer that asks for more than it takes, or more than may run at a time, makes the server
// produce, run or keep without bound; or it is stopped in a way that loses what it sent, or that keeps
// its cancels from being heard.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { PikeServer, rawMessages } from 'nestjs-pike';
import type { IncomingPacket, PikeServerOptions } from 'nestjs-pike';
import { LengthPrefixedConverter, textPayload } from 'nestjs-pike/converters';
import { firstValueFrom, NEVER } from 'rxjs';
import { eventually, settled } from '../support/eventually.js';
import { muteLogger } from '../support/mute-logger.js';
import { RawPeer } from '../support/raw-peer.js';
import { inputHandled, nextTurn } from '../support/turns.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const MILLION = 1_000_000;
let produced = 0;
let ended = 0;
let running = 0;
let mostRunning = 0;
const handled: unknown[] = [];
let release: () => void = () => undefined;
let released: Promise<void>;

async function* values(count: number, size: number) {
  try {
    for (; produced < count;) {
      produced++;
      yield 'x'.repeat(size);
    }
  } finally {
    ended++;
  }
}

/** Runs until the test lets it go on. */
async function work(data: unknown) {
  mostRunning = Math.max(mostRunning, ++running);
  handled.push(data);
  await released;
  running--;
  return data;
}

@Controller()
class BusyController {
  @MessagePattern('values')
  values({ count, size }: { count: number; size: number }) {
    return values(count, size);
  }

  @MessagePattern('work')
  work(data: unknown) {
    return work(data);
  }

  @EventPattern('worked')
  async worked(data: unknown) {
    await work(data);
  }

  @MessagePattern('never')
  never() {
    handled.push('never');
    return NEVER;
  }

  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern('lines')
  lines(size: string) {
    return values(MILLION, Number(size));
  }
}

const OVERLOADED = { status: 'error', code: 'PIKE_ERR_OVERLOADED' };

let app: Running;
const begin = async (options: Partial<PikeServerOptions> = {}): Promise<void> => {
  app = await start([BusyController], { shutdown: { deadline: 200 }, ...options });
};
beforeEach(() => {
  produced = ended = running = mostRunning = handled.length = 0;
  released = new Promise((resolve) => (release = resolve));
  muteLogger();
});
afterEach(async () => {
  release();
  // Nobody else has noticed.
  await expect(firstValueFrom(app.client().send('echo', 'still'))).resolves.toBe('still');
  await app.close();
  jest.restoreAllMocks();
});

/** Lets whatever would still happen do so. */
const quiet = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await inputHandled();
};

describe('an AsyncIterable of a million values', () => {
  it.each([
    [10, 600_000],
    [1_000, 20_000],
    [100_000, 200],
  ])(
    'of %i characters each, to a peer that does not read: fewer than %i are produced',
    async (size, most) => {
      await begin();
      const peer = await PacketPeer.connect(app.port, { reading: false });
      peer.send({ id: 1, pattern: 'values', data: { count: MILLION, size } });

      expect(await settled(() => produced)).toBeLessThan(most);

      await peer.raw.destroy();
      await eventually(() => ended === 1);
    },
  );

  it('comes whole to a peer that reads late', async () => {
    await begin();
    const peer = await RawPeer.connect({ host: '127.0.0.1', port: app.port }, { reading: false });
    peer.write(
      PacketPeer.frame({ id: 1, pattern: 'values', data: { count: 100_000, size: 1_000 } }),
    );
    const before = await settled(() => produced);
    expect(before).toBeLessThan(20_000);
    const frame = PacketPeer.frame({ response: 'x'.repeat(1_000), id: 1 }).length;
    const last = PacketPeer.frame({ isDisposed: true, id: 1 }).length;

    peer.resume();

    await peer.bytes(100_000 * frame + last);
    expect({ produced, ended, received: peer.bytesReceived }).toEqual({
      produced: 100_000,
      ended: 1,
      received: 100_000 * frame + last,
    });
    await peer.destroy();
  }, 20_000);

  it('leaves others their turn, though its peer reads as fast as it can', async () => {
    await begin();
    const peer = await RawPeer.connect({ host: '127.0.0.1', port: app.port });
    peer.socket.removeAllListeners('data').resume();
    peer.write(PacketPeer.frame({ id: 1, pattern: 'values', data: { count: MILLION, size: 10 } }));
    await eventually(() => produced > 0);
    const client = app.client();
    for (let i = 0; i < 3; i++) await firstValueFrom(client.send('echo', i));
    expect(produced).toBeLessThan(MILLION);
    await peer.destroy();
    await eventually(() => ended === 1);
  });
});

describe('requests that are answered in order', () => {
  const SIZE = 10_000;
  const COUNT = 5_000;
  const frame = (text: string): Buffer => {
    const bytes = Buffer.alloc(2 + text.length);
    bytes.writeUInt16BE(text.length);
    bytes.write(text, 2);
    return bytes;
  };
  const ask = async (): Promise<RawPeer> => {
    await begin({
      converter: new LengthPrefixedConverter<string>({ bytes: 2, payload: textPayload }),
      ...rawMessages<string>('lines', { reply: true, error: () => 'error' }),
    });
    const peer = await RawPeer.connect({ host: '127.0.0.1', port: app.port }, { reading: false });
    peer.write(Buffer.concat(Array.from({ length: COUNT }, () => frame(`${SIZE}`))));
    return peer;
  };
  afterEach(async () => {
    // It speaks another protocol than the client of the others.
    await app.close();
    await begin();
  });

  it('produce no more values than a peer takes, each the first of its million', async () => {
    const peer = await ask();

    expect(await settled(() => produced)).toBeLessThan(2_000);

    expect(produced - ended).toBeLessThan(200);
    await peer.destroy();
    await eventually(() => ended === produced);
  });

  it('are all answered when the peer reads at last, none refused, in order', async () => {
    const peer = await ask();
    await settled(() => produced);
    peer.resume();

    const bytes = await peer.bytes(COUNT * (2 + SIZE));

    expect(bytes.equals(Buffer.concat(Array(COUNT).fill(frame('x'.repeat(SIZE)))))).toBe(true);
    await peer.destroy();
  }, 20_000);
});

describe('maxInFlight', () => {
  let peer: PacketPeer;
  const connect = async (options: Partial<PikeServerOptions> = {}): Promise<void> => {
    await begin({ maxInFlight: 10, ...options });
    peer = await PacketPeer.connect(app.port);
  };
  afterEach(() => peer.raw.destroy());
  const requests = (pattern: string, from: number, to: number): IncomingPacket[] =>
    Array.from({ length: to - from }, (_, i) => ({ id: from + i, pattern, data: from + i }));
  const events = (from: number, to: number): IncomingPacket[] =>
    Array.from({ length: to - from }, (_, i) => ({ pattern: 'worked', data: from + i }));
  const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

  it('lets so many run, as many wait, and refuses what comes beyond: all are answered', async () => {
    await connect();
    peer.send(...requests('work', 0, 50));
    await eventually(() => peer.replies.length === 30);
    expect(peer.replies.map(({ id }) => id)).toEqual(upTo(50).slice(20));
    expect(new Set(peer.replies.map(({ err }) => (err as typeof OVERLOADED).code))).toEqual(
      new Set([OVERLOADED.code]),
    );
    expect({ running, handled }).toEqual({ running: 10, handled: upTo(10) });

    release();
    await eventually(() => peer.replies.length === 50);

    expect(mostRunning).toBe(10);
    expect(handled).toEqual(upTo(20));
    expect(peer.replies.slice(30).map(({ response }) => response)).toEqual(upTo(20));
  });

  it('says in the reply that the request was not begun, and may be sent again', async () => {
    await connect();
    peer.send(...requests('work', 0, 21));
    await expect(peer.lastReply(20)).resolves.toEqual({
      id: 20,
      status: 'refused',
      err: { ...OVERLOADED, message: expect.stringContaining('not begun') },
      isDisposed: true,
    });
    release();
    await peer.lastReply(19);
    peer.send({ id: 20, pattern: 'work', data: 'again' });
    await expect(peer.reply(({ response }) => response === 'again')).resolves.toMatchObject({
      id: 20,
    });
  });

  it('holds a peer back that sends more events, and loses none', async () => {
    await connect();
    const COUNT = 200_000;
    let accepted = false;
    const frames = Buffer.concat(events(0, COUNT).map((event) => PacketPeer.frame(event)));
    peer.raw.socket.write(frames, () => (accepted = true));
    await quiet();
    expect({ running, handled: handled.length, accepted }).toEqual({
      running: 10,
      handled: 10,
      accepted: false,
    });

    release();
    await eventually(() => handled.length === COUNT);

    expect(handled).toEqual(upTo(COUNT));
    expect(mostRunning).toBe(10);
  }, 30_000);

  it('is of each connection: others are served meanwhile', async () => {
    await connect();
    peer.send(...requests('work', 0, 50), ...events(0, 50));
    await eventually(() => running === 10);
    const client = app.client();
    await expect(firstValueFrom(client.send('echo', 1))).resolves.toBe(1);
  });

  it('lets cancels pass: they make room, whether what they cancel runs or waits', async () => {
    await connect();
    peer.send(...requests('never', 0, 10), ...requests('work', 10, 20));
    peer.send({ id: 99, pattern: 'echo', data: 'refused' });
    await expect(peer.lastReply(99)).resolves.toMatchObject({ err: OVERLOADED });

    // Two that wait, and two that run.
    peer.send(...[15, 10, 5, 0].map((id) => ({ id, cancel: true })));
    await eventually(() => running === 2);
    expect(handled.slice(10)).toEqual([11, 12]);

    peer.send({ id: 100, pattern: 'echo', data: 'waits' });
    peer.send(...upTo(10).map((id) => ({ id, cancel: true })));
    release();
    await expect(peer.lastReply(100)).resolves.toMatchObject({ response: 'waits' });
    expect(handled.slice(10)).toEqual([11, 12, 13, 14, 16, 17, 18, 19]);
    expect(peer.replies.filter(({ id }) => [10, 15].includes(id as number))).toEqual([]);
  });

  it('keeps the order of requests and events', async () => {
    await connect({ maxInFlight: 1 });
    released = Promise.resolve();
    peer.send({ id: 1, pattern: 'work', data: 0 }, { pattern: 'worked', data: 1 });
    await eventually(() => handled.length === 2);
    expect({ handled, mostRunning }).toEqual({ handled: [0, 1], mostRunning: 1 });
  });

  it('counts a stream until it ends', async () => {
    await connect({ maxInFlight: 1 });
    peer.send({ id: 1, pattern: 'never', data: 0 }, { id: 2, pattern: 'work', data: 'behind' });
    await quiet();
    expect(handled).toEqual(['never']);
    peer.send({ id: 1, cancel: true });
    await eventually(() => running === 1);
  });

  it('of a peer that leaves: its events are handled, what waits of its requests is not', async () => {
    await connect();
    const gone = new Promise((resolve) => app.server.on('remoteDisconnect', resolve));
    peer.send(...events(0, 10), ...requests('work', 10, 15), ...events(15, 20));
    peer.raw.end();
    await gone;
    expect(handled).toEqual(upTo(10));

    release();
    await eventually(() => handled.length === 15);

    await quiet();
    expect(handled).toEqual([...upTo(10), 15, 16, 17, 18, 19]);
  });

  it('when the server closes: events that wait are handled, requests refused at once', async () => {
    await connect({ shutdown: { deadline: 5_000 } });
    peer.send(...events(0, 10), ...requests('work', 10, 15), ...events(15, 20));
    await eventually(() => running === 10);

    const closed = app.app.close();
    peer.send(...requests('work', 20, 25));

    const refused = [10, 11, 12, 13, 14, 20, 21, 22, 23, 24];
    const replies = await Promise.all(refused.map((id) => peer.lastReply(id)));
    expect(replies.map(({ err }) => (err as typeof OVERLOADED).code)).toEqual(
      Array(10).fill('PIKE_ERR_SHUTTING_DOWN'),
    );
    release();
    await closed;
    expect(handled).toEqual([...upTo(10), 15, 16, 17, 18, 19]);
    await begin();
  });

  it.each([0, -1, 1.5, Number.NaN, '10'])('cannot be %p', async (maxInFlight) => {
    await connect();
    const options = { port: 0, maxInFlight: maxInFlight as number };
    expect(() => new PikeServer(options)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining('maxInFlight'),
      }),
    );
  });
});

describe('a deserializer that takes its time', () => {
  it('is given no more messages at a time than may be in flight, and one read', async () => {
    let deserializing = 0;
    let most = 0;
    const go: (() => void)[] = [];
    await begin({
      maxInFlight: 10,
      deserializer: {
        deserialize: async (message) => {
          most = Math.max(most, ++deserializing);
          await new Promise<void>((resolve) => go.push(resolve));
          deserializing--;
          return message as IncomingPacket;
        },
      },
    });
    released = Promise.resolve();
    const peer = await PacketPeer.connect(app.port);
    // A thousand characters each, so that one read holds few.
    const event = (data: number) => ({ pattern: 'worked', data, padding: 'x'.repeat(1000) });
    const COUNT = 20_000;
    const frames = Array.from({ length: COUNT }, (_, i) => PacketPeer.frame(event(i)));
    peer.raw.write(Buffer.concat(frames));
    await quiet();
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThan(300);

    while (handled.length < COUNT) {
      for (const resolve of go.splice(0)) resolve();
      await nextTurn();
    }

    expect(handled).toEqual(Array.from({ length: COUNT }, (_, i) => i));
    expect(most).toBeLessThan(300);
    await peer.raw.destroy();
    await app.close();
    await begin();
  }, 30_000);
});
