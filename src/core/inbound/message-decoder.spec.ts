/*
 * Prevents: a deserializer called against its contract, a message with bytes of another, and a
 * deserializer that is never released, or twice.
 */
import { describe, expect, it } from '@jest/globals';
import { Connection } from '../connection.js';
import type { Converter, PutBytesResult } from '../converter.js';
import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from '../converter.js';
import { FramedConverter } from '../framed-converter.js';
import type { ByteReader } from '../bytes/byte-reader.js';
import type { MessageDecoder } from './message-decoder.js';
import { createMessageDecoder } from './message-decoder.js';

const CONNECTION = new Connection({ id: 1, inbound: true, remote: undefined, local: undefined });
const LIMITS = { maxMessageBytes: 20 };
const EMPTY = Buffer.alloc(0);

/** Words that end in a space. */
class FramedWords extends FramedConverter<string> {
  encode(): void {}

  decode(reader: ByteReader): string | undefined {
    const length = reader.indexOf(0x20);
    if (length === -1) return undefined;
    const word = reader.readString(length);
    reader.skip(1);
    return word;
  }
}

type PutBytes = (data: Buffer, callback: () => void) => PutBytesResult;

interface Prepared {
  decoder: MessageDecoder<string>;
  /** What each call was given. */
  calls: string[];
  counts: { created: number; destroyed: number; ready: number };
  errors: Error[];
}

function prepare(putBytes: PutBytes, destroy: () => void = () => {}): Prepared {
  const calls: string[] = [];
  const counts = { created: 0, destroyed: 0, ready: 0 };
  const errors: Error[] = [];
  const converter: Converter<string> = {
    createSerializer: () => ({ getBytes: () => EMPTY }),
    createDeserializer: () => {
      const number = ++counts.created;
      return {
        message: `message ${number}`,
        putBytes(data, callback) {
          calls.push(data.toString());
          return putBytes(data, callback);
        },
        destroy() {
          counts.destroyed++;
          destroy();
        },
      };
    },
  };
  const decoder = createMessageDecoder(
    converter,
    CONNECTION,
    LIMITS,
    () => counts.ready++,
    (error) => errors.push(error),
  );
  return { decoder, calls, counts, errors };
}

/** Everything that the bytes hold, and what stops the decoder. */
function decodeAll(decoder: MessageDecoder<string>, bytes: string): string[] {
  decoder.reset(Buffer.from(bytes));
  const log: string[] = [];
  for (;;) {
    const progress = decoder.next();
    log.push(progress === 'message' ? decoder.message : progress);
    if (progress !== 'message') return log;
  }
}

describe('the decoder of a framed converter', () => {
  const create = (): MessageDecoder<string> =>
    createMessageDecoder(new FramedWords(), CONNECTION, LIMITS, () => {}, undefined);

  it('takes every message at hand and leaves the rest', () => {
    const decoder = create();

    expect(decodeAll(decoder, 'one two thr')).toEqual(['one', 'two', 'needs more']);
    expect(decoder.remaining).toBe(3);
    expect(decoder.inMidMessage).toBe(true);
    expect(decodeAll(decoder, 'three ')).toEqual(['three', 'needs more']);
    expect(decoder.remaining).toBe(0);
    expect(decoder.inMidMessage).toBe(false);
    expect(() => decoder.abandon()).not.toThrow();
  });

  it('refuses a message over the limit, whole or not', () => {
    expect(() => decodeAll(create(), 'x'.repeat(21))).toThrow('20 bytes');
    expect(() => decodeAll(create(), `${'x'.repeat(20)} `)).toThrow('20 bytes');
    expect(decodeAll(create(), `${'x'.repeat(19)} `)).toEqual(['x'.repeat(19), 'needs more']);
  });
});

describe('the decoder of a plain converter', () => {
  it('makes one deserializer for each message, when its first byte is there', () => {
    const { decoder, calls, counts } = prepare((data) => [data.subarray(3), DONE]);

    expect(decodeAll(decoder, '')).toEqual(['needs more']);
    expect(counts.created).toBe(0);
    expect(decodeAll(decoder, 'onetwosix')).toEqual([
      'message 1',
      'message 2',
      'message 3',
      'needs more',
    ]);
    expect(calls).toEqual(['onetwosix', 'twosix', 'six']);
    expect(counts).toEqual({ created: 3, destroyed: 0, ready: 0 });
  });

  it('does not call again before there is more', () => {
    const { decoder, calls } = prepare((data) => [data, WAIT_FOR_MORE]);
    decodeAll(decoder, 'on');

    expect(decoder.remaining).toBe(2);
    expect(decoder.inMidMessage).toBe(true);
    expect(calls).toEqual(['on']);
    decodeAll(decoder, 'one');
    expect(calls).toEqual(['on', 'one']);
  });

  it('calls nothing until the callback, then even with nothing', () => {
    let callback: () => void = () => {};
    const { decoder, calls, counts } = prepare((data, ready) => {
      callback = ready;
      return data.length === 0 ? [data, DONE] : [EMPTY, WAIT_FOR_CALLBACK];
    });
    expect(decodeAll(decoder, 'one')).toEqual(['waiting']);
    expect(decodeAll(decoder, 'more')).toEqual(['waiting']);
    expect(calls).toEqual(['one']);

    callback();
    callback();

    expect(counts.ready).toBe(1);
    expect(decodeAll(decoder, '')).toEqual(['message 1', 'needs more']);
    expect(calls).toEqual(['one', '']);
  });

  it('goes on at once after a callback that came synchronously', () => {
    const { decoder, calls, counts } = prepare((data, ready) => {
      if (data.length === 0) return [data, DONE];
      ready();
      return [data.subarray(1), WAIT_FOR_CALLBACK];
    });

    expect(decodeAll(decoder, 'one')).toEqual(['message 1', 'needs more']);
    expect(calls).toEqual(['one', 'ne', 'e', '']);
    expect(counts.ready).toBe(0);
  });

  it('counts what is used, whatever the suffix is made of', () => {
    const { decoder, calls } = prepare((data) => [new Uint8Array(data.subarray(3)), DONE]);

    expect(decodeAll(decoder, 'onetwo')).toEqual(['message 1', 'message 2', 'needs more']);
    expect(calls).toEqual(['onetwo', 'two']);
  });

  it('releases the deserializer of a message that will not go on, once, and ignores its callback', () => {
    let callback: () => void = () => {};
    const { decoder, counts } = prepare((_, ready) => {
      callback = ready;
      return [EMPTY, WAIT_FOR_CALLBACK];
    });
    decodeAll(decoder, 'one');

    decoder.abandon();
    decoder.abandon();
    callback();

    expect(counts).toEqual({ created: 1, destroyed: 1, ready: 0 });
  });

  it('does not release a deserializer that is done', () => {
    const { decoder, counts } = prepare((data) => [data.subarray(3), DONE]);
    decodeAll(decoder, 'one');
    decoder.abandon();

    expect(counts.destroyed).toBe(0);
  });

  it('reports what destroy throws', () => {
    const { decoder, errors } = prepare(
      (data) => [data, WAIT_FOR_MORE],
      () => {
        throw new Error('cannot delete');
      },
    );
    decodeAll(decoder, 'one');
    decoder.abandon();

    expect(errors.map(({ message }) => message)).toEqual(['cannot delete']);
  });

  it('stops when it is abandoned from within putBytes', () => {
    let abandon: () => void = () => {};
    const { decoder, calls } = prepare((data) => {
      abandon();
      return [data.subarray(3), DONE];
    });
    abandon = () => decoder.abandon();

    expect(decodeAll(decoder, 'onetwo')).toEqual(['waiting']);
    expect(calls).toEqual(['onetwo']);
  });

  it('refuses to be done a hundred times in a row without a byte used', () => {
    const { decoder } = prepare((data) => [data, DONE]);

    expect(() => decodeAll(decoder, 'one')).toThrow('100 times in a row');
  });

  it('may leave up to the limit unused, and no more', () => {
    const { decoder } = prepare((data) => [data, WAIT_FOR_MORE]);

    expect(decodeAll(decoder, 'x'.repeat(20))).toEqual(['needs more']);
    expect(() => decodeAll(decoder, 'x'.repeat(21))).toThrow('20 bytes');
  });
});
