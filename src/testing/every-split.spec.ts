// Prevents: a decoder test that passes although a message cut at an unlucky byte is misread.
import { describe, expect, it } from '@jest/globals';
import type { ByteReader } from '../core/bytes/byte-reader.js';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import type { Converter, Deserializer, PutBytesResult } from '../core/converter.js';
import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from '../core/converter.js';
import { PikeError } from '../core/errors.js';
import { FramedConverter } from '../core/framed-converter.js';
import { decodeAll, decodePieces, everySplit } from './every-split.js';

/** Lines, found by `find`, whose faults the tests vary. */
class Lines extends FramedConverter<string> {
  constructor(readonly find: (reader: ByteReader) => number) {
    super();
  }

  encode(message: string, writer: ByteWriter): void {
    writer.writeString(`${message}\n`);
  }

  decode(reader: ByteReader): string | undefined {
    const length = this.find(reader);
    if (length === -1) return undefined;
    const line = reader.readString(length);
    reader.skip(1);
    if (line === 'bad') throw new PikeError('PIKE_ERR_MALFORMED', 'bad');
    return line;
  }
}

/** How far a careless decoder has looked already. */
let looked = 0;

const good = new Lines((reader) => reader.indexOf(10));

/** Messages of three bytes; it waits for its callback after each byte, for a turn or not at all. */
function slow(synchronously: boolean, whileWaiting = (): void => {}): Converter<string> {
  return {
    createSerializer: () => ({ getBytes: () => new Uint8Array(0) }),
    createDeserializer: (): Deserializer<string> => {
      let message = '';
      return {
        get message() {
          return message;
        },
        putBytes(data, callback): PutBytesResult {
          whileWaiting();
          if (message.length === 3) return [data, DONE];
          if (data.length === 0) return [data, WAIT_FOR_MORE];
          message += data.toString('latin1', 0, 1);
          if (synchronously) callback();
          else setImmediate(callback);
          return [data.subarray(1), WAIT_FOR_CALLBACK];
        },
      };
    },
  };
}

describe('everySplit', () => {
  it('gives what comes out, if it is always the same', async () => {
    expect(await everySplit(good, Buffer.from('one\n\nthree\n'))).toEqual({
      messages: ['one', '', 'three'],
      error: undefined,
      incomplete: false,
    });
  });

  it('gives the messages before an error, and the error', async () => {
    const { messages, error } = await everySplit(good, Buffer.from('one\nbad\nthree\n'));
    expect(messages).toEqual(['one']);
    expect(error).toMatchObject({ code: 'PIKE_ERR_MALFORMED' });
  });

  it('says that the bytes end within a message', async () => {
    expect(await everySplit(good, Buffer.from('one\ntw'))).toMatchObject({ incomplete: true });
    expect(await everySplit(good, Buffer.alloc(0))).toMatchObject({ incomplete: false });
  });

  it('passes the limits on', async () => {
    const { error } = await everySplit(good, Buffer.from('three\n'), {
      limits: { maxMessageBytes: 5 },
    });
    expect(error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
  });

  it('handles long bytes in bearable time', async () => {
    const text = 'x'.repeat(100_000);
    expect((await everySplit(good, Buffer.from(`${text}\n`))).messages).toEqual([text]);
  });

  it.each([
    ['takes what has arrived for all', new Lines((reader) => Math.min(2, reader.remaining - 1))],
    [
      'looks only at what is new',
      new Lines((reader) => {
        const at = reader.indexOf(Buffer.from('b\n'), looked);
        looked = at === -1 ? reader.remaining : 0;
        return at;
      }),
    ],
    [
      'throws when it should wait',
      new Lines((reader) => {
        if (reader.remaining < 2) throw new Error('too short');
        return reader.indexOf(10);
      }),
    ],
    [
      'expects a message to come alone',
      new Lines((reader) => {
        const at = reader.indexOf(10);
        return at === reader.remaining - 1 ? at : -1;
      }),
    ],
  ])('finds a decoder that %s', async (_what, converter) => {
    await expect(everySplit(converter, Buffer.from('\nab\n'))).rejects.toMatchObject({
      code: 'ERR_ASSERTION',
    });
  });

  it('finds a converter whose deserializers share state', async () => {
    let collected = '';
    const sharing: Converter<string> = {
      ...slow(true),
      createDeserializer: () => ({
        message: 'message',
        putBytes(data): PutBytesResult {
          collected += data.toString();
          return collected.length < 3 ? [Buffer.alloc(0), WAIT_FOR_MORE] : [Buffer.alloc(0), DONE];
        },
      }),
    };
    await expect(everySplit(sharing, Buffer.from('abc'))).rejects.toMatchObject({
      code: 'ERR_ASSERTION',
    });
  });

  it.each([true, false])('waits for callbacks (synchronous: %p)', async (synchronously) => {
    expect(await everySplit(slow(synchronously), Buffer.from('onetwo'))).toEqual({
      messages: ['one', 'two'],
      error: undefined,
      incomplete: false,
    });
  });

  it('compares what it is told to', async () => {
    let count = 0;
    const counting = new (class extends FramedConverter<{ line: string; count: number }> {
      encode(): void {}
      decode(reader: ByteReader): { line: string; count: number } | undefined {
        const line = good.decode(reader);
        return line === undefined ? undefined : { line, count: (count += 1) };
      }
    })();
    const bytes = Buffer.from('one\n');
    await expect(everySplit(counting, bytes)).rejects.toThrow();
    await everySplit(counting, bytes, { compare: ({ line }) => line });
  });
});

describe('decodeAll', () => {
  it('gives the messages', async () => {
    expect(await decodeAll(good, Buffer.from('one\ntwo\n'))).toEqual(['one', 'two']);
  });

  it('throws what the converter throws', async () => {
    await expect(decodeAll(good, Buffer.from('bad\n'))).rejects.toMatchObject({
      code: 'PIKE_ERR_MALFORMED',
    });
  });

  it('throws if the bytes end within a message', async () => {
    await expect(decodeAll(good, Buffer.from('one'))).rejects.toMatchObject({
      code: 'PIKE_ERR_TRUNCATED',
    });
  });

  it('does not wait for ever for a callback', async () => {
    const stuck: Converter<string> = {
      ...slow(true),
      createDeserializer: () => ({
        message: '',
        putBytes: (data): PutBytesResult => [data, WAIT_FOR_CALLBACK],
      }),
    };
    await expect(decodeAll(stuck, Buffer.from('x'), { patience: 10 })).rejects.toThrow('10 ms');
  });

  it('destroys the deserializer of a message that does not end', async () => {
    let destroyed = 0;
    const { createDeserializer, ...rest } = slow(false);
    const tracked: Converter<string> = {
      ...rest,
      createDeserializer: (connection, limits) =>
        Object.assign(createDeserializer(connection, limits), { destroy: () => (destroyed += 1) }),
    };
    expect(await decodePieces(tracked, [Buffer.from('onet')])).toMatchObject({ incomplete: true });
    expect(destroyed).toBe(1);
  });
});
