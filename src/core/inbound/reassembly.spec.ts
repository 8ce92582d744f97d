/*
 * Prevents: a message overwritten by a later one while the application still holds a view of it,
 * and a large message whose every piece copies all the pieces before it (24 s for 64 MiB).
 */
import { describe, expect, it, jest } from '@jest/globals';
import { Reassembly } from './reassembly.js';

const MOST = 1_000_000;

describe('Reassembly', () => {
  it('takes no more room than the largest message can need, and none per piece beyond', () => {
    const most = 1000;
    const reassembly = new Reassembly(most);
    const room = (): number => reassembly.bytes.buffer.byteLength;
    while (reassembly.length < most) {
      reassembly.append(Buffer.alloc(7));
      if (reassembly.length > 7) expect(room()).toBeLessThanOrEqual(most + 7);
    }
    // A deserializer that waits may be behind by more than a message: it grows as ever.
    reassembly.append(Buffer.alloc(most));
    expect(room()).toBeGreaterThanOrEqual(2 * most);
  });

  it('holds what has arrived and is not dropped', () => {
    const reassembly = new Reassembly(MOST);
    expect(reassembly.length).toBe(0);
    expect(reassembly.bytes).toHaveLength(0);

    reassembly.append(Buffer.from('one '));
    reassembly.append(Buffer.from('two '));
    reassembly.append(Buffer.from('three'));
    expect(reassembly.bytes.toString()).toBe('one two three');

    reassembly.drop(4);
    expect(reassembly.bytes.toString()).toBe('two three');
    reassembly.append(Buffer.from('!'));
    expect(reassembly.bytes.toString()).toBe('two three!');
    expect(reassembly.length).toBe(10);

    reassembly.drop(10);
    expect(reassembly.length).toBe(0);
    reassembly.append(Buffer.from('again'));
    expect(reassembly.bytes.toString()).toBe('again');
  });

  it('takes what arrives alone without copying it', () => {
    const reassembly = new Reassembly(MOST);
    const arrived = Buffer.from('whole message');

    reassembly.append(arrived);

    expect(reassembly.bytes).toBe(arrived);
  });

  it('never writes to the buffers that it was given', () => {
    const reassembly = new Reassembly(MOST);
    const roomy = Buffer.alloc(100, '.');
    reassembly.append(roomy.subarray(0, 3));

    reassembly.append(Buffer.from('xyz'));

    expect(roomy.toString()).toBe('.'.repeat(100));
    expect(reassembly.bytes.toString()).toBe('...xyz');
  });

  it('never writes over a view that it has handed out', () => {
    const reassembly = new Reassembly(MOST);
    const views: { view: Buffer; expected: string }[] = [];
    for (let i = 0; i < 2000; i++) {
      const size = (i * 7) % 23;
      reassembly.append(Buffer.alloc(size, `piece ${i} `));
      const { bytes } = reassembly;
      views.push({ view: bytes, expected: bytes.toString('hex') });
      reassembly.drop((i * 5) % (bytes.length + 1));
    }

    expect(views.every(({ view, expected }) => view.toString('hex') === expected)).toBe(true);
  });

  it.each([
    ['64 KiB', 64 * 1024, 16 * 1024 * 1024],
    ['one byte', 1, 64 * 1024],
  ])('copies each byte of a large message a few times only, in pieces of %s', (_, piece, total) => {
    const reassembly = new Reassembly(MOST);
    const arrived = Buffer.alloc(piece, 'x');

    const copied = bytesCopied(() => {
      for (let bytes = 0; bytes < total; bytes += piece) reassembly.append(arrived);
    });

    expect(reassembly.length).toBe(total);
    expect(copied).toBeLessThan(4 * total);
  });

  it('copies of an arrival only what completes the message that had begun before it', () => {
    const reassembly = new Reassembly(MOST);
    const arrived = Buffer.alloc(64 * 1024);
    const pieces = 100;

    const copied = bytesCopied(() => {
      for (let i = 0; i < pieces; i++) {
        reassembly.append(arrived);
        // The first message, and with the next look all that are whole.
        reassembly.drop(100);
        reassembly.drop(reassembly.bytes.length - 10);
      }
    });

    expect(reassembly.length).toBe(10);
    expect(copied).toBeLessThan(pieces * 2048);
  });

  it('shows more of an arrival until the message is whole, and the rest where it lies', () => {
    const reassembly = new Reassembly(MOST);
    const bytes = Buffer.from(Array.from({ length: 10_000 }, (_, i) => i));
    reassembly.append(bytes.subarray(0, 100));
    const arrival = bytes.subarray(100);
    reassembly.append(arrival);
    expect(reassembly.length).toBe(10_000);

    const shown: number[] = [];
    do shown.push(reassembly.bytes.length);
    while (reassembly.bytes.length < 3000 && reassembly.showMore());
    expect(reassembly.bytes.equals(bytes.subarray(0, reassembly.bytes.length))).toBe(true);
    expect(shown.length).toBeGreaterThan(1);
    reassembly.drop(3000);

    expect(reassembly.length).toBe(7000);
    expect(reassembly.bytes.equals(bytes.subarray(3000))).toBe(true);
    expect(reassembly.bytes.buffer).toBe(arrival.buffer);
    expect(reassembly.showMore()).toBe(false);
  });

  it('holds on to what is not shown when more arrives', () => {
    const reassembly = new Reassembly(MOST);
    const bytes = Buffer.from(Array.from({ length: 50_000 }, (_, i) => (i * 7) >> 3));
    let at = 0;
    for (let size = 1; at < bytes.length; at += size, size = (size * 5) % 7919) {
      reassembly.append(bytes.subarray(at, at + size));
    }
    while (reassembly.showMore());

    expect(reassembly.length).toBe(bytes.length);
    expect(reassembly.bytes.equals(bytes)).toBe(true);
  });
});

/** How many bytes are copied from buffer to buffer meanwhile. */
function bytesCopied(run: () => void): number {
  const copy = jest.spyOn(Buffer.prototype, 'copy');
  run();
  const copied = copy.mock.results.reduce((sum, { value }) => sum + Number(value), 0);
  copy.mockRestore();
  return copied;
}
