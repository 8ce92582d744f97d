// Prevents: a protocol of replies in order that works with itself and with nobody else. Redis's own
// programs, and a client that many of its users have, speak with ours.
import { describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import type { Program, Project } from '../support/project.js';
import { RawPeer } from '../support/raw-peer.js';
import { describeWithRedis, redisBenchmark, redisCli, startRedisCli } from './redis-programs.js';
import { PATIENCE, useSample } from './use-sample.js';

describeWithRedis('a Nest application that speaks the protocol of Redis, with', () => {
  let project: Project;
  let program: Program;
  let port: number;
  const defer = useSample('04-redis', 1, (sample) => {
    ({ project, program } = sample);
    port = sample.ports[0] as number;
  });

  const ioredis = (): Redis => {
    const redis = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 0 });
    defer(() => redis.disconnect());
    return redis;
  };
  const rawPeer = async (): Promise<RawPeer> => {
    const peer = await RawPeer.connect({ host: '127.0.0.1', port });
    defer(() => peer.destroy());
    return peer;
  };

  describe('redis-cli', () => {
    it.each<[string, string[]]>([
      ['SET city Größe', ['OK']],
      ['GET city', ['"Gr\\xc3\\xb6\\xc3\\x9fe"']],
      ['GET nothing', ['(nil)']],
      ['SET city Bonn', ['OK']],
      ['MGET city nothing city', ['1) "Bonn"', '2) (nil)', '3) "Bonn"']],
      ['INCR visits', ['(integer) 1']],
      ['incr visits', ['(integer) 2']],
      ['INCR city', ['(error) ERR value is not an integer or out of range']],
      ['DEL city nothing city', ['(integer) 1']],
      ['GET', ["(error) ERR wrong number of arguments for 'get' command"]],
      ['FLY away', ['(error) ERR unknown command']],
      ['PING', ['PONG']],
      ['ECHO hello', ['"hello"']],
      ['COMMAND COUNT', ['(integer) 16']],
      ['COMMAND DOCS get', ['1) "get"', '2) 1) "summary"', '   2) "Returns the value of a key."']],
      ['CONFIG GET save', ['1) "save"', '2) ""']],
      ['CONFIG SET save no', ["(error) ERR unknown subcommand 'SET' of 'config'"]],
      ['SELECT 1', ['(error) ERR DB index is out of range']],
      ['HELLO 3', ['(error) NOPROTO unsupported protocol version']],
      ['PUBLISH nowhere hello', ['(integer) 0']],
    ])(
      '%s',
      async (command, shown) => {
        expect(await redisCli(port, command.split(' '))).toEqual(shown);
      },
      PATIENCE,
    );

    it(
      'counts no further than 64 bits',
      async () => {
        await redisCli(port, ['SET', 'most', '9223372036854775806']);
        expect(await redisCli(port, [], 'INCR most\nINCR most\nGET most\n')).toEqual([
          '(integer) 9223372036854775807',
          '(error) ERR increment or decrement would overflow',
          '"9223372036854775807"',
        ]);
      },
      PATIENCE,
    );

    it(
      'falls back from RESP3',
      async () => {
        const { stdout, stderr } = await startRedisCli(port, ['-3', 'PING']).ended;
        expect({ stdout, stderr }).toEqual({
          stdout: 'PONG\n',
          stderr: 'HELLO 3 failed: NOPROTO unsupported protocol version\n',
        });
      },
      PATIENCE,
    );

    it(
      'inserts ten thousand keys in one go, and misses no reply',
      async () => {
        const bytes = Array.from({ length: 10_000 }, (_, index) => {
          const [key, value] = [`mass:${index}`, 'x'.repeat(index % 100)];
          return `*3\r\n$3\r\nSET\r\n$${key.length}\r\n${key}\r\n$${value.length}\r\n${value}\r\n`;
        }).join('');
        const shown = await redisCli(port, ['--pipe'], bytes);
        expect(shown.at(-1)).toBe('errors: 0, replies: 10000');
        expect(await redisCli(port, ['GET', 'mass:9999'])).toEqual([`"${'x'.repeat(99)}"`]);
      },
      PATIENCE,
    );

    it(
      'subscribes, and shows what is published',
      async () => {
        const subscriber = startRedisCli(port, ['SUBSCRIBE', 'news', 'weather']);
        defer(async () => {
          subscriber.kill('SIGKILL');
          await subscriber.ended;
        });
        await subscriber.prints('3) (integer) 2');
        expect(await redisCli(port, ['PUBLISH', 'weather', 'rain'])).toEqual(['(integer) 1']);
        await subscriber.prints('1) "message"\n2) "weather"\n3) "rain"\n');
      },
      PATIENCE,
    );
  });

  describe('redis-benchmark', () => {
    it(
      'is served by fifty connections that pipeline, without an error',
      async () => {
        const tests = ['PING_INLINE', 'PING_MBULK', 'SET', 'GET', 'INCR'];
        const { code, stdout, stderr } = await redisBenchmark(
          port,
          '-t ping,set,get,incr -n 4800 -c 50 -P 16 -r 100 -d 200 --csv'.split(' '),
        );
        expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
        const rows = stdout.trim().split('\n').slice(1);
        expect(rows.map((row) => row.split(',')[0])).toEqual(tests.map((name) => `"${name}"`));
        // It counts up a hundred keys, chosen by chance.
        const keys = Array.from({ length: 100 }, (_, index) => `${index}`.padStart(12, '0'));
        const counts = await ioredis().mget(keys.map((key) => `counter:${key}`));
        expect(counts.reduce((sum, count) => sum + Number(count), 0)).toBe(4800);
      },
      PATIENCE,
    );
  });

  describe('ioredis', () => {
    it(
      'gets replies and errors for commands that it pipelines, each its own',
      async () => {
        const redis = ioredis();
        const pipeline = redis.pipeline();
        for (let index = 0; index < 500; index += 1) {
          pipeline.set('at', `${index}`).incr('at').get('at').incr('no such:x').call('FLY');
        }
        const results = (await pipeline.exec()) ?? [];
        expect(results).toHaveLength(2500);
        for (let index = 0; index < 500; index += 1) {
          const [set, incremented, got, , unknown] = results.slice(index * 5, index * 5 + 5);
          expect([set, incremented, got]).toEqual([
            [null, 'OK'],
            [null, index + 1],
            [null, `${index + 1}`],
          ]);
          expect(unknown?.[0]?.message).toBe('ERR unknown command');
        }
      },
      PATIENCE,
    );

    it(
      'keeps any bytes, and large ones',
      async () => {
        const redis = ioredis();
        const bytes = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte));
        const large = Buffer.alloc(4 * 1024 * 1024, bytes);
        await redis.set(bytes, large);
        expect((await redis.getBuffer(bytes))?.equals(large)).toBe(true);
        expect(await redis.del(bytes)).toBe(1);
      },
      PATIENCE,
    );

    it(
      'is told that it is subscribed before it gets a message, however fast others publish',
      async () => {
        const publisher = ioredis();
        const enough = new AbortController();
        const flood = (async () => {
          for (let count = 0; !enough.signal.aborted; count += 1) {
            await publisher.publish('flood', `${count}`);
          }
        })();
        defer(() => {
          enough.abort();
          return flood;
        });
        for (let round = 0; round < 20; round += 1) {
          const subscriber = ioredis();
          const counts: number[] = [];
          const several = new Promise<void>((resolve) =>
            subscriber.on('message', (_channel, count) => {
              if (counts.push(Number(count)) === 6) resolve();
            }),
          );
          const [key, subscribed] = await Promise.all([
            subscriber.get('nothing'),
            subscriber.subscribe('quiet', 'flood'),
          ]);
          expect([key, subscribed]).toEqual([null, 2]);
          await several;
          expect(await subscriber.unsubscribe()).toBe(0);
          // None is missing, and none comes twice.
          expect(counts).toEqual(counts.map((_, index) => (counts[0] as number) + index));
          expect(await subscriber.get('nothing')).toBeNull();
          subscriber.disconnect();
        }
      },
      PATIENCE,
    );
  });

  describe('anybody with a socket', () => {
    it('types commands, which are run one after another', async () => {
      const peer = await rawPeer();
      peer.write('SET word "two words"\r\nGET word\r\n\r\nSUBSCRIBE a b\r\nGET word\r\nPING hi\n');
      await peer.sees('hi\r\n');
      expect(peer.text).toBe(
        '+OK\r\n$9\r\ntwo words\r\n' +
          '*3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n*3\r\n$9\r\nsubscribe\r\n$1\r\nb\r\n:2\r\n' +
          "-ERR Can't execute 'get': only SUBSCRIBE / UNSUBSCRIBE / PING are allowed in this context\r\n" +
          '*2\r\n$4\r\npong\r\n$2\r\nhi\r\n',
      );
    });

    it.each([
      ['what is no command', '*1\r\n:1\r\n'],
      ['a length that is none', '*1\r\n$x\r\n'],
      ['more than a message may have', '*2\r\n$3\r\nGET\r\n$999999999\r\n'],
      ['a count beyond all bounds', '*999999999\r\n'],
    ])('loses its connection by %s, and nobody else does', async (_, bytes) => {
      const redis = ioredis();
      await redis.ping();
      const peer = await rawPeer();
      peer.write(bytes);
      await peer.ended;
      expect(peer.text).toBe('');
      expect(await redis.ping()).toBe('PONG');
    });

    it('subscribes to a thousand channels, and to no more', async () => {
      const peer = await rawPeer();
      const channels = Array.from({ length: 1000 }, (_, index) => `channel-${index}`).join(' ');
      peer.write(`SUBSCRIBE ${channels}\r\n`);
      await peer.sees(':1000\r\n');
      peer.write('SUBSCRIBE one-more\r\n');
      const refusal = '-ERR a connection may subscribe to 1000 channels\r\n';
      await peer.sees(refusal);
      expect(peer.text.endsWith(`:1000\r\n${refusal}`)).toBe(true);
    });
  });

  it(
    "the sample's own client shows replies and errors",
    async () => {
      const run = (...args: string[]) =>
        project.run({
          file: 'sample/04-redis/client.js',
          args: [`127.0.0.1:${port}`, ...args],
        });
      await expect(run('SET', 'greeting', 'hello')).resolves.toMatchObject({
        code: 0,
        stdout: '"OK"\n',
      });
      await expect(run('MGET', 'greeting', 'nothing')).resolves.toMatchObject({
        code: 0,
        stdout: '["hello",null]\n',
      });
      await expect(run('INCR', 'greeting')).resolves.toMatchObject({
        code: 1,
        stderr: 'ERR value is not an integer or out of range\n',
      });
      await expect(run()).resolves.toMatchObject({ code: 2 });
    },
    PATIENCE,
  );

  it(
    'ends by a signal, with nothing to complain of',
    async () => {
      program.kill('SIGTERM');
      expect(await program.ended).toMatchObject({ signal: 'SIGTERM', stderr: '' });
    },
    PATIENCE,
  );
});
