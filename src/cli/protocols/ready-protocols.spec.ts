// Prevents: a ready converter that the command line does not have, or makes otherwise than its name says.
import { describe, expect, it } from '@jest/globals';
import * as converters from '../../converters/index.js';
import { decodeAll, encodeAll } from '../../testing/index.js';
import { readyProtocol } from './ready-protocols.js';

/** What a typed text becomes on the wire, in hexadecimal digits. */
async function wireOf(specifier: string, text: string): Promise<string> {
  const { converter, format } = await readyProtocol(specifier);
  const bytes = await encodeAll(converter, format.parse(text));
  const [message] = await decodeAll(converter, bytes);
  expect(message).toEqual(format.parse(text));
  return Buffer.from(bytes).toString('hex');
}

describe('ready protocols', () => {
  it.each([
    ['json', '{"a":1}', '00000007' + Buffer.from('{"a":1}').toString('hex')],
    ['messagepack', '1', '0000000101'],
    ['lines', 'ab', '61620a'],
    ['lines:json', '[1]', '5b315d0a'],
    ['delimited:00', '0a', '0a00'],
    ['delimited:0d0a:text', 'ab', '61620d0a'],
    ['length-prefixed', 'ff', '00000001ff'],
    ['length-prefixed:1:text', 'ab', '026162'],
    ['length-prefixed:2be:messagepack', '[]', '000190'],
    ['length-prefixed:2le', 'ff', '0100ff'],
    ['length-prefixed:4le:latin1', 'é', '01000000e9'],
    ['length-prefixed:varint:json', '1', '0131'],
    ['string', 'é', '3220c3a9'],
    ['int', '-7', '2d3720'],
    ['float', '1', '312e3020'],
    ['bool', 'TRUE', '54727565'],
    ['mllp', 'MSH|é', '0b4d53487cc3a91c0d'],
    ['mllp:latin1', 'é', '0be91c0d'],
    ['resp', '["PING"]', Buffer.from('*1\r\n$4\r\nPING\r\n').toString('hex')],
    ['nest-tcp', '[1]', Buffer.from('3#[1]').toString('hex')],
  ])('make %s of what is typed: %s', async (specifier, text, hex) => {
    expect(await wireOf(specifier, text)).toBe(hex);
  });

  it('are made of every converter that the package has', async () => {
    const specifiers =
      'messagepack json nest-tcp lines delimited:00 length-prefixed mllp resp file'.split(' ');
    const made = await Promise.all(specifiers.map(readyProtocol));
    const names = made.map(({ converter }) => converter.constructor.name);
    const exported = Object.keys(converters).filter((name) => /.Converter$/.test(name));
    expect(new Set([...names, 'FramedConverter'])).toEqual(new Set(exported));
  });

  it.each([
    ['lines:xml', '"xml" is no payload'],
    ['lines:text:json', 'lines takes no "json"'],
    ['string:2', 'string takes no "2"'],
    ['delimited', 'delimited needs its delimiter'],
    ['delimited:0', 'delimited needs its delimiter'],
    ['length-prefixed:3', 'has no prefix "3"'],
    ['mllp:utf16', 'has no encoding "utf16"'],
    ['constructor', 'There is no converter "constructor"'],
    ['', 'There is no converter ""'],
  ])('are not made of %p', async (specifier, message) => {
    await expect(readyProtocol(specifier)).rejects.toThrow(message);
  });

  it.each([
    ['int', '1.5'],
    ['float', ' '],
    ['bool', 'yes'],
    ['length-prefixed', '0'],
    ['json', '{'],
  ])('do not take %s from: %p', async (specifier, text) => {
    const { format } = await readyProtocol(specifier);
    expect(() => format.parse(text)).toThrow(
      `The data must be ${format.description}; got: ${text}`,
    );
  });
});
