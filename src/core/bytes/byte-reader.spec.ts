// Prevents: decoders that read past what has arrived, or another number than was sent.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader } from './byte-reader.js';

const BYTES = Buffer.from([0x80, 0x01, 0xfe, 0xff, 0x7f, 0xc0, 0x00, 0x01]);

function reader(bytes: Buffer = BYTES): ByteReader {
  return new ByteReader(1024, bytes);
}

describe('ByteReader', () => {
  it.each([
    ['UInt8', 1],
    ['UInt16BE', 2],
    ['UInt16LE', 2],
    ['UInt32BE', 4],
    ['UInt32LE', 4],
    ['BigUInt64BE', 8],
    ['BigUInt64LE', 8],
    ['Int8', 1],
    ['Int16BE', 2],
    ['Int16LE', 2],
    ['Int32BE', 4],
    ['Int32LE', 4],
    ['BigInt64BE', 8],
    ['BigInt64LE', 8],
    ['FloatBE', 4],
    ['FloatLE', 4],
    ['DoubleBE', 8],
    ['DoubleLE', 8],
  ] as const)('reads %s as Buffer does, and moves on', (name, bytes) => {
    for (let start = 0; start + bytes <= BYTES.length; start += 1) {
      const subject = reader();
      subject.seek(start);
      expect(subject[`read${name}`]()).toEqual(BYTES[`read${name}`](start));
      expect(subject.position).toBe(start + bytes);
    }
    const short = reader(BYTES.subarray(0, bytes - 1));
    expect(() => short[`read${name}`]()).toThrow(outOfBytes());
    expect(short.position).toBe(0);
  });

  it.each(['UInt8', 'UInt16BE', 'UInt16LE', 'UInt32BE', 'UInt32LE'] as const)(
    'peeks %s at an offset without moving on',
    (name) => {
      const subject = reader();
      subject.skip(1);
      expect(subject[`peek${name}`]()).toBe(BYTES[`read${name}`](1));
      expect(subject[`peek${name}`](3)).toBe(BYTES[`read${name}`](4));
      expect(subject.position).toBe(1);
      expect(() => subject[`peek${name}`](7)).toThrow(outOfBytes());
      expect(() => subject[`peek${name}`](-1)).toThrow(outOfBytes());
      expect(() => subject[`peek${name}`](0.5)).toThrow(outOfBytes());
    },
  );

  it('counts what remains', () => {
    const subject = reader();
    expect([subject.position, subject.remaining]).toEqual([0, 8]);
    subject.skip(3);
    expect([subject.position, subject.remaining]).toEqual([3, 5]);
    subject.skip(5);
    expect([subject.position, subject.remaining]).toEqual([8, 0]);
    subject.skip(0);
    expect(() => subject.skip(1)).toThrow(outOfBytes());
  });

  it('goes back and on, but not out of its bytes', () => {
    const subject = reader();
    subject.seek(8);
    subject.seek(0);
    expect(() => subject.seek(9)).toThrow(outOfBytes());
    expect(() => subject.seek(-1)).toThrow(outOfBytes());
    expect(() => subject.seek(NaN)).toThrow(outOfBytes());
    expect(subject.position).toBe(0);
  });

  it.each([9, -1, NaN, Infinity])('takes no %p bytes', (bytes) => {
    const subject = reader();
    expect(() => subject.readBytes(bytes)).toThrow(outOfBytes());
    expect(() => subject.copyBytes(bytes)).toThrow(outOfBytes());
    expect(() => subject.readString(bytes)).toThrow(outOfBytes());
    expect(() => subject.skip(bytes)).toThrow(outOfBytes());
    expect(subject.position).toBe(0);
  });

  it('reads bytes as a view or as a copy', () => {
    const bytes = Buffer.from([1, 2, 3, 4]);
    const subject = reader(bytes);
    const view = subject.readBytes(2);
    const copy = subject.copyBytes(2);
    bytes.fill(9);
    expect([[...view], [...copy]]).toEqual([
      [9, 9],
      [3, 4],
    ]);
  });

  it('reads text in an encoding', () => {
    const subject = reader(Buffer.from('Größe\xff', 'latin1'));
    expect(subject.readString(5, 'latin1')).toBe('Größe');
    expect(subject.readString(1)).toBe('\ufffd');
    expect(reader(Buffer.from('Größe')).readString(7)).toBe('Größe');
  });

  it('finds bytes ahead, and none behind', () => {
    const subject = reader(Buffer.from('a,b,\r\nc'));
    subject.skip(2);
    expect(subject.indexOf(0x2c)).toBe(1);
    expect(subject.indexOf(0x2c, 2)).toBe(-1);
    expect(subject.indexOf(Buffer.from('\r\n'))).toBe(2);
    expect(subject.indexOf(0x61)).toBe(-1);
    expect(subject.position).toBe(2);
  });

  it('does not seek again where it has sought in vain, and goes on behind', () => {
    const subject = reader(Buffer.from('ab,cd\r'));
    expect(subject.indexOf(0x2c)).toBe(2);
    subject.skip(3);
    const newline = Buffer.from('\r\n');
    expect(subject.indexOf(newline)).toBe(-1);
    // What was looked through is not what it was: a search that finds it has looked again.
    subject.resume(Buffer.from('\r\n\r\n\r\n'));
    expect(subject.indexOf(newline)).toBe(2);
    expect(subject.indexOf(0x0d)).toBe(0);
    subject.reset(Buffer.from('\r\n'));
    expect(subject.indexOf(newline)).toBe(0);
  });

  it('seeks again from an earlier place, and for something else', () => {
    const subject = reader(Buffer.from('a,bcd'));
    expect(subject.indexOf(0x2c, 3)).toBe(-1);
    expect(subject.indexOf(0x2c)).toBe(1);
    expect(subject.indexOf(0x63)).toBe(3);
    expect(subject.indexOf(0x78)).toBe(-1);
    subject.resume(Buffer.from('a,bcdx'));
    expect(subject.indexOf(0x78, 6)).toBe(-1);
    expect(subject.indexOf(0x78)).toBe(5);
  });

  it('finds whatever is sought as Buffer does, however the bytes arrive', () => {
    const bytes = fc.array(fc.constantFrom(1, 2), { maxLength: 12 });
    const values = fc.constantFrom<number | Uint8Array>(
      1,
      2,
      Buffer.from([1, 2]),
      Buffer.from([2, 2, 1]),
    );
    const step = fc.record({
      arrives: bytes,
      skips: fc.nat(4),
      searches: fc.array(fc.tuple(values, fc.nat(8)), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const subject = new ByteReader(1024);
        let unread = Buffer.alloc(0);
        for (const { arrives, skips, searches } of steps) {
          unread = Buffer.concat([unread, Buffer.from(arrives)]);
          subject.resume(unread);
          for (const [value, offset] of searches) {
            expect(subject.indexOf(value, offset)).toBe(unread.indexOf(value, offset));
          }
          subject.skip(Math.min(skips, unread.length));
          unread = unread.subarray(subject.position);
          for (const [value, offset] of searches) {
            expect(subject.indexOf(value, offset)).toBe(unread.indexOf(value, offset));
          }
        }
      }),
    );
  });

  it('starts over with other bytes', () => {
    const subject = new ByteReader(7);
    expect(subject.remaining).toBe(0);
    subject.reset(BYTES);
    subject.skip(4);
    const next = Buffer.from([5]);
    subject.reset(next);
    expect([subject.buffer, subject.position, subject.maxMessageBytes]).toEqual([next, 0, 7]);
  });
});

function outOfBytes(): unknown {
  return expect.objectContaining({ code: 'PIKE_ERR_OUT_OF_BYTES' });
}
