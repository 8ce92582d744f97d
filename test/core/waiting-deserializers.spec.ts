/*
 * Prevents: a slow disk turning into unbounded memory, the last part of a file lost because its
 * sender has already left, and files left open.
 */
import { describe, expect, it } from '@jest/globals';
import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from 'nestjs-pike/core';
import type { PutBytesResult } from 'nestjs-pike/core';
import { scriptedConverter } from '../support/scripted-converter.js';
import { inputHandled } from '../support/turns.js';
import { useSockets } from '../support/use-sockets.js';
import type { Pair } from '../support/use-sockets.js';

const sockets = useSockets();
const EMPTY = Buffer.alloc(0);

/** A call to `putBytes` that has answered WAIT_FOR_CALLBACK. */
interface Call {
  data: string;
  callback: () => void;
}

/** A converter whose every call waits, until the test calls back; then `answer` decides. */
class SlowConverter {
  readonly calls: Call[] = [];
  destroyed = 0;
  /** What `putBytes` answers; by default it uses everything and waits. */
  answer: (data: Buffer, callback: () => void) => PutBytesResult = () => [EMPTY, WAIT_FOR_CALLBACK];
  #waiters: (() => void)[] = [];

  readonly converter = scriptedConverter({
    putBytes: (data, callback) => {
      this.calls.push({ data: data.toString(), callback });
      for (const resolve of this.#waiters.splice(0)) resolve();
      return this.answer(data, callback);
    },
    destroyDeserializer: () => this.destroyed++,
  });

  /** The call with that number, counted from 1. */
  async call(number: number): Promise<Call> {
    while (this.calls.length < number) {
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
    return this.calls[number - 1] as Call;
  }
}

async function slow(
  options: { allowHalfOpen?: boolean } = {},
): Promise<Pair & { slow: SlowConverter }> {
  const slowConverter = new SlowConverter();
  const pair = await sockets.accepted({ ...options, converter: slowConverter.converter });
  return { ...pair, slow: slowConverter };
}

describe('a deserializer that waits for its callback', () => {
  it('is not called before the callback, and its peer is not read beyond what the system buffers', async () => {
    const { connector, peer, slow: converter } = await slow();
    peer.write('first');
    await converter.call(1);
    const large = Buffer.alloc(64 * 1024 * 1024);

    // Far more than the buffers of the system: the peer's write is stuck until it is read.
    let taken = false;
    peer.socket.write(large, () => (taken = true));
    for (let i = 0; i < 50; i++) await inputHandled();

    expect(taken).toBe(false);
    expect(converter.calls).toHaveLength(1);
    expect([...connector.connections]).toHaveLength(1);
  });

  it('is called again with the suffix that it left and what has arrived meanwhile', async () => {
    const { events, peer, slow: converter } = await slow();
    converter.answer = (data) => [data.subarray(3), WAIT_FOR_CALLBACK];
    peer.write('onetwo');
    const { callback } = await converter.call(1);
    peer.write('three');
    await inputHandled();
    converter.answer = () => [EMPTY, DONE];

    callback();

    // What had not been read yet may come a moment later, as a message of its own.
    await events.next('messageReceived');
    expect(converter.calls[0]?.data).toBe('onetwo');
    expect(converter.calls[1]?.data.startsWith('two')).toBe(true);
    if (converter.calls[1]?.data === 'two') await converter.call(3);
    expect(converter.calls.map(({ data }) => data).join('')).toBe('onetwotwothree');
  });

  it('is called again even if nothing is left and nothing has arrived', async () => {
    const { events, peer, slow: converter } = await slow();
    peer.write('all');
    const { callback } = await converter.call(1);
    converter.answer = () => [EMPTY, DONE];

    callback();

    expect(await events.next('messageReceived')).toMatchObject({ message: 'all' });
    expect(converter.calls.map(({ data }) => data)).toEqual(['all', '']);
  });

  it('may call back synchronously', async () => {
    const { events, peer, slow: converter } = await slow();
    converter.answer = (data, callback) => {
      if (data.length === 0) return [EMPTY, DONE];
      callback();
      return [EMPTY, WAIT_FOR_CALLBACK];
    };
    peer.write('sync');

    expect(await events.next('messageReceived')).toMatchObject({ message: 'sync' });
  });

  it('may call back synchronously for ever without keeping others from their turn', async () => {
    const { connector, connection, events, peer, slow: converter } = await slow();
    converter.answer = (data, callback) => {
      callback();
      return [data, WAIT_FOR_CALLBACK];
    };
    peer.write('never done');
    await converter.call(1000);

    connector.disconnect(connection, { now: true });

    expect(await events.next('finishDisconnect')).toMatchObject({ connection });
  });

  it('may call back twice: the second call is ignored', async () => {
    const { events, peer, slow: converter } = await slow();
    peer.write('one');
    const { callback } = await converter.call(1);
    callback();
    const { callback: second } = await converter.call(2);

    callback();
    callback();
    await inputHandled();

    expect(converter.calls).toHaveLength(2);
    converter.answer = () => [EMPTY, DONE];
    second();
    await events.next('messageReceived');
  });

  it('may ask for more after the callback', async () => {
    const { events, peer, slow: converter } = await slow();
    peer.write('one');
    const { callback } = await converter.call(1);
    converter.answer = () => [EMPTY, WAIT_FOR_MORE];
    callback();
    await converter.call(2);
    converter.answer = () => [EMPTY, DONE];
    peer.write('two');

    expect(await events.next('messageReceived')).toMatchObject({ message: 'onetwo' });
    expect(converter.calls.map(({ data }) => data)).toEqual(['one', '', 'two']);
  });

  it('that throws after the callback costs its connection', async () => {
    const { events, peer, slow: converter } = await slow();
    peer.write('one');
    const { callback } = await converter.call(1);
    converter.answer = () => {
      throw new Error('disk full');
    };
    callback();

    expect(await events.next('finishDisconnect')).toMatchObject({
      error: { code: 'PIKE_ERR_DESERIALIZER', cause: { message: 'disk full' } },
    });
    expect(converter.destroyed).toBe(1);
  });

  it.each([{ now: true }, { finishQueues: true }] as const)(
    'is destroyed once when we disconnect with %j, and its callback is ignored from then on',
    async (how) => {
      const { connector, connection, events, peer, slow: converter } = await slow();
      peer.write('one');
      const { callback } = await converter.call(1);

      connector.disconnect(connection, how);
      await events.next('finishDisconnect');
      callback();
      callback();
      await inputHandled();

      expect(converter.calls).toHaveLength(1);
      expect(converter.destroyed).toBe(1);
      await connector.shutdown({ now: true });
      expect(converter.destroyed).toBe(1);
    },
  );
});

describe('a peer that ends while the deserializer waits', () => {
  it('gives its RemoteDisconnect after the message', async () => {
    const { connector, connection, events, peer, slow: converter } = await slow();
    peer.write('file');
    const { callback } = await converter.call(1);
    peer.end();
    await peer.ended;
    expect(events.types()).toEqual(['remoteConnect']);
    expect([...connector.connections]).toEqual([connection]);
    converter.answer = () => [EMPTY, DONE];

    callback();

    expect(await events.next('remoteDisconnect')).toMatchObject({ error: undefined });
    expect(events.types()).toEqual(['remoteConnect', 'messageReceived', 'remoteDisconnect']);
    expect(converter.destroyed).toBe(0);
  });

  it('may need several callbacks', async () => {
    const { events, peer, slow: converter } = await slow();
    peer.write('file');
    const { callback } = await converter.call(1);
    peer.end();
    await peer.ended;
    callback();
    const { callback: second } = await converter.call(2);
    expect(events.types()).toEqual(['remoteConnect']);
    converter.answer = () => [EMPTY, DONE];
    second();

    await events.next('remoteDisconnect');
    expect(events.types()).toEqual(['remoteConnect', 'messageReceived', 'remoteDisconnect']);
  });

  it('gives the error when the message turns out not to be whole', async () => {
    const { events, peer, slow: converter } = await slow();
    peer.write('half a fi');
    const { callback } = await converter.call(1);
    peer.end();
    await peer.ended;
    converter.answer = () => [EMPTY, WAIT_FOR_MORE];

    callback();

    expect(await events.next('remoteDisconnect')).toMatchObject({
      error: { code: 'PIKE_ERR_TRUNCATED' },
    });
    expect(converter.destroyed).toBe(1);
  });

  it('gives the error when the deserializer then throws', async () => {
    const { events, peer, slow: converter } = await slow();
    peer.write('file');
    const { callback } = await converter.call(1);
    peer.end();
    await peer.ended;
    converter.answer = () => {
      throw new Error('disk full');
    };

    callback();

    expect(await events.next('remoteDisconnect')).toMatchObject({
      error: { code: 'PIKE_ERR_DESERIALIZER' },
    });
    expect(events.types()).toEqual(['remoteConnect', 'remoteDisconnect']);
  });

  it('waits for it even if the connection broke, and keeps the reason', async () => {
    const { connector, connection, events, peer, slow: converter } = await slow();
    peer.write('file');
    const { callback } = await converter.call(1);
    peer.reset();
    await peer.closed;
    while ([...connector.connections].length > 0 && connector.send(connection, 'notice')) {
      await inputHandled();
    }
    expect(events.types()).not.toContain('remoteDisconnect');
    converter.answer = () => [EMPTY, DONE];

    callback();

    expect(await events.next('remoteDisconnect')).toMatchObject({
      error: { code: 'PIKE_ERR_CONNECTION_LOST' },
    });
    expect(events.messages()).toEqual(['file']);
  });

  it('rejects what is sent to it meanwhile', async () => {
    const { connector, connection, events, peer, slow: converter } = await slow();
    peer.write('file');
    await converter.call(1);
    peer.end();
    await peer.ended;

    expect(connector.send(connection, 'late')).toBe(false);

    expect(await events.next('rejectedMessage')).toMatchObject({ message: 'late' });
  });

  it('keeps shutdown waiting, but not with now', async () => {
    const { connector, events, peer, slow: converter } = await slow();
    peer.write('file');
    await converter.call(1);
    peer.end();
    await peer.ended;
    let over = false;
    const gentle = connector.shutdown({ finishQueues: true }).then(() => (over = true));
    await inputHandled();
    expect(over).toBe(false);

    await connector.shutdown({ now: true });

    await gentle;
    expect(events.types()).toEqual(['remoteConnect', 'remoteDisconnect']);
    expect(converter.destroyed).toBe(1);
  });

  it('keeps shutdown waiting no longer than its deadline', async () => {
    const { connector, events, peer, slow: converter } = await slow();
    peer.write('file');
    await converter.call(1);
    peer.end();
    await peer.ended;

    await connector.shutdown({ finishQueues: true, deadline: 20 });

    expect(events.all.at(-1)).toMatchObject({
      type: 'remoteDisconnect',
      error: { code: 'PIKE_ERR_DEADLINE' },
    });
  });

  it('with allowHalfOpen, ends the connection if its message turns out not to be whole', async () => {
    const { events, peer, slow: converter } = await slow({ allowHalfOpen: true });
    peer.write('half a fi');
    const { callback } = await converter.call(1);
    peer.end();
    await peer.finished;
    await inputHandled();
    converter.answer = () => [EMPTY, WAIT_FOR_MORE];

    callback();

    expect(await events.next('remoteDisconnect')).toMatchObject({
      error: { code: 'PIKE_ERR_TRUNCATED' },
    });
  });

  it('with allowHalfOpen, can be answered after its message', async () => {
    const {
      connector,
      connection,
      events,
      peer,
      slow: converter,
    } = await slow({
      allowHalfOpen: true,
    });
    peer.write('file');
    const { callback } = await converter.call(1);
    peer.end();
    await peer.finished;
    await inputHandled();
    converter.answer = () => [EMPTY, DONE];
    callback();
    await events.next('messageReceived');

    connector.send(connection, 'stored');

    await peer.sees('stored\n');
    expect(events.types()).toEqual(['remoteConnect', 'messageReceived']);
  });
});
