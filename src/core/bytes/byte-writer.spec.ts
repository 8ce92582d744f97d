// Prevents: bytes lost or shifted when a message outgrows the writer's buffer.
import { describe, expect, it } from '@jest/globals';
import { ByteWriter } from './byte-writer.js';

function writer(room = 4): ByteWriter {
  return new ByteWriter(Buffer.alloc(room));
}

function written(subject: ByteWriter): Buffer {
  return subject.buffer.subarray(0, subject.position);
}

describe('ByteWriter', () => {
  it.each([
    ['UInt8', 1, [0, 0xff]],
    ['UInt16BE', 2, [0x1234]],
    ['UInt16LE', 2, [0x1234]],
    ['UInt32BE', 4, [0xfedcba98]],
    ['UInt32LE', 4, [0xfedcba98]],
    ['BigUInt64BE', 8, [0xfedcba9876543210n]],
    ['BigUInt64LE', 8, [0xfedcba9876543210n]],
    ['Int8', 1, [-128, 127]],
    ['Int16BE', 2, [-2, 0x1234]],
    ['Int16LE', 2, [-2, 0x1234]],
    ['Int32BE', 4, [-2, 0x12345678]],
    ['Int32LE', 4, [-2, 0x12345678]],
    ['BigInt64BE', 8, [-2n, 0x123456789abcdef0n]],
    ['BigInt64LE', 8, [-2n, 0x123456789abcdef0n]],
    ['FloatBE', 4, [-1.5, 0.1]],
    ['FloatLE', 4, [-1.5, 0.1]],
    ['DoubleBE', 8, [-1.5, 0.1]],
    ['DoubleLE', 8, [-1.5, 0.1]],
  ] as const)('writes %s as Buffer does, whatever its room', (name, bytes, values) => {
    for (const value of values) {
      const expected = Buffer.alloc(1 + bytes, 7);
      expected[`write${name}`](value as never, 1);
      for (let room = 1; room <= 10; room += 1) {
        const subject = writer(room).writeUInt8(7);
        expect(subject[`write${name}`](value as never)).toBe(subject);
        expect(written(subject)).toEqual(expected);
      }
    }
  });

  it.each([
    ['UInt8', 256],
    ['UInt16LE', -1],
    ['Int8', 128],
    ['Int32BE', 2 ** 31],
  ] as const)('refuses a %s out of range, without moving on', (name, value) => {
    const subject = writer();
    expect(() => subject[`write${name}`](value)).toThrow(
      expect.objectContaining({ name: 'RangeError' }),
    );
    expect(subject.position).toBe(0);
  });

  it('keeps what it holds when it grows', () => {
    const subject = writer(1);
    const expected: number[] = [];
    for (let i = 0; i < 1000; i += 1) {
      subject.writeUInt8(i & 0xff);
      expected.push(i & 0xff);
    }
    expect([...written(subject)]).toEqual(expected);
  });

  it('grows from nothing', () => {
    expect(written(writer(0).writeUInt16BE(1))).toEqual(Buffer.from([0, 1]));
  });

  it('keeps its buffer as long as there is room', () => {
    const buffer = Buffer.alloc(8);
    const subject = new ByteWriter(buffer).writeString('12345').writeUInt8(1);
    expect(subject.ensure(2).buffer).toBe(buffer);
    expect(subject.ensure(3).buffer).not.toBe(buffer);
  });

  it('leaves room for a length, and fills it in', () => {
    for (const [name, bytes] of [
      ['UInt8', 1],
      ['UInt16BE', 2],
      ['UInt16LE', 2],
      ['UInt32BE', 4],
      ['UInt32LE', 4],
    ] as const) {
      const subject = writer().writeUInt8(9);
      const length = subject.reserve(bytes);
      subject.writeString('a longer content').writeUInt8(9);
      subject[`fill${name}`](16, length);
      const expected = Buffer.alloc(bytes);
      expected[`write${name}`](16);
      expect(written(subject)).toEqual(
        Buffer.concat([Buffer.from([9]), expected, Buffer.from('a longer content\t')]),
      );
    }
  });

  it('goes back, but not on', () => {
    const subject = writer().writeString('abcdef');
    subject.rewind(2);
    expect(written(subject.writeString('x')).toString()).toBe('abx');
    expect(() => subject.rewind(4)).toThrow(RangeError);
    expect(() => subject.rewind(-1)).toThrow(RangeError);
    expect(() => subject.rewind(NaN)).toThrow(RangeError);
    expect(() => subject.reserve(-1)).toThrow(RangeError);
    expect(subject.position).toBe(3);
  });

  it('counts what was put into its buffer directly', () => {
    const subject = writer(4).writeUInt8(1);
    subject.ensure(6);
    subject.buffer.write('abcdef', subject.position);
    expect(written(subject.advance(6)).toString()).toBe('\x01abcdef');
    expect(() => subject.advance(1000)).toThrow(RangeError);
    expect(() => subject.advance(-1)).toThrow(RangeError);
  });

  it.each([
    ['utf8', 'Größe \u{1F600} €'],
    ['latin1', 'Größe'],
    ['utf16le', 'Größe \u{1F600}'],
    ['hex', '00ff10'],
    ['base64', 'AAECAwQ='],
  ] as const)('writes text as %s, whatever its room', (encoding, text) => {
    const expected = Buffer.from(text, encoding);
    for (let room = 0; room <= 3 * text.length + 1; room += 1) {
      expect(written(writer(room).writeString(text, encoding))).toEqual(expected);
    }
  });

  it('does not grow for text that fits', () => {
    const buffer = Buffer.alloc(10);
    expect(new ByteWriter(buffer).writeString('0123456789').buffer).toBe(buffer);
  });

  it('copies bytes', () => {
    const bytes = new Uint8Array([1, 2, 3, 4, 5, 6]);
    const subject = writer().writeBytes(bytes).writeBytes(new Uint8Array(0));
    bytes.fill(0);
    expect([...written(subject)]).toEqual([1, 2, 3, 4, 5, 6]);
  });

  it('starts over with another buffer', () => {
    const subject = writer().writeString('abc');
    const other = Buffer.alloc(2);
    subject.reset(other);
    expect([subject.position, subject.buffer]).toEqual([0, other]);
  });

  it('lets a message touch nothing but itself, once what is before it is protected', () => {
    const subject = writer().writeString('one');
    subject.protect();
    const at = subject.reserve(2);
    expect(at).toBe(3);
    subject.writeString('two').fillUInt16BE(0x6162, at);
    for (const position of [2, -1, 0.5, Number.NaN, 9]) {
      expect(() => subject.rewind(position)).toThrow(RangeError);
      expect(() => subject.fillUInt16BE(0, position)).toThrow(RangeError);
    }
    expect(() => subject.fillUInt16BE(0, subject.position - 1)).toThrow(/reaches from 3 to 8/);
    expect(written(subject).toString()).toBe('oneabtwo');
    subject.rewind(3);
    expect(written(subject).toString()).toBe('one');
    subject.reset(Buffer.alloc(4));
    subject.writeUInt8(1).rewind(0);
    expect(subject.position).toBe(0);
  });

  it.each<unknown>([
    undefined,
    null,
    5,
    'text',
    [1, 2],
    {},
    new ArrayBuffer(2),
    new Uint16Array(2),
  ])('takes no %p for bytes', (value) => {
    const subject = writer().writeString('one');
    expect(() => subject.writeBytes(value as Uint8Array)).toThrow(TypeError);
    expect(written(subject).toString()).toBe('one');
  });
});
