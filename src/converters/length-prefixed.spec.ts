// Prevents: frames that a device cannot read, and peers that reserve memory by declaring a length.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { encodeAll, testConverter } from '../testing/converter-contract.js';
import { decodeAll, everySplit } from '../testing/every-split.js';
import { jsonPayload } from './json-payload.js';
import { LengthPrefixedConverter } from './length-prefixed.js';
import { messagePackPayload } from './message-pack-payload.js';
import type { PayloadCodec } from './payload-codec.js';
import { rawPayload } from './raw-payload.js';
import { textPayload } from './text-payload.js';

const SAMPLES = [
  Buffer.alloc(0),
  Buffer.from('a'),
  Buffer.from([0, 1, 254, 255]),
  Buffer.alloc(200),
];
const FORMS = [
  { bytes: 1, order: 'BE', prefix: [3] },
  { bytes: 1, order: 'LE', prefix: [3] },
  { bytes: 2, order: 'BE', prefix: [0, 3] },
  { bytes: 2, order: 'LE', prefix: [3, 0] },
  { bytes: 4, order: 'BE', prefix: [0, 0, 0, 3] },
  { bytes: 4, order: 'LE', prefix: [3, 0, 0, 0] },
] as const;

for (const { bytes, order } of FORMS) {
  testConverter(new LengthPrefixedConverter({ bytes, order }), SAMPLES, {
    name: `LengthPrefixedConverter of ${bytes} bytes ${order}`,
    unsendable: { 'a string': 'abc', 'an array': [1, 2], undefined },
  });
}

testConverter(new LengthPrefixedConverter({ payload: textPayload }), ['', 'Größe', '\u{1F600}'], {
  name: 'LengthPrefixedConverter of texts',
  malformed: { 'invalid UTF-8': Buffer.from([0, 0, 0, 1, 0xff]) },
  unsendable: { 'a number': 1 },
});

describe('the frame', () => {
  it.each(FORMS)('is a length of $bytes bytes $order, then the content', async (form) => {
    const converter = new LengthPrefixedConverter({ bytes: form.bytes, order: form.order });
    const frame = await encodeAll(converter, Buffer.from([7, 8, 9]));
    expect([...frame]).toEqual([...form.prefix, 7, 8, 9]);
  });

  it('is of four bytes, big-endian, unless something else is asked for', async () => {
    const frame = await encodeAll(new LengthPrefixedConverter(), Buffer.from('x'));
    expect([...frame]).toEqual([0, 0, 0, 1, 120]);
  });

  it.each([
    [1, 255],
    [2, 65_535],
  ] as const)('of %i bytes holds %i bytes at most', async (bytes, most) => {
    const converter = new LengthPrefixedConverter({ bytes });
    const frame = await encodeAll(converter, Buffer.alloc(most));
    expect(frame).toHaveLength(bytes + most);
    await expect(encodeAll(converter, Buffer.alloc(most + 1))).rejects.toMatchObject({
      code: 'PIKE_ERR_MESSAGE_TOO_LARGE',
    });
  });

  it('gives raw bytes as a view, without copying', () => {
    const frame = Buffer.from([0, 0, 0, 2, 5, 6]);
    const deserializer = new LengthPrefixedConverter().createDeserializer(undefined, {
      maxMessageBytes: 100,
    });
    deserializer.putBytes(frame, () => {});
    frame[4] = 99;
    expect([...deserializer.message]).toEqual([99, 6]);
  });
});

describe('a declared length', () => {
  it.each([
    ['the length that does not fit any more', [0, 0, 0, 97]],
    ['the largest length', [255, 255, 255, 255]],
    ['a length that would be negative if it were signed', [128, 0, 0, 0]],
  ])('is refused before a byte of the content has arrived: %s', async (_what, prefix) => {
    const { error } = await everySplit(new LengthPrefixedConverter(), Buffer.from(prefix), {
      limits: { maxMessageBytes: 100 },
    });
    expect(error).toMatchObject({ code: 'PIKE_ERR_MESSAGE_TOO_LARGE' });
  });
});

describe('a payload codec of the user', () => {
  const upperCase: PayloadCodec<string> = {
    encode(message: string, writer: ByteWriter) {
      writer.writeString(message.toLowerCase());
    },
    decode: (bytes) => bytes.toString().toUpperCase(),
  };

  it('needs only encode and decode', async () => {
    const converter = new LengthPrefixedConverter({ bytes: 1, payload: upperCase });
    const bytes = Buffer.concat([
      await encodeAll(converter, 'ONE'),
      await encodeAll(converter, ''),
    ]);
    expect(bytes.toString('latin1')).toBe('\x03one\x00');
    expect((await everySplit(converter, bytes)).messages).toEqual(['ONE', '']);
  });

  it('rejects a message by throwing', async () => {
    const refusing = {
      ...upperCase,
      encode: () => {
        throw new TypeError('no');
      },
    };
    const converter = new LengthPrefixedConverter({ payload: refusing });
    await expect(encodeAll(converter, 'x')).rejects.toThrow(TypeError);
  });
});

describe('every ready payload', () => {
  it.each<[string, PayloadCodec<unknown>, unknown]>([
    ['raw', rawPayload, Buffer.from('abc')],
    ['text', textPayload, 'abc'],
    ['JSON', jsonPayload(), { a: [1, 'b', null] }],
    ['MessagePack', messagePackPayload(), { a: [1, 'b', null] }],
  ])('works behind any prefix: %s', async (_name, payload, message) => {
    for (const { bytes, order } of FORMS) {
      const converter = new LengthPrefixedConverter<unknown>({ bytes, order, payload });
      expect(await decodeAll(converter, await encodeAll(converter, message))).toEqual([message]);
    }
    expect(payload.decode(await content(payload, message))).toEqual(message);
  });

  async function content(payload: PayloadCodec<unknown>, message: unknown): Promise<Buffer> {
    const frame = await encodeAll(new LengthPrefixedConverter({ payload }), message);
    return frame.subarray(4);
  }
});

describe('options', () => {
  it.each([
    [{ bytes: 3 }, 'bytes'],
    [{ bytes: '4' }, 'bytes'],
    [{ order: 'be' }, 'order'],
    [{ bytes: 'varint', order: 'BE' }, 'order'],
    [{ payload: null }, 'payload'],
    [{ payload: {} }, 'payload'],
    [{ byteOrder: 'LE' }, 'byteOrder'],
  ])('are refused by name: %p', (options, name) => {
    expect(() => new LengthPrefixedConverter(options as object)).toThrow(
      expect.objectContaining({
        code: 'PIKE_ERR_INVALID_OPTION',
        message: expect.stringContaining(name),
      }),
    );
  });
});

describe('whatever is sent', () => {
  it('comes back, however the messages are mixed', async () => {
    const form = fc.constantFrom(...FORMS);
    const messages = fc.array(fc.uint8Array({ maxLength: 255 }));
    await fc.assert(
      fc.asyncProperty(form, messages, async ({ bytes, order }, sent) => {
        const converter = new LengthPrefixedConverter({ bytes, order });
        const wire = await Promise.all(sent.map((each) => encodeAll(converter, Buffer.from(each))));
        const received = await decodeAll(converter, Buffer.concat(wire));
        expect(received.map((each) => [...each])).toEqual(sent.map((each) => [...each]));
      }),
    );
  });
});
