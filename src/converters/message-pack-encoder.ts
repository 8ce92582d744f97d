import {
  isAnyArrayBuffer,
  isBoxedPrimitive,
  isDate,
  isMap,
  isPromise,
  isSet,
  isUint8Array,
} from 'node:util/types';
import type { ByteWriter } from '../core/bytes/byte-writer.js';
import { PikeError } from '../core/errors.js';
import { MessagePackOutput } from './message-pack-output.js';

/**
 * Writes one MessagePack value; which values it takes is said at `messagePackPayload`. A `toJSON`
 * or a getter may encode another message with the same encoder meanwhile.
 */
export class MessagePackEncoder {
  readonly #maxDepth: number;
  readonly #output = new MessagePackOutput();

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  /** @throws PikeError `PIKE_ERR_SERIALIZER` */
  encode(message: unknown, writer: ByteWriter): void {
    const output = this.#output.busy ? new MessagePackOutput() : this.#output;
    output.begin(writer);
    try {
      this.#write(output, message, this.#maxDepth);
      output.commit();
    } finally {
      output.end();
    }
  }

  /** @param depth how many levels of containers may still be entered */
  #write(output: MessagePackOutput, value: unknown, depth: number): void {
    switch (typeof value) {
      case 'string':
        output.text(value);
        return;
      case 'number':
        output.number(value);
        return;
      case 'boolean':
        output.boolean(value);
        return;
      case 'bigint':
        if (!output.bigint(value)) throw refused('a bigint of more than 64 bits');
        return;
      case 'object':
        if (value === null) output.nil();
        else if (Array.isArray(value)) this.#array(output, value, depth);
        else this.#object(output, value, depth);
        return;
      case 'undefined':
      case 'function':
      case 'symbol':
        throw refused(`${typeof value}: send null, or leave the member out`);
    }
  }

  #array(output: MessagePackOutput, values: readonly unknown[], depth: number): void {
    if (depth === 0) throw this.#tooDeep();
    const { length } = values;
    output.array(length);
    for (let i = 0; i < length; i += 1) this.#write(output, values[i] ?? null, depth - 1);
  }

  #object(output: MessagePackOutput, value: object, depth: number): void {
    const prototype: unknown = Object.getPrototypeOf(value);
    if (prototype === Object.prototype || prototype === null) this.#members(output, value, depth);
    else this.#instance(output, value, depth);
  }

  #members(output: MessagePackOutput, object: object, depth: number): void {
    if (depth === 0) throw this.#tooDeep();
    const members = object as Record<string, unknown>;
    const keys = Object.keys(members);
    // How many are left out as undefined is known behind the loop: asking twice could get two
    // answers from a getter.
    const map = output.map(keys.length);
    let left = 0;
    for (let i = 0; i < keys.length; i += 1) {
      const key = keys[i] as string;
      const value = members[key];
      if (value === undefined) {
        left += 1;
      } else {
        writeKey(output, key);
        this.#write(output, value, depth - 1);
      }
    }
    if (left > 0) output.lowerCount(map, keys.length - left);
  }

  /** What is neither a plain object nor an array. */
  #instance(output: MessagePackOutput, value: object, depth: number): void {
    if (isUint8Array(value)) {
      output.binary(value);
    } else if (isDate(value)) {
      if (Number.isNaN(value.getTime())) throw refused('an invalid Date');
      output.timestamp(value);
    } else if ('toJSON' in value && typeof value.toJSON === 'function') {
      if (depth === 0) throw this.#tooDeep();
      const json: unknown = value.toJSON();
      this.#write(output, json ?? null, depth - 1);
    } else if (isMap(value)) {
      this.#map(output, [...value], depth);
    } else if (isSet(value)) {
      this.#array(output, [...value], depth);
    } else if (isAnyArrayBuffer(value)) {
      output.binary(new Uint8Array(value));
    } else if (isBoxedPrimitive(value)) {
      this.#write(output, value.valueOf(), depth);
    } else if (isPromise(value) || ArrayBuffer.isView(value)) {
      throw refused(Object.prototype.toString.call(value));
    } else {
      this.#members(output, value, depth);
    }
  }

  #map(output: MessagePackOutput, entries: readonly [unknown, unknown][], depth: number): void {
    if (depth === 0) throw this.#tooDeep();
    const present = entries.filter(([, value]) => value !== undefined);
    output.map(present.length);
    for (const [key, value] of present) {
      writeKey(output, key);
      this.#write(output, value, depth - 1);
    }
  }

  #tooDeep(): PikeError {
    return refused(`a value that is circular or nests deeper than maxDepth, ${this.#maxDepth}`);
  }
}

function writeKey(output: MessagePackOutput, key: unknown): void {
  if (key === '__proto__') throw refused('a member named __proto__');
  if (typeof key === 'string') output.text(key);
  else if (typeof key === 'number' && Number.isSafeInteger(key)) output.number(key);
  else throw refused('a Map whose keys are neither strings nor safe integers');
}

function refused(what: string): PikeError {
  return new PikeError('PIKE_ERR_SERIALIZER', `MessagePack cannot express ${what}.`);
}
