// Prevents: a peer that makes objects of our process's own types, exhausts its memory or its stack,
// or poisons its prototypes, with a few bytes of MessagePack.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { isPikeError } from '../core/errors.js';
import { decodeAll, everySplit } from '../testing/every-split.js';
import { MessagePackConverter } from './message-pack.js';

const converter = new MessagePackConverter();

describe('a hostile MessagePack message', () => {
  it.each([
    ['nothing at all', ''],
    ['the type that is never used', 'c1'],
    ['an extension of another type', 'd40001'],
    ['an extension that some libraries read as a record', 'd47240 91a161 01'],
    ['an extension that some libraries read as an error', 'c70065'],
    ['an extension that some libraries read as a RegExp', 'c70078 92a161a0'],
    ['an extension that some libraries read as a Set', 'd4730090'],
    ['an extension of 2 bytes', 'd5ff0000'],
    ['an extension of 16 bytes', `d8ff${'00'.repeat(16)}`],
    ['an extension of 16-bit length', 'c80000ff'],
    ['an extension of 32-bit length', 'c900000000ff'],
    ['a timestamp of 3 bytes', 'c703ff000000'],
    ['a timestamp of no bytes', 'c700ff'],
    ['a timestamp with too many nanoseconds', 'd7ff ee6b2800 00000000'],
    ['a timestamp with too many nanoseconds, long', 'c70cff 3b9aca00 0000000000000000'],
    ['a timestamp beyond all dates', 'c70cff 00000000 7fffffffffffffff'],
    ['a timestamp before all dates', 'c70cff 00000000 8000000000000000'],
    ['a timestamp a millisecond behind the last date', 'c70cff000f4240000007dba8218000'],
    ['a timestamp that is cut off', 'd6ff0000'],
    ['bytes behind the value', '0100'],
    ['a text that is cut off', 'a261'],
    ['a text without its length', 'da00'],
    ['a binary that is cut off', 'c40361'],
    ['a float that is cut off', 'cb000000'],
    ['an integer that is cut off', 'cf00'],
    ['an array that is cut off', '9201'],
    ['a map without its last value', '81a161'],
    ['a map without its last key', '82a16101'],
    ['an array of 4 billion values', 'ddffffffff'],
    ['a map of 4 billion pairs', 'dfffffffff'],
    ['a text of 4 GB', 'dbffffffff'],
    ['a binary of 4 GB', 'c6ffffffff'],
    ['an extension of 4 GB', 'c9ffffffffff'],
    ['more pairs than bytes for them', '82a100'],
    ['invalid UTF-8', 'a1ff'],
    ['invalid UTF-8 in a long text', `d928${'61'.repeat(39)}c3`],
    ['an encoded surrogate', 'a3eda080'],
    ['an overlong character', 'a2c080'],
    ['invalid UTF-8 in a key', '81a1ff01'],
    ['the key __proto__', '81a95f5f70726f746f5f5f80'],
    ['the key __proto__ in another form', '81d9095f5f70726f746f5f5f80'],
    ['the key __proto__ within', '9181a16181da00095f5f70726f746f5f5f80'],
    ['a map as a key', '818001'],
    ['an array as a key', '819001'],
    ['nil as a key', '81c001'],
    ['a boolean as a key', '81c301'],
    ['a fraction as a key', '81cb3fe000000000000001'],
    ['a binary as a key', '81c4016101'],
    ['a date as a key', '81d6ff0000000001'],
    ['arrays one too deep', '91'.repeat(64) + '90'],
    ['maps one too deep', '81a161'.repeat(64) + '80'],
    ['arrays without end', '91'.repeat(100_000)],
    ['maps without end', '81a161'.repeat(100_000)],
    ['maps as keys without end', '81'.repeat(100_000)],
  ])('is refused, at every cut: %s', async (_what, hex) => {
    const { error, messages } = await everySplit(converter, frame(hex));
    expect([isPikeError(error) && error.code, messages]).toEqual(['PIKE_ERR_MALFORMED', []]);
  });

  it('does not keep the next message from being read', async () => {
    await everySplit(converter, frame('91'.repeat(65)));
    expect(await decodeAll(converter, frame('9101'))).toEqual([[1]]);
  });

  it('cannot make arrays by declaring them at every level', async () => {
    // Each level declares as many elements as there are bytes left: 63 times a million.
    const size = 1_000_000;
    const message = Buffer.alloc(size);
    for (let level = 0; level < 63; level += 1) {
      message[level * 5] = 0xdd;
      message.writeUInt32BE(size - level * 5 - 5, level * 5 + 1);
    }
    message.fill(0xc1, 63 * 5);
    const before = process.memoryUsage();
    const { error } = await decodePieces(frame(message));
    const after = process.memoryUsage();
    expect(error).toMatchObject({ code: 'PIKE_ERR_MALFORMED' });
    expect(after.heapTotal - before.heapTotal).toBeLessThan(100_000_000);
  });

  it('cannot change any prototype', async () => {
    const keys = ['constructor', 'prototype', 'toString', '__defineGetter__'];
    const hex = keys.map((key) => `81${text(key)}81${text('polluted')}c3`).join('');
    const [message] = await decodeAll(converter, frame(`94${hex}`));
    expect(Object.assign({}, message)).not.toHaveProperty('polluted');
    expect({}).not.toHaveProperty('polluted');
    expect(() => {}).not.toHaveProperty('polluted');
  });

  it('is a value, or refused as malformed, and the same at every cut: random bytes', async () => {
    const types = fc.constantFrom(
      0x81,
      0x82,
      0x91,
      0x92,
      0xa1,
      0xc4,
      0xc7,
      0xcf,
      0xd6,
      0xd9,
      0xdc,
      0xff,
    );
    const byte = fc.oneof(types, fc.nat(255), fc.nat(3));
    await fc.assert(
      fc.asyncProperty(fc.array(byte, { maxLength: 20 }), async (bytes) => {
        const { error, messages } = await everySplit(converter, frame(Buffer.from(bytes)));
        if (messages.length === 0) expect(error).toHaveProperty('code', 'PIKE_ERR_MALFORMED');
      }),
      { numRuns: 500 },
    );
  });

  it('is refused when a byte of a good one has been changed, or read as something else', async () => {
    const good = Buffer.from('84a16101a162a3616263a163920102a16481a165cb3fe0000000000000', 'hex');
    await fc.assert(
      fc.asyncProperty(fc.nat(good.length - 1), fc.nat(255), async (at, byte) => {
        const bytes = Buffer.from(good);
        bytes[at] = byte;
        const { error, messages } = await everySplit(converter, frame(bytes));
        if (messages.length === 0) expect(error).toHaveProperty('code', 'PIKE_ERR_MALFORMED');
      }),
    );
  });
});

async function decodePieces(bytes: Buffer): Promise<{ error: unknown }> {
  return decodeAll(converter, bytes).then(
    () => ({ error: undefined }),
    (error: unknown) => ({ error }),
  );
}

function frame(content: string | Buffer): Buffer {
  const bytes =
    typeof content === 'string' ? Buffer.from(content.replaceAll(' ', ''), 'hex') : content;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function text(value: string): string {
  return (0xa0 + value.length).toString(16) + Buffer.from(value).toString('hex');
}
