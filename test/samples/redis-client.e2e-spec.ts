// Prevents: a client of a protocol of replies in order that gives a caller another's reply, takes an error for
// a value, or does not know what became of a request. Redis itself is the server.
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, jest } from '@jest/globals';
import { PikeClient } from 'nestjs-pike';
import type { RespValue } from 'nestjs-pike/converters';
import { firstValueFrom } from 'rxjs';
import { REDIS_CLIENT } from '../../sample/04-redis/protocol.js';
import { muteLogger } from '../support/mute-logger.js';
import { describeWithRedis, redisCli, startRedisServer } from './redis-programs.js';

/** Starting a process takes its time on a busy machine. */
const PATIENCE = 60_000;

describeWithRedis('a PikeClient of a real Redis', () => {
  let redis: Awaited<ReturnType<typeof startRedisServer>>;
  const clients: PikeClient<RespValue>[] = [];

  beforeAll(async () => {
    redis = await startRedisServer();
  }, PATIENCE);
  beforeEach(() => muteLogger());
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((each) => each.close()));
    jest.restoreAllMocks();
  });
  afterAll(async () => {
    redis.program.kill('SIGTERM');
    await redis.program.ended;
  });

  const connect = (): PikeClient<RespValue> => {
    const pike = new PikeClient<RespValue>({ port: redis.port, ...REDIS_CLIENT });
    clients.push(pike);
    return pike;
  };
  const call = (pike: PikeClient<RespValue>, command: string, ...args: RespValue[]) =>
    firstValueFrom(pike.send<RespValue>(command, args));

  it('gets the replies to what it pipelines, each its own', async () => {
    const pike = connect();
    const counts = Array.from({ length: 1000 }, () => call(pike, 'INCR', 'count'));
    const others = Promise.all([
      call(pike, 'SET', 'city', 'Köln \r\n'),
      call(pike, 'GET', 'city'),
      call(pike, 'GET', 'nothing'),
      call(pike, 'RPUSH', 'list', Buffer.from('a'), 2, 3n),
      call(pike, 'LRANGE', 'list', 0, -1),
      call(pike, 'SET', 'most', '9223372036854775806'),
      call(pike, 'INCR', 'most'),
    ]);
    expect(await Promise.all(counts)).toEqual(counts.map((_, index) => index + 1));
    expect(await others).toEqual([
      'OK',
      'Köln \r\n',
      null,
      3,
      ['a', '2', '3'],
      'OK',
      9223372036854775807n,
    ]);
  });

  it("rejects with Redis's own words, and goes on", async () => {
    const pike = connect();
    await call(pike, 'SET', 'text', 'word');
    const [wrongType, unknown, value] = await Promise.allSettled([
      call(pike, 'LPUSH', 'text', 'x'),
      call(pike, 'FLY', 'away'),
      call(pike, 'GET', 'text'),
    ]);
    expect(wrongType).toMatchObject({
      reason: {
        name: 'RespError',
        message: 'WRONGTYPE Operation against a key holding the wrong kind of value',
      },
    });
    expect(unknown).toMatchObject({
      reason: { message: "ERR unknown command 'FLY', with args beginning with: 'away' " },
    });
    expect(value).toEqual({ status: 'fulfilled', value: 'word' });
  });

  it('gets an error within a reply as a value', async () => {
    const pike = connect();
    const replies = await Promise.all([
      call(pike, 'SET', 'words', 'x'),
      call(pike, 'MULTI'),
      call(pike, 'INCR', 'words'),
      call(pike, 'GET', 'words'),
      call(pike, 'EXEC'),
    ]);
    expect(replies.slice(1, 4)).toEqual(['OK', 'QUEUED', 'QUEUED']);
    expect(replies[4]).toMatchObject([
      { name: 'RespError', message: 'ERR value is not an integer or out of range' },
      'x',
    ]);
  });

  it('does not take the reply to what it has given up for that to what it asks next', async () => {
    const pike = connect();
    await call(pike, 'PING');
    const popped: unknown[] = [];
    const given = pike.send('BLPOP', ['queue', 0]).subscribe((each) => popped.push(each));
    await blocked(connect());
    given.unsubscribe();
    const next = call(pike, 'ECHO', 'mine');
    await call(connect(), 'RPUSH', 'queue', 'late');
    expect(await next).toBe('mine');
    expect(popped).toEqual([]);
  });

  it('is in doubt about what was under way when a stranger ends its connection, and connects again', async () => {
    const pike = connect();
    const id = await call(pike, 'CLIENT', 'ID');
    const underWay = call(pike, 'BLPOP', 'never', 0);
    const outcome = expect(underWay).rejects.toMatchObject({ delivery: 'in-doubt' });
    await blocked(connect());
    expect(await redisCli(redis.port, ['CLIENT', 'KILL', 'ID', `${id as number}`])).toEqual([
      '(integer) 1',
    ]);
    await outcome;
    expect(await call(pike, 'CLIENT', 'ID')).not.toBe(id);
  });

  /** Waits until a client of the server is blocked. */
  async function blocked(observer: PikeClient<RespValue>): Promise<void> {
    for (;;) {
      const info = (await call(observer, 'INFO', 'clients')) as string;
      if (info.includes('blocked_clients:1')) return;
    }
  }
});
