// Prevents: a connection whose other end has vanished is taken for alive for hours; one that is alive
// and quiet, or busy, is given up; a peer that asks and asks fills our memory.
import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Logger } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { OnFinishConnect, OnFinishDisconnect, PikeClient, PikeContext } from 'nestjs-pike';
import type { FinishConnectEvent, FinishDisconnectEvent, PikeServerOptions } from 'nestjs-pike';
import { JsonConverter, MessagePackConverter } from 'nestjs-pike/converters';
import { WAIT_FOR_CALLBACK } from 'nestjs-pike/core';
import type { Connection, Converter, Deserializer, Limits } from 'nestjs-pike/core';
import { firstValueFrom, lastValueFrom } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { collectGarbage } from '../support/garbage.js';
import { RawListener } from '../support/raw-peer.js';
import { Notes } from './notes.js';
import { PacketPeer } from './packet-peer.js';
import type { Launched, Running } from './support.js';
import { launch, start } from './support.js';

const notes = new Notes();
const ends: FinishDisconnectEvent[] = [];

@Controller()
class QuietController {
  @OnFinishConnect()
  connected(@Payload() event: FinishConnectEvent, @Ctx() context: PikeContext) {
    if (event.success) context.emit('iam', 'a device');
  }

  @OnFinishDisconnect()
  ended(event: FinishDisconnectEvent) {
    ends.push(event);
    notes.add(`ended: ${(event.error as { code?: string } | undefined)?.code}`);
  }

  @EventPattern<string>('iam')
  iam(@Ctx() context: PikeContext) {
    context.join('devices');
    notes.add('somebody is here');
  }

  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }
}

/** Passes bytes on both ways, until it is told to swallow them: what a vanished peer looks like. */
class Proxy {
  readonly #server: Server;
  readonly #sockets: Socket[] = [];
  swallowing = false;

  private constructor(target: number) {
    this.#server = createServer((inbound) => {
      const outbound = createConnection({ host: '127.0.0.1', port: target });
      this.#join(inbound, outbound);
      this.#join(outbound, inbound);
    });
  }

  static async start(target: number): Promise<Proxy> {
    const proxy = new Proxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(from: Socket, to: Socket): void {
    this.#sockets.push(from);
    from.on('error', () => undefined);
    from.on('data', (bytes) => {
      if (!this.swallowing) to.write(bytes);
    });
    from.on('close', () => {
      if (!this.swallowing) to.destroy();
    });
  }
}

/** The default converter, whose deserializers can be made to wait: then the socket is not read. */
class HaltingConverter implements Converter<unknown> {
  readonly #converter = new MessagePackConverter();
  #halted = false;
  #waiting: (() => void)[] = [];

  halt(): void {
    this.#halted = true;
  }

  goOn(): void {
    this.#halted = false;
    for (const callback of this.#waiting.splice(0)) callback();
  }

  createSerializer(message: unknown, connection: Connection) {
    return this.#converter.createSerializer(message, connection);
  }

  createDeserializer(connection: Connection, limits: Limits): Deserializer<unknown> {
    const deserializer = this.#converter.createDeserializer(connection, limits);
    return {
      putBytes: (data, callback) => {
        if (!this.#halted) return deserializer.putBytes(data, callback);
        this.#waiting.push(callback);
        return [data, WAIT_FOR_CALLBACK];
      },
      get message() {
        return deserializer.message;
      },
    };
  }
}

/** Resolves when bytes have arrived so often. */
async function hearsMore(connection: Connection, times: number): Promise<void> {
  for (let heard = 0; heard < times; heard++) {
    const before = connection.bytesRead;
    await eventually(() => connection.bytesRead > before);
  }
}

/** Short, where a peer is to be given up. */
const SHORT = { heartbeatInterval: 60 };
/** Longer than this process, which plays both sides, may stand still: where nobody is to be given up. */
const CALM = { heartbeatInterval: 250 };

describe('heartbeats', () => {
  const launched: Launched[] = [];
  const closers: (() => Promise<unknown>)[] = [];
  const logged: unknown[] = [];
  beforeEach(() => {
    notes.clear();
    ends.length = 0;
    logged.length = 0;
    const record = (message: unknown): void => void logged.push(message);
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(record);
    jest.spyOn(Logger.prototype, 'error').mockImplementation(record);
  });
  afterEach(async () => {
    for (const close of closers.splice(0)) await close();
    for (const { app } of launched.splice(0).reverse()) await app.close();
    jest.restoreAllMocks();
  });
  const begin = async (options: Partial<PikeServerOptions> = {}): Promise<Running> => {
    const running = await start([QuietController], { shutdown: { deadline: 300 }, ...options });
    launched.push(running);
    return running;
  };
  const through = async (running: Running): Promise<Proxy> => {
    const proxy = await Proxy.start(running.port);
    closers.push(() => proxy.close());
    return proxy;
  };
  const peerOf = async (running: Running, options?: { reading?: boolean }) => {
    const peer = await PacketPeer.connect(running.port, options);
    closers.push(() => peer.raw.destroy());
    return peer;
  };
  const isPing = (packet: object): boolean => 'ping' in packet;

  it('let the server find the client whose end has vanished, and fail what waited for it', async () => {
    const running = await begin(SHORT);
    const proxy = await through(running);
    launched.push(
      await launch([QuietController], { connect: [{ host: '127.0.0.1', port: proxy.port }] }),
    );
    await notes.seen('somebody is here');
    const [connection] = running.server.group('devices').connections;
    proxy.swallowing = true;
    const waiting = firstValueFrom(running.server.sendTo(connection!, 'echo', 1));
    await expect(waiting).rejects.toMatchObject({
      code: 'PIKE_ERR_HEARTBEAT_TIMEOUT',
      delivery: 'in-doubt',
    });
    await notes.seen('ended: PIKE_ERR_HEARTBEAT_TIMEOUT');
    expect(running.server.group('devices').connections).toEqual([]);
    expect(ends[0]?.connection).toBe(connection);
  });

  it('let the client find that its server has vanished', async () => {
    const running = await begin();
    const proxy = await through(running);
    const client = new PikeClient({ port: proxy.port, ...SHORT });
    closers.push(() => client.close());
    await expect(firstValueFrom(client.send('echo', 'there'))).resolves.toBe('there');
    proxy.swallowing = true;
    await expect(firstValueFrom(client.send('echo', 'gone'))).rejects.toMatchObject({
      code: 'PIKE_ERR_HEARTBEAT_TIMEOUT',
      delivery: 'in-doubt',
    });
  });

  it('let the device find that its gateway has vanished, and connect again', async () => {
    const running = await begin();
    const proxy = await through(running);
    launched.push(
      await launch([QuietController], {
        connect: [{ host: '127.0.0.1', port: proxy.port }],
        reconnect: { minDelay: 5, maxDelay: 10 },
        ...SHORT,
      }),
    );
    await notes.seen('somebody is here');
    proxy.swallowing = true;
    await notes.seen('ended: PIKE_ERR_HEARTBEAT_TIMEOUT');
    proxy.swallowing = false;
    await notes.seen('somebody is here', 2);
    expect(ends[0]).toMatchObject({ connection: { inbound: false }, queued: [] });
  });

  it('keep a connection on which nothing is said, for as many intervals as there are', async () => {
    const running = await begin(CALM);
    const client = new PikeClient({ port: running.port });
    closers.push(() => client.close());
    await client.connect();
    const [connection] = running.server.unwrap().connections;
    // Pongs are all that comes.
    await hearsMore(connection!, 4);
    await expect(firstValueFrom(client.send('echo', 'still'))).resolves.toBe('still');
    expect([...running.server.unwrap().connections]).toEqual([connection]);
    expect(logged).toEqual([]);
  });

  it('ask nobody who says something anyhow, in whole messages or in parts of one', async () => {
    const running = await begin(CALM);
    const peer = await peerOf(running);
    const frame = PacketPeer.frame({ id: 1, pattern: 'echo', data: 'x'.repeat(40) });
    // In four intervals' time, a byte at a time.
    for (const byte of frame) {
      peer.raw.write(Buffer.from([byte]));
      await new Promise((resolve) => {
        setTimeout(resolve, (4 * CALM.heartbeatInterval) / frame.length);
      });
    }
    await peer.lastReply(1);
    expect(peer.replies).toHaveLength(1);
  });

  it('ask the silent peer with numbers that count, and take any byte for an answer', async () => {
    const running = await begin(CALM);
    const peer = await peerOf(running);
    for (let ping = 1; ping <= 3; ping++) {
      await peer.reply((packet) => (packet as { ping?: number }).ping === ping);
      peer.send({ pong: ping });
    }
    await peer.reply((packet) => (packet as { ping?: number }).ping === 4);
    peer.send({ id: 1, pattern: 'echo', data: 'no pong, and yet' });
    await peer.lastReply(1);
    await peer.raw.ended;
    await notes.seen('ended: PIKE_ERR_HEARTBEAT_TIMEOUT');
    expect(peer.replies.filter(isPing)).toHaveLength(5);
  });

  it('are answered by a server and by a client that send none themselves', async () => {
    const running = await begin();
    const peer = await peerOf(running);
    for (const ping of [0, -1, 7, 7, 2 ** 40, 1.5]) {
      peer.send({ ping });
      await peer.reply((packet) => (packet as { pong?: number }).pong === ping);
    }
    peer.send({ ping: NaN });
    await peer.reply((packet) => Number.isNaN((packet as { pong?: number }).pong));
    expect(peer.replies).toHaveLength(7);
    peer.send({ pong: 1 }, { pong: 'unasked' }, { id: 1, pattern: 'echo', data: 1 });
    await peer.lastReply(1);

    const listener = await RawListener.listen();
    closers.push(() => listener.close());
    const { port } = listener.address as { port: number };
    const client = new PikeClient({ port });
    closers.push(() => client.close());
    const [raw] = await Promise.all([listener.accept(), client.connect()]);
    raw.write(PacketPeer.frame({ ping: 9 }));
    const pong = PacketPeer.frame({ pong: 9 });
    await expect(raw.bytes(pong.length)).resolves.toEqual(pong);
    expect(logged).toEqual([]);
  });

  it.each([['text'], [{ a: 1 }], [[1]], [true], [2n ** 63n], [null]])(
    'that are no number, but %p, end the connection',
    async (ping) => {
      const running = await begin();
      const peer = await peerOf(running);
      peer.send({ ping });
      await peer.raw.ended;
      expect(peer.replies).toEqual([]);
      await notes.seen('ended: PIKE_ERR_MALFORMED');
    },
  );

  it('a request or event may hold a key ping: it is what its pattern says', async () => {
    const running = await begin();
    const peer = await peerOf(running);
    peer.send({ id: 1, pattern: 'echo', data: 'asked', ping: 3 });
    await expect(peer.lastReply(1)).resolves.toMatchObject({ response: 'asked' });
    expect(peer.replies).toHaveLength(1);
  });

  it('sent without end by a peer that does not read cost no memory, and the last is answered', async () => {
    const running = await begin({ highWaterMark: 100 });
    const peer = await peerOf(running, { reading: false });
    let bytes = 0;
    const write = async (packets: object[]): Promise<void> => {
      const frames = Buffer.concat(packets.map((packet) => PacketPeer.frame(packet)));
      bytes += frames.length;
      await new Promise<void>((resolve) => peer.raw.socket.write(frames, () => resolve()));
    };
    // So that answers wait: far more than the system takes.
    const data = 'z'.repeat(1_000_000);
    await write(Array.from({ length: 11 }, (_, id) => ({ id, pattern: 'echo', data })));
    const [connection] = running.server.unwrap().connections;
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    const sent = 200_000;
    for (let first = 1; first <= sent; first += 2000) {
      await write(Array.from({ length: 2000 }, (_, i) => ({ ping: first + i })));
    }
    await eventually(() => connection!.bytesRead === bytes);
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
    peer.raw.resume();
    await peer.reply((packet) => (packet as { pong?: number }).pong === sent);
    const pongs = peer.replies.filter((packet) => 'pong' in packet);
    expect(pongs.length).toBeLessThan(2000);
  }, 60_000);

  it('do not give up a peer that we have ceased to read, and keep us from being given up', async () => {
    const running = await begin(CALM);
    const converter = new HaltingConverter();
    const machine = await launch([QuietController], {
      connect: [{ host: '127.0.0.1', port: running.port }],
      converter,
      ...CALM,
    });
    launched.push(machine);
    await notes.seen('somebody is here');
    const [ours] = machine.server.unwrap().connections;
    const [theirs] = running.server.group('devices').connections;
    converter.halt();
    await lastValueFrom(running.server.emitTo(theirs!, 'something', 'that is not read'));
    await eventually(() => ours!.paused);
    // The device cannot answer, and hears nothing; it says that it lives all the same.
    await hearsMore(theirs!, 4);
    expect(ends).toEqual([]);
    converter.goOn();
    await expect(firstValueFrom(running.server.sendTo(theirs!, 'echo', 'on'))).resolves.toBe('on');
    expect(ends).toEqual([]);
  });

  it('work with any converter, and with replies in order, as long as the packets are the usual ones', async () => {
    const running = await begin({
      ...CALM,
      converter: new JsonConverter(),
      correlation: 'order',
    });
    const client = new PikeClient({
      port: running.port,
      converter: new JsonConverter(),
      correlation: 'order',
      ...CALM,
    });
    closers.push(() => client.close());
    await client.connect();
    const [connection] = running.server.unwrap().connections;
    for (let beats = 0; beats < 3; beats++) {
      await expect(firstValueFrom(client.send('echo', beats))).resolves.toBe(beats);
      await hearsMore(connection!, 2);
      await lastValueFrom(client.emit('noted', beats));
    }
    expect(ends).toEqual([]);
  });
});
