// Prevents: a converter's slip (taking nothing, too much, or half a message) that costs more than
// its own connection, and limits that hold or not by how the bytes happened to arrive.
import { describe, expect, it } from '@jest/globals';
import { ByteReader } from './bytes/byte-reader.js';
import type { ByteWriter } from './bytes/byte-writer.js';
import { DONE, WAIT_FOR_MORE } from './converter.js';
import { decodeFrame, FramedConverter, isFramedConverter } from './framed-converter.js';

/** Lines without limits of their own. */
class Lines extends FramedConverter<string> {
  encode(message: string, writer: ByteWriter): void {
    writer.writeString(message).writeUInt8(10);
  }

  decode(reader: ByteReader): string | undefined {
    const length = reader.indexOf(10);
    if (length === -1) {
      // Reading on, as a careless parser does, must not matter.
      reader.skip(reader.remaining);
      return undefined;
    }
    const line = reader.readString(length);
    reader.skip(1);
    return line;
  }
}

/** Decodes whatever it is told to. */
class Told<T> extends FramedConverter<T> {
  constructor(readonly tell: (reader: ByteReader) => T | undefined) {
    super();
  }

  encode(): void {}

  decode(reader: ByteReader): T | undefined {
    return this.tell(reader);
  }
}

const limits = { maxMessageBytes: 8 };

function reading(text: string): ByteReader {
  return new ByteReader(limits.maxMessageBytes, Buffer.from(text));
}

describe('decodeFrame', () => {
  it('takes one message after the other', () => {
    const reader = reading('one\ntwo\nthr');
    expect(decodeFrame(new Lines(), reader)).toBe('one');
    expect(decodeFrame(new Lines(), reader)).toBe('two');
    expect(decodeFrame(new Lines(), reader)).toBeUndefined();
  });

  it('goes back to where the message began while it is not whole', () => {
    const reader = reading('one\ntwo');
    decodeFrame(new Lines(), reader);
    expect(decodeFrame(new Lines(), reader)).toBeUndefined();
    expect(reader.position).toBe(4);
  });

  it('takes a message of the limit, its framing included', () => {
    expect(decodeFrame(new Lines(), reading('seven..\n'))).toBe('seven..');
  });

  it.each(['eight...\n', 'nine....x'])('refuses %j, over the limit, whole or not', (text) => {
    expect(() => decodeFrame(new Lines(), reading(text))).toThrow(code('MESSAGE_TOO_LARGE'));
  });

  it('waits while as much as the limit has arrived', () => {
    expect(decodeFrame(new Lines(), reading('eight...'))).toBeUndefined();
  });

  it('does not count what stands before or behind the message', () => {
    const reader = reading('one\ntwo\nthree\nfour and more than that\n');
    expect(decodeFrame(new Lines(), reader)).toBe('one');
    expect(decodeFrame(new Lines(), reader)).toBe('two');
  });

  it.each([false, 0, '', null, NaN, Buffer.alloc(0)])('knows %p for a message', (message) => {
    const told = new Told((reader) => {
      reader.skip(1);
      return message;
    });
    expect(decodeFrame<unknown>(told, reading('x'))).toBe(message);
  });

  it('refuses a message that took no bytes', () => {
    const nothing = new Told(() => 'message');
    expect(() => decodeFrame(nothing, reading('abc'))).toThrow(code('NO_PROGRESS'));
    const backwards = new Told((reader) => {
      reader.seek(0);
      return 'message';
    });
    const reader = reading('abc');
    reader.skip(1);
    expect(() => decodeFrame(backwards, reader)).toThrow(code('NO_PROGRESS'));
  });

  it('lets an error of decode pass', () => {
    const throwing = new Told(() => {
      throw new TypeError('mine');
    });
    expect(() => decodeFrame(throwing, reading('abc'))).toThrow(TypeError);
  });
});

describe('a FramedConverter as a plain Converter', () => {
  it('is atomic, and known as framed by brand', () => {
    const lines = new Lines();
    expect(lines.atomic).toBe(true);
    expect(isFramedConverter(lines)).toBe(true);
    const branded = { [Symbol.for('nestjs-pike.FramedConverter')]: true };
    expect(isFramedConverter(Object.assign(branded, lines))).toBe(true);
    const plain = {
      createSerializer: lines.createSerializer.bind(lines),
      createDeserializer: lines.createDeserializer.bind(lines),
    };
    expect(isFramedConverter(plain)).toBe(false);
  });

  it('serializes a message in one piece, and then ends it', () => {
    const text = 'x'.repeat(5000);
    const serializer = new Lines().createSerializer(text);
    expect(Buffer.from(serializer.getBytes(never) as Uint8Array).toString()).toBe(`${text}\n`);
    expect(serializer.getBytes(never)).toHaveLength(0);
    expect(serializer.getBytes(never)).toHaveLength(0);
  });

  it('answers WAIT_FOR_MORE with all bytes, and DONE with those behind the message', () => {
    const deserializer = new Lines().createDeserializer(undefined, limits);
    const part = Buffer.from('on');
    expect(deserializer.putBytes(part, never)).toEqual([part, WAIT_FOR_MORE]);
    const [unused, status] = deserializer.putBytes(Buffer.from('one\ntw'), never);
    expect([Buffer.from(unused as Uint8Array).toString(), status, deserializer.message]).toEqual([
      'tw',
      DONE,
      'one',
    ]);
  });

  it('refuses a message over the limit', () => {
    const deserializer = new Lines().createDeserializer(undefined, limits);
    expect(() => deserializer.putBytes(Buffer.from('nine....x'), never)).toThrow(
      code('MESSAGE_TOO_LARGE'),
    );
  });
});

function never(): void {
  throw new Error('A framed converter never waits for a callback.');
}

function code(name: string): unknown {
  return expect.objectContaining({ code: `PIKE_ERR_${name}` });
}
