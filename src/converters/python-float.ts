/**
 * Writes a number as Python's `repr` writes the float of the same value (`float_repr_style`
 * "short", since Python 2.7 and 3.1).
 *
 * Both languages take the shortest digits that read back as the same float, so only the form
 * differs: Python goes over to an exponent below 1e-4 and from 1e16 on, writes at least two digits
 * of it, and puts `.0` behind integral values that have none.
 */
export function pythonRepr(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (value === Infinity) return 'inf';
  if (value === -Infinity) return '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const magnitude = Math.abs(value);
  if (magnitude >= 1e-4 && magnitude < 1e16) {
    return Number.isInteger(value) ? `${value}.0` : String(value);
  }
  return value
    .toExponential()
    .replace(
      /e([+-])(\d+)$/,
      (_, sign: string, digits: string) => `e${sign}${digits.padStart(2, '0')}`,
    );
}

const REPR = /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/;

/**
 * Reads what `repr` of a Python float or int can be; `undefined` for anything else. A magnitude
 * beyond the largest float is read as infinite, as Python's `float` does.
 */
export function parsePythonFloat(text: string): number | undefined {
  if (REPR.test(text)) return Number(text);
  if (text === 'nan') return NaN;
  if (text === 'inf') return Infinity;
  if (text === '-inf') return -Infinity;
  return undefined;
}
