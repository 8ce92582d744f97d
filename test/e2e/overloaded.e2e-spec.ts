// Prevents: a peer that has sent more than may run at a time is not heard when it answers what we have
// asked of it, so that both wait for each other; it is given up as dead because we do not read what it
// sends; a connection that the server has made itself is bounded by nothing.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { PikeClient, PikeContext } from 'nestjs-pike';
import type { PikeServerOptions } from 'nestjs-pike';
import type { NetConnector } from 'nestjs-pike/core';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { muteLogger } from '../support/mute-logger.js';
import { RawListener } from '../support/raw-peer.js';
import { PacketPeer } from './packet-peer.js';
import type { Launched, Running } from './support.js';
import { launch, start } from './support.js';

let context: PikeContext | undefined;
let handled: unknown[] = [];
let disconnected = 0;
let release: () => void = () => undefined;
let released: Promise<void>;

@Controller()
class BusyController {
  @MessagePattern('work')
  async work(data: unknown) {
    handled.push(data);
    await released;
    return data;
  }

  @EventPattern<string>('worked')
  async worked(@Payload() data: unknown, @Ctx() eventContext: PikeContext) {
    context = eventContext;
    handled.push(data);
    await released;
  }
}

const events = (count: number) =>
  Array.from({ length: count }, (_, data) => ({ pattern: 'worked', data }));
const upTo = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
const isPing = (packet: object): boolean => 'ping' in packet;

describe('a connection whose peer has asked for too much', () => {
  const launched: Launched[] = [];
  const closers: (() => unknown)[] = [];
  beforeEach(() => {
    context = undefined;
    handled = [];
    disconnected = 0;
    released = new Promise((resolve) => (release = resolve));
    muteLogger();
  });
  afterEach(async () => {
    release();
    for (const close of closers.splice(0)) await close();
    for (const { app } of launched.splice(0)) await app.close();
    jest.restoreAllMocks();
  });
  const begin = async (options: Partial<PikeServerOptions>): Promise<Running> => {
    const running = await start([BusyController], { shutdown: { deadline: 300 }, ...options });
    launched.push(running);
    running.server.on('remoteDisconnect', () => disconnected++);
    running.server.on('finishDisconnect', () => disconnected++);
    return running;
  };
  const peerOf = async ({ port }: Running): Promise<PacketPeer> => {
    const peer = await PacketPeer.connect(port);
    closers.push(() => peer.raw.destroy());
    return peer;
  };

  it('hears the replies to what we ask of it', async () => {
    const running = await begin({ maxInFlight: 1 });
    const peer = await peerOf(running);
    peer.send({ pattern: 'worked', data: 'runs' });
    await eventually(() => context !== undefined);
    peer.send(...[101, 102, 103].map((id) => ({ id, pattern: 'work', data: id })));
    await expect(peer.lastReply(103)).resolves.toMatchObject({
      err: { code: 'PIKE_ERR_OVERLOADED' },
    });

    const asked = firstValueFrom(context!.send('are you there', {}));
    const request = await peer.reply((packet) => packet.pattern === 'are you there');
    peer.send({ id: request.id, response: 'yes', isDisposed: true });

    await expect(asked).resolves.toBe('yes');
    expect(handled).toEqual(['runs']);
  });

  it('is bounded too if the server has made it', async () => {
    const gateway = await RawListener.listen();
    closers.push(() => gateway.close());
    const { port } = gateway.address as { port: number };
    const connect = [{ host: '127.0.0.1', port }];
    const shutdown = { deadline: 300 };
    launched.push(await launch([BusyController], { connect, maxInFlight: 2, shutdown }));
    const peer = PacketPeer.over(await gateway.accept());

    peer.send(...upTo(6).map((id) => ({ id, pattern: 'work', data: id })));

    await Promise.all([4, 5].map((id) => peer.lastReply(id)));
    expect(peer.replies.map(({ id, err }) => [id, (err as { code: string }).code])).toEqual([
      [4, 'PIKE_ERR_OVERLOADED'],
      [5, 'PIKE_ERR_OVERLOADED'],
    ]);
    expect(handled).toEqual([0, 1]);
    release();
    await Promise.all(upTo(4).map((id) => peer.lastReply(id)));
    expect(handled).toEqual(upTo(4));
    await peer.raw.destroy();
  });

  it('is not given up by our heartbeat while we do not read it, and has our signs of life', async () => {
    const running = await begin({ maxInFlight: 2, heartbeatInterval: 60 });
    const peer = await peerOf(running);
    peer.send(...events(100_000));
    await eventually(() => context?.getConnection().paused === true);

    // It answers none of our pings; if it did, we should not read that.
    for (let pings = 1; pings <= 4; pings++) {
      await peer.reply(() => peer.replies.filter(isPing).length >= pings);
    }
    expect({ disconnected, handled }).toEqual({ disconnected: 0, handled: [0, 1] });

    release();
    await eventually(() => handled.length === 100_000);
    expect(handled).toEqual(upTo(100_000));
  }, 30_000);

  it('is not given up by its own heartbeat either, if we have one as well', async () => {
    const running = await begin({ maxInFlight: 2, heartbeatInterval: 100 });
    const client = new PikeClient({ port: running.port, heartbeatInterval: 250 });
    closers.push(() => client.close());
    await client.connect();
    let lost = 0;
    client.on('finishDisconnect', () => lost++);
    for (const { pattern, data } of events(10)) client.emit(pattern, data);
    await eventually(() => context?.getConnection().paused === true);

    // For longer than it would wait for the answers to its own pings, it has ours.
    const [connection] = client.unwrap<NetConnector<unknown>>().connections;
    const { bytesRead } = connection!;
    const pingBytes = PacketPeer.frame({ ping: 1 }).length;
    await eventually(() => connection!.bytesRead >= bytesRead + 8 * pingBytes || lost > 0);
    expect({ disconnected, lost, handled }).toEqual({ disconnected: 0, lost: 0, handled: [0, 1] });

    release();
    await eventually(() => handled.length === 10);
    expect(handled).toEqual(upTo(10));
  });
});
