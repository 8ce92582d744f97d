// Prevents: a protocol without ids gets a reply that belongs to another request.
import { afterEach, describe, expect, it } from '@jest/globals';
import { Controller } from '@nestjs/common';
import { EventPattern, MessagePattern } from '@nestjs/microservices';
import { rawMessages } from 'nestjs-pike';
import { Primitives } from 'nestjs-pike/converters';
import { firstValueFrom, from } from 'rxjs';
import { RawPeer } from '../support/raw-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const waiting: (() => void)[] = [];
const heard: number[] = [];
let onHeard: () => void = () => undefined;

@Controller()
class DoublerController {
  @MessagePattern('double')
  async double(value: number) {
    if (value === 1) await new Promise<void>((resolve) => waiting.push(resolve));
    if (value === 13) throw new Error('unlucky');
    if (value === 7) return from([14, 15]);
    return value * 2;
  }

  @EventPattern('heard')
  heard(value: number) {
    heard.push(value);
    onHeard();
  }
}

describe('raw messages', () => {
  const converter = Primitives.FLOAT_CONVERTER;
  let running: Running<number>;
  afterEach(() => running.close());

  const connect = () => RawPeer.connect({ host: '127.0.0.1', port: running.port });

  it('are answered in order, though later handlers finish first', async () => {
    running = await start<number>([DoublerController], {
      converter,
      ...rawMessages<number>('double', { reply: true }),
    });
    const peer = await connect();
    peer.write('2.0 1.0 3.0 7.0 ');
    await peer.sees('4.0 ');
    expect(peer.text).toBe('4.0 ');
    waiting.shift()?.();
    await expect(peer.sees('14.0 ')).resolves.toBe('4.0 2.0 6.0 14.0 ');
    peer.end();
    await peer.ended;
  });

  it('end the connection when a handler fails and the protocol cannot say so, behind the replies before', async () => {
    running = await start<number>([DoublerController], {
      converter,
      ...rawMessages<number>('double', { reply: true }),
    });
    const [peer, other] = [await connect(), await connect()];
    peer.write('2.0 13.0 3.0 ');
    await peer.ended;
    expect(peer.text).toBe('4.0 ');
    other.write('5.0 ');
    await other.sees('10.0 ');
    await Promise.all([peer.destroy(), other.destroy()]);
  });

  it('answer with the error message that the protocol has', async () => {
    running = await start<number>([DoublerController], {
      converter,
      ...rawMessages<number>('double', { reply: true, error: () => NaN }),
    });
    const peer = await connect();
    peer.write('13.0 3.0 ');
    await expect(peer.sees('6.0 ')).resolves.toBe('nan 6.0 ');
    await peer.destroy();
  });

  it('are events when no reply is wanted', async () => {
    running = await start<number>([DoublerController], {
      converter,
      ...rawMessages<number>('heard', { reply: false }),
    });
    const peer = await connect();
    const all = new Promise<void>((resolve) => {
      onHeard = () => heard.length === 3 && resolve();
    });
    peer.write('1.5 2.5 3.5 ');
    await all;
    expect(heard.splice(0)).toEqual([1.5, 2.5, 3.5]);
    expect(peer.bytesReceived).toBe(0);
    await peer.destroy();
  });

  it('serve a Nest client with the same pair: each caller gets its own reply', async () => {
    const options = { converter, ...rawMessages<number>('double', { reply: true }) };
    running = await start<number>([DoublerController], options);
    const client = running.client(options);
    const values = [2, 3, 4, 5, 6, 8, 9];
    const replies = await Promise.all(
      values.map((value) => firstValueFrom(client.send<number>('double', value))),
    );
    expect(replies).toEqual(values.map((value) => value * 2));
  });

  it('leave the later callers of a Nest client their replies when an earlier one has given up', async () => {
    const options = { converter, ...rawMessages<number>('double', { reply: true }) };
    running = await start<number>([DoublerController], options);
    const client = running.client(options);
    await client.connect();
    const blocked = new Promise<void>((resolve) => {
      const push = waiting.push.bind(waiting);
      waiting.push = (...resolvers) => {
        waiting.push = push;
        resolve();
        return push(...resolvers);
      };
    });
    const givenUp = client.send('double', 1).subscribe();
    const later = firstValueFrom(client.send<number>('double', 4));
    await blocked;
    givenUp.unsubscribe();
    waiting.shift()?.();
    await expect(later).resolves.toBe(8);
  });

  it('cost a peer that sends garbage its connection, and nobody else', async () => {
    running = await start<number>([DoublerController], {
      converter,
      ...rawMessages<number>('double', { reply: true }),
    });
    const [peer, other] = [await connect(), await connect()];
    peer.write('what? ');
    await peer.ended;
    other.write('5.0 ');
    await expect(other.sees('10.0 ')).resolves.toBe('10.0 ');
    await Promise.all([peer.destroy(), other.destroy()]);
  });
});
