// Unsigned integers, from bytes whose place is known to be there. Buffer's own methods check it once
// more, through functions that V8 often does not inline; nor are these made of each other, for that.

/** Reads two bytes, the highest first. */
export function uint16BE(bytes: Uint8Array, at: number): number {
  return ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
}

/** Reads two bytes, the lowest first. */
export function uint16LE(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

/** Reads four bytes, the highest first. */
export function uint32BE(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 24) | ((bytes[at + 1] as number) << 16);
  return (high | ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number)) >>> 0;
}

/** Reads four bytes, the lowest first. */
export function uint32LE(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at + 3] as number) << 24) | ((bytes[at + 2] as number) << 16);
  return (high | ((bytes[at + 1] as number) << 8) | (bytes[at] as number)) >>> 0;
}
