// Prevents: a member clearing the screens of the others, or writing lines of his own making on them.
import { describe, expect, it } from '@jest/globals';
import { printable } from './printable.js';

describe('printable', () => {
  it.each([
    ['\u001b[2J\u001b[31mred', ' [2J [31mred'],
    ['over\rwritten', 'over written'],
    ['bell\u0007, C1 \u009b31m, delete \u007f', 'bell , C1  31m, delete  '],
    ['two\u2028lines\u2029', 'two lines '],
    ['\u202eright to left\u202c', ' right to left '],
  ])('takes the sting out of %j', (text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it.each(['Grüße, 世界', '👩‍👩‍👧 and נעים'])('leaves %s as it is', (text) => {
    expect(printable(text)).toBe(text);
  });
});
