import { isUint8Array } from 'node:util/types';
import { putUint16BE, putUint16LE, putUint32BE, putUint32LE, putUint8 } from './unsigned.js';

/**
 * Writes the bytes of messages into a buffer that grows as needed. The methods are named after
 * `Buffer`'s; each returns the writer. Wrong arguments throw as `Buffer`'s methods do: `RangeError` for
 * numbers out of range, `TypeError` for values of another type. Use it within `encode` only: afterwards
 * its buffer is other messages'.
 */
export class ByteWriter {
  #buffer: Buffer;
  #position = 0;
  /** What stands before it is other messages'. */
  #protected = 0;

  /** @param buffer where to write first; replaced by a larger one when it is full */
  constructor(buffer: Buffer) {
    this.#buffer = buffer;
  }

  /** The buffer written to. Replaced when it grows: read it after {@link ensure}, do not keep it. */
  get buffer(): Buffer {
    return this.#buffer;
  }

  /** How many bytes of {@link buffer} are written: where the next byte goes. */
  get position(): number {
    return this.#position;
  }

  /**
   * Starts over with another buffer.
   * @internal For the owner of the writer: never within `encode`, where the buffer is shared.
   */
  reset(buffer: Buffer): void {
    this.#buffer = buffer;
    this.#position = 0;
    this.#protected = 0;
  }

  /**
   * What is written so far stays as it is: it is other messages', which may share the buffer.
   * @internal
   */
  protect(): void {
    this.#protected = this.#position;
  }

  /**
   * Goes back to a former {@link ByteWriter.position}; what was written behind it is forgotten.
   * @throws RangeError for one that was none, or that is before the message's own first byte
   */
  rewind(position: number): void {
    this.#checkWritten(position, 0);
    this.#position = position;
  }

  /** Makes room for `bytes` more, for code that writes to {@link buffer} itself and then calls {@link advance}. */
  ensure(bytes: number): this {
    if (this.#position + bytes > this.#buffer.length) this.#grow(bytes);
    return this;
  }

  /**
   * Counts `bytes` as written that were put into {@link buffer} directly, at {@link ByteWriter.position}.
   * @throws RangeError for no whole number, or more than there is room for
   */
  advance(bytes: number): this {
    if (!(Number.isInteger(bytes) && bytes >= 0 && this.#position + bytes <= this.#buffer.length)) {
      throw new RangeError(`Cannot advance by ${bytes} bytes: call ensure(${bytes}) first`);
    }
    this.#position += bytes;
    return this;
  }

  /**
   * Leaves `bytes` bytes free, to be filled in later by a `fill…` method: for a length that is
   * known only once the content is written.
   * @returns where they are
   */
  reserve(bytes: number): number {
    const position = this.#position;
    this.ensure(bytes).advance(bytes);
    return position;
  }

  /** Fills in one byte at a {@link reserve}d position. */
  fillUInt8(value: number, position: number): this {
    this.#checkWritten(position, 1);
    putUint8(this.#buffer, value, position);
    return this;
  }

  /** Fills in two bytes, big-endian, at a {@link reserve}d position. */
  fillUInt16BE(value: number, position: number): this {
    this.#checkWritten(position, 2);
    putUint16BE(this.#buffer, value, position);
    return this;
  }

  /** Fills in two bytes, little-endian, at a {@link reserve}d position. */
  fillUInt16LE(value: number, position: number): this {
    this.#checkWritten(position, 2);
    putUint16LE(this.#buffer, value, position);
    return this;
  }

  /** Fills in four bytes, big-endian, at a {@link reserve}d position. */
  fillUInt32BE(value: number, position: number): this {
    this.#checkWritten(position, 4);
    putUint32BE(this.#buffer, value, position);
    return this;
  }

  /** Fills in four bytes, little-endian, at a {@link reserve}d position. */
  fillUInt32LE(value: number, position: number): this {
    this.#checkWritten(position, 4);
    putUint32LE(this.#buffer, value, position);
    return this;
  }

  writeUInt8(value: number): this {
    this.ensure(1);
    putUint8(this.#buffer, value, this.#position);
    this.#position += 1;
    return this;
  }

  writeUInt16BE(value: number): this {
    this.ensure(2);
    putUint16BE(this.#buffer, value, this.#position);
    this.#position += 2;
    return this;
  }

  writeUInt16LE(value: number): this {
    this.ensure(2);
    putUint16LE(this.#buffer, value, this.#position);
    this.#position += 2;
    return this;
  }

  writeUInt32BE(value: number): this {
    this.ensure(4);
    putUint32BE(this.#buffer, value, this.#position);
    this.#position += 4;
    return this;
  }

  writeUInt32LE(value: number): this {
    this.ensure(4);
    putUint32LE(this.#buffer, value, this.#position);
    this.#position += 4;
    return this;
  }

  /** Writes an unsigned integer of eight bytes, which a `number` could not hold exactly. */
  writeBigUInt64BE(value: bigint): this {
    this.ensure(8);
    this.#position = this.#buffer.writeBigUInt64BE(value, this.#position);
    return this;
  }

  writeBigUInt64LE(value: bigint): this {
    this.ensure(8);
    this.#position = this.#buffer.writeBigUInt64LE(value, this.#position);
    return this;
  }

  /** Writes a signed integer of one byte, in two's complement, as all `writeInt…` do. */
  writeInt8(value: number): this {
    this.ensure(1);
    this.#position = this.#buffer.writeInt8(value, this.#position);
    return this;
  }

  writeInt16BE(value: number): this {
    this.ensure(2);
    this.#position = this.#buffer.writeInt16BE(value, this.#position);
    return this;
  }

  writeInt16LE(value: number): this {
    this.ensure(2);
    this.#position = this.#buffer.writeInt16LE(value, this.#position);
    return this;
  }

  writeInt32BE(value: number): this {
    this.ensure(4);
    this.#position = this.#buffer.writeInt32BE(value, this.#position);
    return this;
  }

  writeInt32LE(value: number): this {
    this.ensure(4);
    this.#position = this.#buffer.writeInt32LE(value, this.#position);
    return this;
  }

  writeBigInt64BE(value: bigint): this {
    this.ensure(8);
    this.#position = this.#buffer.writeBigInt64BE(value, this.#position);
    return this;
  }

  writeBigInt64LE(value: bigint): this {
    this.ensure(8);
    this.#position = this.#buffer.writeBigInt64LE(value, this.#position);
    return this;
  }

  /** Writes an IEEE 754 single, rounding to the nearest. */
  writeFloatBE(value: number): this {
    this.ensure(4);
    this.#position = this.#buffer.writeFloatBE(value, this.#position);
    return this;
  }

  writeFloatLE(value: number): this {
    this.ensure(4);
    this.#position = this.#buffer.writeFloatLE(value, this.#position);
    return this;
  }

  /** Writes an IEEE 754 double. */
  writeDoubleBE(value: number): this {
    this.ensure(8);
    this.#position = this.#buffer.writeDoubleBE(value, this.#position);
    return this;
  }

  writeDoubleLE(value: number): this {
    this.ensure(8);
    this.#position = this.#buffer.writeDoubleLE(value, this.#position);
    return this;
  }

  /** Copies bytes in. @throws TypeError for anything but a Uint8Array: `set` would take it for zeros */
  writeBytes(bytes: Uint8Array): this {
    if (!isUint8Array(bytes)) {
      throw new TypeError(`writeBytes needs a Uint8Array, or a Buffer; got ${typeof bytes}`);
    }
    this.ensure(bytes.length);
    this.#buffer.set(bytes, this.#position);
    this.#position += bytes.length;
    return this;
  }

  /** Writes text. Default encoding: UTF-8. */
  writeString(text: string, encoding: BufferEncoding = 'utf8'): this {
    // No encoding takes more than three bytes for one UTF-16 unit, so most texts need no counting.
    const most = text.length * 3;
    if (this.#position + most > this.#buffer.length) this.ensure(Buffer.byteLength(text, encoding));
    this.#position += this.#buffer.write(text, this.#position, encoding);
    return this;
  }

  /** @throws RangeError unless `bytes` bytes at a position are written, by this message */
  #checkWritten(position: number, bytes: number): void {
    const isOwn = Number.isInteger(position) && position >= this.#protected;
    if (isOwn && position + bytes <= this.#position) return;
    throw new RangeError(
      `Position ${position} is not within this message: it reaches from ${this.#protected} to ` +
        `${this.#position}. Take positions from reserve() or position`,
    );
  }

  #grow(bytes: number): void {
    const larger = Buffer.allocUnsafeSlow(
      Math.max(this.#buffer.length * 2, this.#position + bytes),
    );
    larger.set(this.#buffer.subarray(0, this.#position));
    this.#buffer = larger;
  }
}
