// Prevents: somebody with the name of another, or with one that looks like a notice of the room.
import { describe, expect, it } from '@jest/globals';
import { areAlike, parseNickname } from './nickname.js';

describe('a nickname', () => {
  it.each([
    ['ann', 'ann'],
    ['  Ann_B-2 ', 'Ann_B-2'],
    ['Zoë', 'Zoë'],
    ['Zoe\u0308', 'Zoë'],
    ['ﬁnn', 'finn'],
    ['अनिल', 'अनिल'],
    ['n'.repeat(20), 'n'.repeat(20)],
  ])('may be %j', (line, nickname) => {
    expect(parseNickname(line)).toBe(nickname);
  });

  it.each(['', ' ', 'two words', '* bob', 'ann:', '/who', 'a\u0007', '\u200b', 'n'.repeat(21)])(
    'may not be %j',
    (line) => {
      expect(parseNickname(line)).toBeUndefined();
    },
  );

  it('is alike in any case', () => {
    expect(areAlike('Ann', 'aNN')).toBe(true);
    expect(areAlike('Ann', 'Anne')).toBe(false);
  });
});
