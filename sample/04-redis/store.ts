import { Injectable } from '@nestjs/common';
import { RpcException } from '@nestjs/microservices';

const MOST_INTEGER = 2n ** 63n - 1n;

/** Keys and their values, in memory. Both are bytes; a key is kept as a text of Latin-1, which is as good. */
@Injectable()
export class Store {
  /** How many bytes keys and values may have together. */
  readonly maxMemory: number = 64 * 1024 * 1024;
  readonly #values = new Map<string, Buffer>();
  #bytes = 0;

  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#values.size;
  }

  get(key: Buffer): Buffer | null {
    return this.#values.get(nameOf(key)) ?? null;
  }

  set(key: Buffer, value: Buffer): void {
    const name = nameOf(key);
    const before = this.#values.get(name);
    const more = value.length - (before === undefined ? -key.length : before.length);
    if (more > 0 && this.#bytes + more > this.maxMemory) {
      throw new RpcException("OOM command not allowed when used memory > 'maxmemory'.");
    }
    this.#bytes += more;
    // A copy: what arrives is a view, which holds on to all that arrived with it.
    this.#values.set(name, Buffer.from(value));
  }

  /** @returns whether there was such a key */
  delete(key: Buffer): boolean {
    const name = nameOf(key);
    const value = this.#values.get(name);
    if (value === undefined) return false;
    this.#bytes -= key.length + value.length;
    return this.#values.delete(name);
  }

  /** Adds one to the integer at a key; no key is 0. */
  increment(key: Buffer): bigint {
    const text = this.get(key)?.toString('latin1') ?? '0';
    const value = /^(0|-?[1-9]\d{0,18})$/.test(text) ? BigInt(text) : undefined;
    if (value === undefined || BigInt.asIntN(64, value) !== value) {
      throw new RpcException('ERR value is not an integer or out of range');
    }
    if (value === MOST_INTEGER) {
      throw new RpcException('ERR increment or decrement would overflow');
    }
    this.set(key, Buffer.from(`${value + 1n}`));
    return value + 1n;
  }
}

function nameOf(key: Buffer): string {
  return key.toString('latin1');
}
