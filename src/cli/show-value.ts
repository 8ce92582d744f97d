/**
 * A value as one line of JSON. What JSON has no form for: a bigint is a number of as many digits,
 * bytes are a text of hexadecimal digits, a date is a text (ISO 8601), an infinite number and NaN are
 * texts, an error is its message, and no value at all is `null`.
 */
export function showValue(value: unknown): string {
  return show(value).replace(
    UNSAFE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * What JSON leaves as it is in a text and a terminal may obey: the peer must not move the cursor, or
 * turn the direction of what is shown. As escapes they mean the same to a reader of JSON.
 */
const UNSAFE = /[\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g;

function show(value: unknown): string {
  if (typeof value === 'bigint') return String(value);
  if (typeof value === 'number' && !Number.isFinite(value)) return JSON.stringify(String(value));
  if (typeof value === 'object' && value !== null) return showObject(value);
  return JSON.stringify(value) ?? 'null';
}

function showObject(value: object): string {
  if (value instanceof Uint8Array) return JSON.stringify(Buffer.from(value).toString('hex'));
  if (value instanceof Error) return show({ message: value.message });
  if (Array.isArray(value)) return `[${value.map(show).join(',')}]`;
  if ('toJSON' in value && typeof value.toJSON === 'function') {
    return show(value.toJSON() as unknown);
  }
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${show(member)}`).join(',')}}`;
}
