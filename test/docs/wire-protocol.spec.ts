// Prevents: somebody implements the documented protocol in another language and it is not ours.
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from '@jest/globals';
import { MessagePackConverter } from 'nestjs-pike/converters';
import { decodeAll, encodeAll } from 'nestjs-pike/testing';

/** The bytes of the documented example: the lines of hexadecimal, one frame each. */
async function documentedFrames(): Promise<Buffer[]> {
  const page = await readFile('docs/wire-protocol.md', 'utf8');
  const lines = page.split('\n').filter((line) => line.startsWith('00 00 00'));
  return lines.map((line) => Buffer.from(line.replaceAll(' ', ''), 'hex'));
}

describe('the documented wire protocol', () => {
  const converter = new MessagePackConverter();
  const request = { id: 1, pattern: 'sum', data: [1, 2] };
  const reply = { response: 3, isDisposed: true, id: 1 };

  it('is what is spoken: request', async () => {
    const [frame] = await documentedFrames();
    await expect(decodeAll(converter, frame!)).resolves.toEqual([request]);
    await expect(encodeAll(converter, request)).resolves.toEqual(frame);
  });

  it.each([
    [2, { ping: 5 }],
    [3, { pong: 5 }],
  ])('is what is spoken: frame %d is %j', async (index, packet) => {
    const frame = (await documentedFrames())[index];
    await expect(decodeAll(converter, frame!)).resolves.toEqual([packet]);
    await expect(encodeAll(converter, packet)).resolves.toEqual(frame);
  });

  it('is what is spoken: reply', async () => {
    const [, frame] = await documentedFrames();
    await expect(decodeAll(converter, frame!)).resolves.toEqual([reply]);
    await expect(encodeAll(converter, reply)).resolves.toEqual(frame);
  });
});
