/**
 * So many values are all looked at. Of what has more a sample tells the size, but whoever has made it
 * may know the sample: so it counts as no less than what was looked at, and thousands of large texts
 * that hide behind small values cost thousands of times that.
 */
const MOST_VALUES = 2_048;
/** How many values of a sample are looked at, at most: the rest counts as those that were. */
const MOST_OF_SAMPLE = 256;
/** How many elements of one array, or entries of one object. */
const MOST_OF_ONE = 16;
const MOST_DEPTH = 8;
/** What a value costs besides its content. */
const VALUE_BYTES = 16;
/** A value that refers to itself has no size; sums of this one stay whole numbers. */
const MOST_BYTES = 2 ** 40;

/** How many values may still be looked at. Of the module: one measurement is over before another begins. */
let left = 0;

/**
 * About how many bytes a value takes, in memory or on the wire: good enough to tell a megabyte from a
 * hundred bytes. Costs little, however large the value is.
 * @returns a whole number
 */
export function roughSize(value: unknown): number {
  if (typeof value !== 'object' || value === null) return scalarSize(value);
  try {
    left = MOST_VALUES;
    const looked = exactSize(value);
    if (left >= 0) return looked;
    left = MOST_OF_SAMPLE;
    return Math.max(looked, Math.ceil(Math.min(MOST_BYTES, objectSize(value, MOST_DEPTH))));
  } catch {
    // A getter has thrown. It will again, for whoever serializes the value and can tell of it.
    return VALUE_BYTES;
  }
}

function scalarSize(value: unknown): number {
  return typeof value === 'string' ? VALUE_BYTES + value.length : VALUE_BYTES;
}

/** Of an object with all that it holds, or as much as may be looked at. */
function exactSize(value: object): number {
  if (isBinary(value)) return VALUE_BYTES + value.byteLength;
  let size = VALUE_BYTES;
  if (Array.isArray(value)) {
    const most = Math.min(value.length, left + 1);
    left -= most;
    for (let i = 0; i < most; i++) size += exactSizeWithin(value[i]);
    return size;
  }
  for (const key in value) {
    if (--left < 0) break;
    size += key.length + exactSizeWithin((value as Record<string, unknown>)[key]);
  }
  return size;
}

function exactSizeWithin(value: unknown): number {
  return typeof value === 'object' && value !== null ? exactSize(value) : scalarSize(value);
}

function isBinary(value: object): value is ArrayBuffer | ArrayBufferView {
  return ArrayBuffer.isView(value) || value instanceof ArrayBuffer;
}

function objectSize(value: object, depth: number): number {
  if (isBinary(value)) return VALUE_BYTES + value.byteLength;
  if (depth === 0) return VALUE_BYTES;
  return VALUE_BYTES + (Array.isArray(value) ? elements(value, depth) : entries(value, depth));
}

function elements(array: readonly unknown[], depth: number): number {
  const { length } = array;
  const most = Math.min(length, MOST_OF_ONE);
  let size = 0;
  let looked = 0;
  while (looked < most && left > 0) {
    // Evenly spread: rows are often sorted, by size among others.
    size += sizeWithin(array[Math.floor((looked * length) / most)], depth);
    looked++;
  }
  return extrapolated(size, looked, length);
}

function entries(value: object, depth: number): number {
  let size = 0;
  let looked = 0;
  for (const key in value) {
    if (looked === MOST_OF_ONE || left <= 0) {
      return extrapolated(size, looked, Object.keys(value).length);
    }
    size += key.length + sizeWithin((value as Record<string, unknown>)[key], depth);
    looked++;
  }
  return size;
}

function sizeWithin(value: unknown, depth: number): number {
  left--;
  return typeof value === 'object' && value !== null
    ? objectSize(value, depth - 1)
    : scalarSize(value);
}

function extrapolated(size: number, looked: number, count: number): number {
  return looked === 0 ? count * VALUE_BYTES : (size * count) / looked;
}
