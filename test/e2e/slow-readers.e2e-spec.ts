// Prevents: a peer that asks for much and reads nothing has the server keep the replies for it, until
// the memory of the process is gone and with it everybody else's connection.
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { PikeClient } from 'nestjs-pike';
import { firstValueFrom } from 'rxjs';
import { freePort } from '../support/free-port.js';
import { Project } from '../support/project.js';
import { PacketPeer } from './packet-peer.js';

const PROGRAM = `
  import 'reflect-metadata';
  import { Controller, Logger, Module } from '@nestjs/common';
  import { NestFactory } from '@nestjs/core';
  import { MessagePattern } from '@nestjs/microservices';
  import { PikeServer } from 'nestjs-pike';
  import { interval, map, range } from 'rxjs';

  const MEGABYTE = 1_000_000;
  let produced = 0;
  const large = () => {
    produced++;
    return Buffer.alloc(MEGABYTE, produced);
  };

  const server = new PikeServer({ host: '127.0.0.1', port: Number(process.argv[2]) });

  @Controller()
  class AppController {
    @MessagePattern('small')
    small() {
      return 'small';
    }
    @MessagePattern('large')
    large() {
      return large();
    }
    @MessagePattern('large, later')
    async largeLater() {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return large();
    }
    @MessagePattern('rows')
    rows() {
      produced++;
      return Array.from({ length: 10_000 }, (_, id) => ({ id, name: 'row ' + id, total: id / 3 }));
    }
    @MessagePattern('echo')
    echo(data: unknown) {
      produced++;
      return data;
    }
    @MessagePattern('generated')
    async *generated() {
      for (;;) yield large();
    }
    @MessagePattern('observed')
    observed() {
      return interval(0).pipe(map(large));
    }
    @MessagePattern('observed at once')
    observedAtOnce() {
      return range(0, 1e9).pipe(map(large));
    }
    @MessagePattern('usage')
    usage() {
      const connections = Array.from(server.unwrap().connections).length;
      return { produced, connections, peak: process.resourceUsage().maxRSS * 1024 };
    }
  }
  @Module({ controllers: [AppController] })
  class AppModule {}

  Logger.overrideLogger(false);
  const app = await NestFactory.createMicroservice(AppModule, {
    logger: false,
    strategy: server,
  });
  await app.listen();
  console.log('listening');
`;

const MIB = 1_048_576;
/** What the garbage collector may let lie, above what is held. */
const SLACK = 120 * MIB;
/** The default. */
const MAX_SEND_BUFFER_SIZE = 128 * MIB;

interface Usage {
  produced: number;
  connections: number;
  /** The largest that the resident memory has ever been. */
  peak: number;
}

describe('a peer that reads nothing', () => {
  let project: Project;
  beforeAll(async () => {
    project = await Project.create();
    await project.add('main.ts', PROGRAM);
  });
  afterAll(() => project.remove());

  let other: PikeClient;
  let peer: PacketPeer;
  let before: Usage;
  let end: () => Promise<void>;
  const usage = () => firstValueFrom(other.send<Usage>('usage', {}));
  /** How much the server has grown, at most, once it neither reads from the peer nor works for it. */
  const growth = async (): Promise<number> => {
    for (let last = ''; ;) {
      await new Promise((resolve) => setTimeout(resolve, 500));
      const { produced, connections, peak } = await usage();
      const now = JSON.stringify([produced, connections, peer.raw.socket.writableLength]);
      if (now === last) return peak - before.peak;
      last = now;
    }
  };
  /** Resolves when the server has ended the connection. */
  const disconnected = async (): Promise<void> => {
    while ((await usage()).connections > 1) await new Promise((resolve) => setImmediate(resolve));
  };
  const ask = (count: number, pattern: string, data: unknown = {}): void => {
    const frames = Array.from({ length: count }, (_, id) =>
      PacketPeer.frame({ id, pattern, data }),
    );
    peer.raw.write(Buffer.concat(frames));
  };

  beforeEach(async () => {
    const port = await freePort();
    const server = project.start({ file: 'main.js', args: [`${port}`] });
    await server.prints('listening');
    other = new PikeClient({ port });
    peer = await PacketPeer.connect(port, { reading: false });
    before = await usage();
    end = async () => {
      server.kill('SIGKILL');
      await server.ended;
    };
  });
  afterEach(async () => {
    // Nobody else has noticed.
    await expect(firstValueFrom(other.send('small', {}))).resolves.toBe('small');
    await other.close();
    await peer.raw.destroy();
    await end();
  });

  it.each<[string, number, unknown]>([
    ['large', 20_000, {}],
    ['rows', 5_000, {}],
    ['echo', 400, 'x'.repeat(500_000)],
    ['echo', 30_000, 'x'.repeat(100)],
    // Where a quick look does not find what is large.
    ['echo', 400, Array.from({ length: 20 }).reduce((inner) => [inner], 'x'.repeat(500_000))],
    ['echo', 400, [0, 'x'.repeat(500_000), ...Array.from({ length: 30 }, () => 0)]],
    ['echo', 400, [Array.from({ length: 3_000 }, () => 0), [['x'.repeat(500_000)]]]],
    ['generated', 2_000, {}],
  ])(
    'and asks for %s, %i times: the server stops producing for it, and stays small',
    async (pattern, count, data) => {
      ask(count, pattern, data);

      expect(await growth()).toBeLessThan(SLACK);

      await expect(usage()).resolves.toMatchObject({ connections: 2 });
    },
    30_000,
  );

  it('asks for what nobody handles, a hundred and fifty thousand times: the server stays small', async () => {
    ask(150_000, 'unknown');

    expect(await growth()).toBeLessThan(SLACK);
  }, 30_000);

  it('after it had read a thousand small replies, and then asks for large ones: the server stays small', async () => {
    peer.raw.resume();
    ask(1_000, 'small');
    await peer.lastReply(999);
    peer.raw.pause();
    ask(20_000, 'large');

    expect(await growth()).toBeLessThan(MAX_SEND_BUFFER_SIZE + SLACK);
  }, 30_000);

  it.each<[string, number]>([
    ['large, later', 20_000],
    ['observed', 10],
    ['observed at once', 1],
  ])(
    'and asks for %s, %i times, which comes whether or not it is read: it is disconnected',
    async (pattern, count) => {
      ask(count, pattern);

      await disconnected();

      expect(await growth()).toBeLessThan(MAX_SEND_BUFFER_SIZE + SLACK);
    },
    30_000,
  );
});
