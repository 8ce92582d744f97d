// Unsigned integers, from and to bytes whose place is known to be there. Buffer's own methods check it once
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

/** Writes one byte. @throws as Buffer's method, which is called for any other value, as below */
export function putUint8(bytes: Buffer, value: number, at: number): void {
  if ((value & 0xff) === value) bytes[at] = value;
  else bytes.writeUInt8(value, at);
}

/** Writes two bytes, the highest first. */
export function putUint16BE(bytes: Buffer, value: number, at: number): void {
  if ((value & 0xffff) === value) {
    bytes[at] = value >>> 8;
    bytes[at + 1] = value;
  } else bytes.writeUInt16BE(value, at);
}

/** Writes two bytes, the lowest first. */
export function putUint16LE(bytes: Buffer, value: number, at: number): void {
  if ((value & 0xffff) === value) {
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
  } else bytes.writeUInt16LE(value, at);
}

/** Writes four bytes, the highest first. */
export function putUint32BE(bytes: Buffer, value: number, at: number): void {
  if (value >>> 0 === value) {
    bytes[at] = value >>> 24;
    bytes[at + 1] = value >>> 16;
    bytes[at + 2] = value >>> 8;
    bytes[at + 3] = value;
  } else bytes.writeUInt32BE(value, at);
}

/** Writes four bytes, the lowest first. */
export function putUint32LE(bytes: Buffer, value: number, at: number): void {
  if (value >>> 0 === value) {
    bytes[at] = value;
    bytes[at + 1] = value >>> 8;
    bytes[at + 2] = value >>> 16;
    bytes[at + 3] = value >>> 24;
  } else bytes.writeUInt32LE(value, at);
}
