// Prevents: a typed line that sends something else than was typed.
import { describe, expect, it } from '@jest/globals';
import { readyProtocol } from '../protocols/ready-protocols.js';
import { helpFor, readOrder, splitPattern } from './typed-line.js';

describe('a typed line', () => {
  it.each([
    ['sum', ['sum']],
    ['sum [1, 2]', ['sum', '[1, 2]']],
    ['sum\t "a b" ', ['sum', '"a b"']],
    ['{"cmd":"sum"} [1]', ['{"cmd":"sum"}', '[1]']],
    ['{"a":{"b":"}"}}{"c":1}', ['{"a":{"b":"}"}}', '{"c":1}']],
    ['{no json [1]', ['{no', 'json [1]']],
    ['', []],
  ])('is taken apart: %p', (line, words) => {
    expect(splitPattern(line)).toEqual(words);
  });

  it('is a request, an event or a command', async () => {
    const packets = await readyProtocol('messagepack');
    const read = (line: string) => readOrder(line, packets);
    expect(await read(' sum [1] ')).toEqual({ do: 'call', pattern: 'sum', data: [1] });
    expect(await read('.emit noted')).toEqual({ do: 'emit', pattern: 'noted', data: {} });
    expect(await read('{"cmd":"a"} 1')).toEqual({ do: 'call', pattern: { cmd: 'a' }, data: 1 });
    expect(await read('.cancel')).toEqual({ do: 'cancel' });
    expect(await read('  ')).toEqual({ do: 'nothing' });
    await expect(read('.emit')).rejects.toThrow('The pattern is missing');
    await expect(read('.stop')).rejects.toThrow('There is no .stop');
    await expect(read('sum -')).rejects.toThrow('cannot be read from standard input here');
  });

  it('is the message itself where messages have no pattern', async () => {
    const lines = await readyProtocol('lines');
    expect(await readOrder('GET key', lines)).toMatchObject({ do: 'call', data: 'GET key' });
    expect(helpFor(lines).join()).not.toContain('<pattern>');
  });
});
