// Prevents: output that is no JSON, spans several lines, or commands the terminal of who reads it.
import { describe, expect, it } from '@jest/globals';
import { showValue } from './show-value.js';

describe('a value on a line', () => {
  it.each([
    [{ a: [1, 'x', null, true], b: undefined }, '{"a":[1,"x",null,true]}'],
    [undefined, 'null'],
    [[undefined], '[null]'],
    [12345678901234567890n, '12345678901234567890'],
    [{ at: new Date(0) }, '{"at":"1970-01-01T00:00:00.000Z"}'],
    [{ bytes: Buffer.from([1, 255]) }, '{"bytes":"01ff"}'],
    [[Infinity, -Infinity, NaN, -0], '["Infinity","-Infinity","NaN",0]'],
    ['\ud800', '"\\ud800"'],
  ])('is JSON: %p', (value, shown) => {
    expect(showValue(value)).toBe(shown);
    expect(() => JSON.parse(shown) as unknown).not.toThrow();
  });

  it('holds no character that a terminal obeys, and means the same', () => {
    const wicked = '\u001b[2J\u009b2J\u007f\u2028\u202e\u2066\r\n';
    const shown = showValue({ [wicked]: wicked });
    // eslint-disable-next-line no-control-regex
    expect(shown).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
    expect(JSON.parse(shown)).toEqual({ [wicked]: wicked });
  });
});
