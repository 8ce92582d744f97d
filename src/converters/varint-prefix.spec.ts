// Prevents: lengths that Protocol Buffers would read as others, and varints without end.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { ByteReader } from '../core/bytes/byte-reader.js';
import { ByteWriter } from '../core/bytes/byte-writer.js';
import { encodeAll, testConverter } from '../testing/converter-contract.js';
import { decodeAll, everySplit } from '../testing/every-split.js';
import { LengthPrefixedConverter } from './length-prefixed.js';
import { textPayload } from './text-payload.js';
import { varintPrefix } from './varint-prefix.js';

const converter = new LengthPrefixedConverter({ bytes: 'varint' });

testConverter(
  converter,
  [0, 1, 127, 128, 300].map((length) => Buffer.alloc(length, 'x')),
  {
    name: 'LengthPrefixedConverter of varints',
    malformed: {
      'a zero in two bytes': Buffer.from([0x80, 0x00]),
      'a length with a byte too many': Buffer.from([0x81, 0x80, 0x00]),
      'more than 32 bits': Buffer.from([0xff, 0xff, 0xff, 0xff, 0x10]),
      'a sixth byte': Buffer.from([0x80, 0x80, 0x80, 0x80, 0x80, 0x01]),
      'bytes that go on for ever': Buffer.alloc(100, 0xff),
    },
  },
);

describe('the varint', () => {
  it.each([
    [0, [0x00]],
    [1, [0x01]],
    [127, [0x7f]],
    [128, [0x80, 0x01]],
    // The example of Protocol Buffers' own documentation.
    [150, [0x96, 0x01]],
    [16_383, [0xff, 0x7f]],
    [16_384, [0x80, 0x80, 0x01]],
    [2_097_152, [0x80, 0x80, 0x80, 0x01]],
  ])('of %i is %p, and the content behind it stays whole', async (length, prefix) => {
    const content = Buffer.alloc(length);
    for (let i = 0; i < length; i += 1) content[i] = i % 251;
    const frame = await encodeAll(converter, content);
    expect([...frame.subarray(0, prefix.length)]).toEqual(prefix);
    expect(frame.subarray(prefix.length).equals(content)).toBe(true);
    const limits = { maxMessageBytes: frame.length };
    const [message] = await decodeAll(converter, frame, { limits });
    expect(message?.equals(content)).toBe(true);
  });

  it('counts up to 2^32 - 1', () => {
    const reader = new ByteReader(100, Buffer.from([0xff, 0xff, 0xff, 0xff, 0x0f]));
    expect(varintPrefix.read(reader)).toBe(2 ** 32 - 1);
    expect(reader.remaining).toBe(0);
  });

  it('is undone with the message that cannot be encoded', async () => {
    const texts = new LengthPrefixedConverter({ bytes: 'varint', payload: textPayload });
    const writer = new ByteWriter(Buffer.alloc(2));
    texts.encode('Größe'.repeat(40), writer);
    texts.encode('', writer);
    const bytes = writer.buffer.subarray(0, writer.position);
    expect(await decodeAll(texts, bytes)).toEqual(['Größe'.repeat(40), '']);
  });

  it.each([
    ['the length that does not fit any more', [98]],
    ['the largest length', [0xff, 0xff, 0xff, 0xff, 0x0f]],
  ])('is judged before a byte of the content has arrived: %s', async (_what, prefix) => {
    const limits = { maxMessageBytes: 98 };
    const { error } = await everySplit(converter, Buffer.from(prefix), { limits });
    expect(error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
  });

  it('gives back whatever is sent', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 })), async (sent) => {
        const wire = await Promise.all(sent.map((each) => encodeAll(converter, Buffer.from(each))));
        const received = await decodeAll(converter, Buffer.concat(wire));
        expect(received.map((each) => [...each])).toEqual(sent.map((each) => [...each]));
      }),
    );
  });

  it('gives a message, a wait or a PikeError for any bytes, the same at every cut', async () => {
    const bytes = fc.array(fc.constantFrom(0, 1, 2, 0x7f, 0x80, 0x81, 0xff), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(bytes, async (input) => {
        const { error } = await everySplit(converter, Buffer.from(input));
        if (error !== undefined) expect(error).toHaveProperty('code');
      }),
    );
  });
});
