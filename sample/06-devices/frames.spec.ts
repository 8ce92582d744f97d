// Prevents: a reading that the line has garbled is believed, or a frame that costs more than its connection.
import { describe, expect, it } from '@jest/globals';
import { LengthPrefixedConverter } from 'nestjs-pike/converters';
import { everySplit, testConverter } from 'nestjs-pike/testing';
import { crc16 } from './crc16.js';
import type { Frame } from './frames.js';
import { framePayload } from './frames.js';

const CONVERTER = new LengthPrefixedConverter<Frame>({ bytes: 2, payload: framePayload });

/** A frame as another would write it: with its length, and a checksum of its own. */
function frame(...content: number[]): Buffer {
  const crc = crc16(Uint8Array.from(content), 0, content.length);
  return Buffer.from([0, content.length + 2, ...content, crc >> 8, crc & 0xff]);
}

testConverter<Frame>(
  CONVERTER,
  [
    { type: 'challenge', nonce: Buffer.alloc(16, 7) },
    { type: 'login', device: 'thermometer-1', proof: Buffer.alloc(32, 255) },
    { type: 'welcome' },
    { type: 'refused' },
    { type: 'reading', sensor: 255, value: -2_147_483_648 },
    { type: 'command', id: 4_294_967_295, code: 1, argument: 2_147_483_647 },
    { type: 'result', id: 0, status: 0, value: -1 },
    { type: 'display', text: 'Größe \u{1F600}' },
    { type: 'display', text: '' },
  ],
  {
    name: 'The protocol of the devices',
    malformed: {
      nothing: Buffer.from([0, 0]),
      'no checksum': Buffer.from([0, 1, 0x03]),
      'a wrong checksum': Buffer.from([0, 3, 0x03, 0, 0]),
      'an unknown type': frame(0x99),
      'a frame that is too long': frame(0x03, 0),
    },
  },
);

describe('the checksum', () => {
  it('is that of CRC-16/CCITT-FALSE', () => {
    expect(crc16(Buffer.from('123456789'), 0, 9)).toBe(0x29b1);
    expect(crc16(Buffer.from(''), 0, 0)).toBe(0xffff);
  });

  it('finds every bit that has changed', async () => {
    const bytes = frame(0x10, 1, 0, 0, 8, 154);
    expect((await everySplit(CONVERTER, bytes)).messages).toEqual([
      { type: 'reading', sensor: 1, value: 2202 },
    ]);
    for (let bit = 16; bit < bytes.length * 8; bit += 1) {
      const changed = Buffer.from(bytes);
      changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
      expect((await everySplit(CONVERTER, changed)).error).toMatchObject({
        code: 'PIKE_ERR_MALFORMED',
      });
    }
  });
});

it('refuses a frame that ends before its body does', async () => {
  expect((await everySplit(CONVERTER, frame(0x10, 1, 0))).error).toMatchObject({
    code: 'PIKE_ERR_OUT_OF_BYTES',
  });
});
