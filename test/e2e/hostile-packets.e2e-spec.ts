// Prevents: one peer that sends what no client would takes the server down, fills its memory or its
// log, reaches what it must not, or is noticed by the other callers.
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Controller, Logger } from '@nestjs/common';
import { Ctx, EventPattern, MessagePattern, Payload } from '@nestjs/microservices';
import { PikeContext, rawMessages } from 'nestjs-pike';
import { LineConverter } from 'nestjs-pike/converters';
import type { ByteReader } from 'nestjs-pike/converters';
import { firstValueFrom } from 'rxjs';
import { eventually } from '../support/eventually.js';
import { collectGarbage } from '../support/garbage.js';
import { RawPeer } from '../support/raw-peer.js';
import { PacketPeer } from './packet-peer.js';
import type { Running } from './support.js';
import { start } from './support.js';

const noted: unknown[] = [];

@Controller()
class HonestController {
  @MessagePattern('echo')
  echo(data: unknown) {
    return data;
  }

  @MessagePattern({ cmd: 'echo' })
  echoToo(data: unknown) {
    return data;
  }

  @MessagePattern('metadata')
  metadata(@Payload() _: unknown, @Ctx() context: PikeContext) {
    return context.getMetadata() ?? 'none';
  }

  @MessagePattern('never')
  never() {
    return new Promise(() => undefined);
  }

  @EventPattern('noted')
  noted(data: unknown) {
    noted.push(data);
    return 'noted';
  }
}

const NO_HANDLER = 'There is no matching message handler defined in the remote service.';

describe('a hostile peer', () => {
  let running: Running;
  let peer: PacketPeer;
  const logged: string[] = [];
  beforeEach(async () => {
    noted.length = 0;
    logged.length = 0;
    const record = (message: unknown): void => {
      logged.push(String(message));
    };
    jest.spyOn(Logger.prototype, 'error').mockImplementation(record);
    jest.spyOn(Logger.prototype, 'warn').mockImplementation(record);
    jest.spyOn(Logger.prototype, 'debug').mockImplementation(record);
    running = await start([HonestController], { shutdown: { deadline: 500 } });
    peer = await PacketPeer.connect(running.port);
  });
  afterEach(async () => {
    // Nobody else has noticed.
    await expect(firstValueFrom(running.client().send('echo', 'still'))).resolves.toBe('still');
    await peer.raw.destroy();
    await running.close();
    jest.restoreAllMocks();
  });

  const text = (characters: number): string => 'x'.repeat(characters);
  it.each<[string, unknown]>([
    ['a number', 5],
    ['a text', 'echo'],
    ['nil', null],
    ['an array', [1, 2]],
    ['binary', new Uint8Array([1, 2, 3])],
    ['a date', new Date(0)],
    ['an id that is a map', { id: { a: 1 }, pattern: 'echo', data: 1 }],
    ['an id that is an array', { id: [1], pattern: 'echo', data: 1 }],
    ['an id that is a boolean', { id: true, pattern: 'echo', data: 1 }],
    ['an id that is a big integer', { id: 2n ** 63n, pattern: 'echo', data: 1 }],
    ['an id that is too long', { id: text(257), pattern: 'echo', data: 1 }],
    ['an id that is enormous', { id: text(1_000_000), pattern: 'echo', data: 1 }],
    ['metadata that is a number', { id: 1, pattern: 'metadata', data: 1, metadata: 5 }],
    ['metadata that is an array', { id: 1, pattern: 'metadata', data: 1, metadata: ['a'] }],
    ['metadata that is a date', { id: 1, pattern: 'metadata', data: 1, metadata: new Date(0) }],
    ['metadata that is binary', { id: 1, pattern: 'metadata', metadata: new Uint8Array(0) }],
    ['metadata of numbers', { id: 1, pattern: 'metadata', data: 1, metadata: { a: 1 } }],
    ['metadata for what nobody handles', { id: 1, pattern: 'unknown', data: 1, metadata: 'a' }],
    ['metadata of an event that nobody handles', { pattern: 'unknown', data: 1, metadata: [] }],
    ['metadata of maps', { pattern: 'noted', data: 1, metadata: { a: { b: 'c' } } }],
  ])('that sends %s is disconnected', async (_, packet) => {
    peer.send(packet);
    await peer.raw.ended;
    expect(peer.replies).toEqual([]);
    expect(noted).toEqual([]);
    expect(logged).toHaveLength(1);
  });

  it('that sends a key __proto__ is disconnected, and nothing inherits it', async () => {
    // {"__proto__": {"id": 1}}
    const payload = Buffer.concat([
      Buffer.from([0x81, 0xa9]),
      Buffer.from('__proto__'),
      Buffer.from([0x81, 0xa2, 0x69, 0x64, 0x01]),
    ]);
    peer.raw.write(PacketPeer.framed(payload));
    await peer.raw.ended;
    expect('id' in {}).toBe(false);
  });

  it.each<[string, object]>([
    ['constructor', { constructor: { prototype: { id: 7 } } }],
    // oxlint-disable-next-line unicorn/no-thenable -- that is the attack
    ['then', { then: 'a promise, perhaps' }],
    ['toJSON', { toJSON: 1 }],
    ['toString and valueOf', { toString: 1, valueOf: 2 }],
    ['Object.prototype names as metadata', { metadata: { constructor: 'x', toString: 'y' } }],
  ])('that adds a key %s gets its reply', async (_, keys) => {
    peer.send({ id: 1, pattern: 'echo', data: keys, ...keys });
    await expect(peer.lastReply(1)).resolves.toEqual({ id: 1, response: keys, isDisposed: true });
  });

  it.each([NaN, Infinity, -1, 1.5, 0, 2 ** 60, '', 'é', 'constructor', '__proto__'])(
    'may call its request %p',
    async (id) => {
      peer.send({ id, pattern: 'echo', data: 'a' });
      const reply = await peer.reply((any) => any.response === 'a');
      expect(Object.is(reply.id, id)).toBe(true);
    },
  );

  it('that uses an id twice is disconnected; afterwards nothing of it is handled', async () => {
    peer.send(
      { id: 1, pattern: 'never', data: 1 },
      { id: 1, pattern: 'echo', data: 1 },
      { pattern: 'noted', data: 'behind' },
    );
    await peer.raw.ended;
    expect(noted).toEqual([]);
  });

  it('that uses an id again once its request is over gets both replies', async () => {
    for (const data of ['first', 'second']) {
      peer.send({ id: NaN, pattern: 'echo', data });
      const reply = await peer.reply(({ response }) => response === data);
      expect(reply.isDisposed).toBe(true);
    }
  });

  it('may cancel what is not there, and what is, and use the id again', async () => {
    peer.send(
      { id: 9, cancel: true },
      { cancel: true },
      { id: 'x', cancel: true, pattern: 'echo' },
    );
    peer.send({ id: 1, pattern: 'never', data: 1 }, { id: 1, cancel: true });
    peer.send({ id: 1, pattern: 'echo', data: 'again' });
    await expect(peer.lastReply(1)).resolves.toMatchObject({ response: 'again' });
    expect(peer.replies).toHaveLength(1);
  });

  it('may ask for what never ends: the others of its connection do not notice', async () => {
    peer.send(...Array.from({ length: 1000 }, (_, id) => ({ id, pattern: 'never', data: 1 })));
    peer.send({ id: 'a', pattern: 'echo', data: 'a' }, { id: 'b', pattern: 'echo', data: 'b' });
    await expect(peer.lastReply('b')).resolves.toMatchObject({ response: 'b' });
    expect(peer.replies.map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('that sends replies is not believed', async () => {
    peer.send({ id: 1, response: 'mine', isDisposed: true }, { id: 2, err: 'mine' });
    peer.send({ id: 1, pattern: 'echo', data: 'asked' });
    await expect(peer.lastReply(1)).resolves.toMatchObject({ response: 'asked' });
    expect(peer.replies).toHaveLength(1);
  });

  const nested = (depth: number): unknown => (depth === 0 ? 'bottom' : { a: nested(depth - 1) });
  const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, i) => [`key${i}`, i]));
  it.each<[string, unknown]>([
    ['missing', undefined],
    ['nil', null],
    ['true', true],
    ['a number', 5],
    ['NaN', NaN],
    ['a big integer', 2n ** 63n],
    ['within a map a big integer', { cmd: 2n ** 63n }],
    ['an array', ['echo']],
    ['binary', new Uint8Array(100_000)],
    ['a date', new Date(0)],
    ['nested', nested(60)],
    ['wide', wide],
    ['enormous', text(1_000_000)],
    ['nested in JSON', '{"a":'.repeat(100_000) + '1' + '}'.repeat(100_000)],
    ['nested arrays in JSON', '['.repeat(400_000) + ']'.repeat(400_000)],
    ['a getter name', '__proto__'],
    ['the name of a method', 'constructor'],
    ['JSON of a prototype', '{"__proto__":{"cmd":"echo"}}'],
  ])('whose pattern is %s is told that there is no handler', async (_, pattern) => {
    peer.send({ id: 1, pattern, data: 1 });
    await expect(peer.lastReply(1)).resolves.toMatchObject({ err: NO_HANDLER });
    peer.send({ pattern, data: 1 }, { id: 2, pattern: 'echo', data: 2 });
    await expect(peer.lastReply(2)).resolves.toMatchObject({ response: 2 });
    expect(noted).toEqual([]);
  });

  it('that sends 100,000 unknown patterns fills neither memory nor log', async () => {
    for (let round = 0; round < 100; round++) {
      const frames = Array.from({ length: 1000 }, (_, i) =>
        PacketPeer.frame({ pattern: `unknown ${round} ${i}`, data: 1 }),
      );
      peer.raw.write(Buffer.concat(frames));
    }
    peer.send({ id: 1, pattern: 'echo', data: 'after all that' });
    await peer.lastReply(1);
    expect(logged.length).toBeLessThan(101);
  }, 30_000);

  it('that sends long unknown patterns does not see them kept, nor written to the log as they are', async () => {
    collectGarbage();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 90; i++) {
      peer.send({ pattern: `\n\u001b[31m${i}${text(1_000_000)}`, data: 1 });
    }
    peer.send({ id: 1, pattern: 'echo', data: 'after all that' });
    await peer.lastReply(1);
    collectGarbage();
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(20_000_000);
    for (const line of logged) {
      expect(line).not.toContain('\n');
      expect(line).not.toContain('\u001b');
      expect(line.length).toBeLessThan(1000);
    }
  }, 30_000);

  it('may send an event as a request, and a request as an event, as with the TCP transport', async () => {
    peer.send({ id: 1, pattern: 'noted', data: 'as a request' }, { pattern: 'echo', data: 1 });
    await expect(peer.lastReply(1)).resolves.toMatchObject({ response: 'noted' });
    peer.send({ id: 2, pattern: 'echo', data: 2 });
    await peer.lastReply(2);
    expect(peer.replies).toHaveLength(2);
    expect(noted).toEqual(['as a request']);
  });

  it('that goes on after garbage, unread replies before it, is neither heard nor logged again', async () => {
    peer.raw.pause();
    const big = 'y'.repeat(500_000);
    for (let i = 0; i < 8; i++) peer.send({ id: i, pattern: 'echo', data: big });
    for (let i = 0; i < 500; i++) peer.send({ id: [i] }, { pattern: 'noted', data: i });
    await eventually(() => logged.length > 0);
    peer.raw.resume();
    await peer.raw.ended;
    expect(noted).toEqual([]);
    expect(logged).toHaveLength(1);
  });

  it('that sends bytes that are no message is disconnected, and the log says who and why', async () => {
    const { remote } = Array.from(running.server.unwrap().connections)[0]!;
    peer.raw.write(Buffer.from([0, 0, 0, 1, 0xc1]));
    await peer.raw.ended;
    const { host, port } = remote as { host: string; port: number };
    expect(logged).toEqual([
      expect.stringContaining(`of ${host}:${port} was ended: A MessagePack`),
    ]);
  });

  it('does not write lines of its own into the log by what its converter complains of', async () => {
    class SpitefulConverter extends LineConverter {
      override decode(reader: ByteReader): string | undefined {
        throw new Error(reader.readString(reader.remaining));
      }
    }
    const lines = await start<string>([HonestController], {
      converter: new SpitefulConverter(),
      ...rawMessages<string>('noted', { reply: false }),
    });
    const other = await RawPeer.connect({ host: '127.0.0.1', port: lines.port });
    other.write(`one\ntwo\r\u001b[31m${text(10_000)}`);
    await other.ended;
    await other.destroy();
    await lines.close();
    expect(logged).toEqual([expect.stringContaining('one two  [31mxxx')]);
    expect(logged[0]!.length).toBeLessThan(1_000);
  });

  it('that comes again and again with bytes that are no message does not fill the log', async () => {
    for (let i = 0; i < 300; i++) {
      const other = await RawPeer.connect({ host: '127.0.0.1', port: running.port });
      other.write('GET / HTTP/1.1\r\n\r\n');
      await other.ended;
      await other.destroy();
    }
    expect(logged.length).toBeGreaterThan(0);
    expect(logged.length).toBeLessThan(50);
  });

  it('that comes again and again with garbage does not fill the log', async () => {
    for (let i = 0; i < 300; i++) {
      const other = await PacketPeer.connect(running.port);
      other.send({ id: `\n${i}`, pattern: 'never' }, { id: `\n${i}`, pattern: 'never' });
      await other.raw.ended;
      await other.raw.destroy();
    }
    expect(logged.length).toBeLessThan(50);
    expect(logged.join('')).not.toContain('\n');
  });
});
