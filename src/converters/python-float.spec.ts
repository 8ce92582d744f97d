// Prevents: floats that the original Pike's peers would read as other floats, or print otherwise.
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { parsePythonFloat, pythonRepr } from './python-float.js';

/** `repr(value)` of CPython 3.11; the values are chosen around the borders between its forms. */
const REPRS: readonly (readonly [value: number, repr: string])[] = [
  [0, '0.0'],
  [-0, '-0.0'],
  [1, '1.0'],
  [-1, '-1.0'],
  [0.1, '0.1'],
  [1 / 3, '0.3333333333333333'],
  [2 / 3, '0.6666666666666666'],
  [0.1 + 0.2, '0.30000000000000004'],
  [123456789, '123456789.0'],
  [123456789012345.6, '123456789012345.6'],
  [1e15, '1000000000000000.0'],
  [1000000000000000.5, '1000000000000000.5'],
  [9.5e15, '9500000000000000.0'],
  [2 ** 53, '9007199254740992.0'],
  [9999999999999998, '9999999999999998.0'],
  [1e16, '1e+16'],
  [12345678901234568, '1.2345678901234568e+16'],
  [2 ** 63, '9.223372036854776e+18'],
  [1e17, '1e+17'],
  [1e21, '1e+21'],
  [1e22, '1e+22'],
  [1e23, '1e+23'],
  [1e100, '1e+100'],
  [-1e-100, '-1e-100'],
  [1.5e300, '1.5e+300'],
  [1e-4, '0.0001'],
  [0.00012345, '0.00012345'],
  [9.999e-5, '9.999e-05'],
  [1e-5, '1e-05'],
  [-2.5e-5, '-2.5e-05'],
  [1e-6, '1e-06'],
  [1.23e-7, '1.23e-07'],
  [1e-10, '1e-10'],
  [Number.EPSILON, '2.220446049250313e-16'],
  [2.2250738585072014e-308, '2.2250738585072014e-308'],
  [2.225073858507201e-308, '2.225073858507201e-308'],
  [Number.MIN_VALUE, '5e-324'],
  [Number.MAX_VALUE, '1.7976931348623157e+308'],
  [Infinity, 'inf'],
  [-Infinity, '-inf'],
  [NaN, 'nan'],
];

describe("Python's repr of floats", () => {
  it.each(REPRS)('%p is %s', (value, repr) => {
    expect(pythonRepr(value)).toBe(repr);
    expect(parsePythonFloat(repr)).toBe(value);
  });

  it('gives every float back', () => {
    fc.assert(
      fc.property(fc.double(), (value) => {
        expect(parsePythonFloat(pythonRepr(value))).toBe(value);
      }),
    );
  });

  it.each([
    ['3', 3],
    ['-7', -7],
    ['1e5', 1e5],
    ['1e+05', 1e5],
    ['0.10000000000000001', 0.1],
    ['1e999', Infinity],
    ['-1e999', -Infinity],
    ['1' + '0'.repeat(308), 1e308],
  ])('reads %s', (text, value) => {
    expect(parsePythonFloat(text)).toBe(value);
  });

  it.each([
    '',
    '-',
    '+1',
    '.5',
    '1.',
    '.',
    '1.2.3',
    'e5',
    '1e',
    '1e+',
    '1E5',
    '0x10',
    '1_000',
    'Infinity',
    'infinity',
    'NaN',
    '-nan',
    '+inf',
    '1 ',
    '1\n',
    '--1',
    '1e5.5',
  ])('refuses %j', (text) => {
    expect(parsePythonFloat(text)).toBeUndefined();
  });
});
