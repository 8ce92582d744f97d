// Prevents: an overloaded or closing server that looks idle to its operators, because only what it has
// handled is told; and events that are told as handled though no handler has seen them.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import type { HandlingDiagnostics, PikeServerOptions } from 'nestjs-pike';
import { eventually } from '../support/eventually.js';
import { muteLogger } from '../support/mute-logger.js';
import type { Told } from './channels.js';
import { ended, trace, unlisten } from './channels.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

let begun: unknown[];
let release: () => void;
let released: Promise<void>;

@Controller()
class BusyController {
  @MessagePattern('work')
  async work(data: unknown) {
    begun.push(data);
    await released;
    return data;
  }

  @EventPattern<string>('event')
  event(data: unknown) {
    begun.push(data);
  }
}

describe('what is not handled', () => {
  let running: Running;
  let peer: PacketPeer;
  let told: Told<HandlingDiagnostics>[];
  const begin = async (options: Partial<PikeServerOptions> = {}): Promise<void> => {
    running = await start([BusyController], { shutdown: { deadline: 300 }, ...options });
    peer = await PacketPeer.connect(running.port);
    told = trace<HandlingDiagnostics>('nestjs-pike:handle');
  };
  const work = (id: number): object => ({ id, pattern: 'work', data: id });
  /** How the handling of a message with this data has ended. */
  const end = (data: unknown): HandlingDiagnostics | undefined => {
    const ends = ended(told).filter((message) => message.data === data);
    expect(ends.length).toBeLessThan(2);
    return ends[0];
  };

  beforeEach(() => {
    begun = [];
    released = new Promise((resolve) => (release = resolve));
    muteLogger();
  });
  afterEach(async () => {
    release();
    unlisten();
    await peer.raw.destroy();
    await running.app.close();
    jest.restoreAllMocks();
  });

  it('is told of a request that is refused since too many wait', async () => {
    await begin({ maxInFlight: 1 });
    peer.send(work(1), work(2), work(3), { id: 4, pattern: 'made up', data: 4 });
    await expect(peer.lastReply(4)).resolves.toMatchObject({
      err: { code: 'PIKE_ERR_OVERLOADED' },
    });
    const refused = { outcome: 'error', error: { code: 'PIKE_ERR_OVERLOADED' } };
    expect(end(3)).toMatchObject({ pattern: 'work', known: true, ...refused });
    expect(end(4)).toMatchObject({ pattern: 'made up', known: false, ...refused });
    expect(begun).toEqual([1]);
  });

  it('begins when a request comes, though it waits for its turn', async () => {
    await begin({ maxInFlight: 1 });
    peer.send(work(1), work(2));
    await eventually(() => told.filter(({ step }) => step === 'start').length === 2);
    expect(begun).toEqual([1]);
    release();
    await peer.lastReply(2);
    expect([end(1)?.outcome, end(2)?.outcome]).toEqual(['ok', 'ok']);
  });

  it('is told of a request that is cancelled while it waits', async () => {
    await begin({ maxInFlight: 1 });
    peer.send(work(1), work(2), { id: 2, cancel: true });
    await eventually(() => end(2) !== undefined);
    expect(end(2)).toMatchObject({ outcome: 'cancelled', error: undefined });
    expect(begun).toEqual([1]);
  });

  it('is told of requests that wait when their peer leaves', async () => {
    await begin({ maxInFlight: 1 });
    peer.send(work(1), work(2));
    await eventually(() => told.filter(({ step }) => step === 'start').length === 2);
    await peer.raw.destroy();
    await eventually(() => end(1) !== undefined && end(2) !== undefined);
    expect([end(1)?.outcome, end(2)?.outcome]).toEqual(['cancelled', 'cancelled']);
  });

  it('is told of what waits, or comes, when the server shuts down', async () => {
    await begin({ maxInFlight: 1 });
    peer.send(work(1), work(2));
    await eventually(() => told.filter(({ step }) => step === 'start').length === 2);
    const drained = running.server.drain();
    peer.send(work(3), { pattern: 'event', data: 4 });
    await eventually(() => end(3) !== undefined && end(4) !== undefined);
    const closing = { outcome: 'error', error: { code: 'PIKE_ERR_SHUTTING_DOWN' } };
    expect(end(2)).toMatchObject(closing);
    expect(end(3)).toMatchObject(closing);
    expect(end(4)).toMatchObject({ outcome: 'error', error: { code: 'PIKE_ERR_SHUT_DOWN' } });
    release();
    await drained;
    expect(end(1)?.outcome).toBe('ok');
    expect(begun).toEqual([1]);
  });

  it('is told of an event that a start hook has dropped', async () => {
    await begin();
    running.server.setOnProcessingStartHook(() => undefined);
    peer.send({ pattern: 'event', data: 1 });
    await eventually(() => end(1) !== undefined);
    expect(end(1)).toMatchObject({ known: true, outcome: 'dropped', error: undefined });
    expect(begun).toEqual([]);
  });

  it('is told, as an error, of an event whose start hook has failed', async () => {
    await begin();
    running.server.setOnProcessingStartHook(() => {
      throw new Error('no');
    });
    peer.send({ pattern: 'event', data: 1 });
    await eventually(() => end(1) !== undefined);
    expect(end(1)).toMatchObject({ outcome: 'error', error: { message: 'no' } });
  });

  it('is told, as an error, of an event whose start hook has outlived the server', async () => {
    await begin({ shutdown: { deadline: 1 } });
    let hooked = false;
    running.server.setOnProcessingStartHook(async (_, __, done) => {
      hooked = true;
      await released;
      await done();
    });
    peer.send({ pattern: 'event', data: 1 });
    await eventually(() => hooked);
    await running.app.close();
    release();
    await eventually(() => end(1) !== undefined);
    expect(end(1)).toMatchObject({ outcome: 'error', error: { code: 'PIKE_ERR_SHUT_DOWN' } });
    expect(begun).toEqual([]);
  });

  it('is told of an event for which there is no handler', async () => {
    await begin();
    peer.send({ pattern: 'made up', data: 1 });
    await eventually(() => end(1) !== undefined);
    expect(end(1)).toMatchObject({ kind: 'event', known: false, outcome: 'dropped' });
  });
});
