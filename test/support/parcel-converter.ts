import { DONE, FramedConverter, WAIT_FOR_CALLBACK } from 'nestjs-pike/core';
import type {
  ByteReader,
  ByteWriter,
  Converter,
  Deserializer,
  PutBytesResult,
  Serializer,
} from 'nestjs-pike/core';

/**
 * What a serializer does when it is asked for bytes: gives some, waits (and has the callback called
 * from within, or later, once or twice), throws, or calls the application back and goes on.
 */
export type Piece =
  | { bytes: number }
  | { wait: 'at once' | 'later' | 'later, twice' }
  | { throws: true }
  | { acts: string };

/** A message that says itself how it is serialized. No two have the same id. */
export interface Parcel {
  readonly id: number;
  readonly pieces: readonly Piece[];
  /** What is done while its serializer is created, or destroyed. Plain converters only. */
  readonly onCreate?: string;
  readonly onDestroy?: string;
}

/** What the converters call. */
export interface ParcelHooks {
  /** A parcel's `acts`, `onCreate` and `onDestroy`. */
  act?: (action: string, parcel: Parcel) => void;
  /** Takes a callback to be called later. Default: `setImmediate`. */
  later?: (callback: () => void) => void;
  /** Whether the deserializer waits for ever for its callback. Plain converters only. */
  isDeaf?: boolean;
}

const PERIOD = 251;
const LONGEST_PIECE = 1024 * 1024;
const PATTERN = Buffer.from(
  Uint8Array.from({ length: LONGEST_PIECE + PERIOD }, (_, index) => index % PERIOD),
);

/** Bytes that differ from parcel to parcel and from place to place. */
function pattern(id: number, offset: number, length: number): Buffer {
  const phase = (id * 83 + offset) % PERIOD;
  return PATTERN.subarray(phase, phase + length);
}

/** How many bytes a parcel has on the wire. */
export function sizeOf(parcel: Parcel): number {
  return parcel.pieces.reduce((sum, piece) => sum + ('bytes' in piece ? piece.bytes : 0), 0);
}

/** The bytes of parcels, one behind the other. */
export function bytesOf(parcels: readonly Parcel[]): Buffer {
  const all: Buffer[] = [];
  for (const { id, pieces } of parcels) {
    let offset = 0;
    for (const piece of pieces) {
      if (!('bytes' in piece)) continue;
      all.push(pattern(id, offset, piece.bytes));
      offset += piece.bytes;
    }
  }
  return Buffer.concat(all);
}

/** Serializes parcels whole; their waiting pieces are passed over. */
export class FramedParcelConverter extends FramedConverter<Parcel> {
  readonly #hooks: ParcelHooks;

  constructor(hooks: ParcelHooks = {}) {
    super();
    this.#hooks = hooks;
  }

  encode(parcel: Parcel, writer: ByteWriter): void {
    let offset = 0;
    for (const piece of parcel.pieces) {
      if ('throws' in piece) throw new Error(`Parcel ${parcel.id} cannot be written`);
      if ('acts' in piece) this.#hooks.act?.(piece.acts, parcel);
      if ('bytes' in piece) {
        writer.writeBytes(pattern(parcel.id, offset, piece.bytes));
        offset += piece.bytes;
      }
    }
  }

  decode(reader: ByteReader): Parcel | undefined {
    reader.skip(reader.remaining);
    return { id: -1, pieces: [] };
  }
}

/**
 * Serializes parcels piece by piece, and keeps the books on whether the connector holds to the
 * contract of a serializer.
 */
export class ParcelConverter implements Converter<Parcel> {
  /** What the connector has done wrong. */
  readonly violations: string[] = [];
  /** The serializers that have neither ended nor been destroyed. */
  readonly living = new Set<Serializer>();
  readonly #hooks: ParcelHooks;

  constructor(hooks: ParcelHooks = {}) {
    this.#hooks = hooks;
  }

  createSerializer(parcel: Parcel): Serializer {
    if (parcel.onCreate !== undefined) this.#hooks.act?.(parcel.onCreate, parcel);
    return new ParcelSerializer(parcel, this.#hooks, this.living, this.violations);
  }

  /** Whatever arrives is a message. */
  createDeserializer(): Deserializer<Parcel> {
    return {
      putBytes: (): PutBytesResult => [EMPTY, this.#hooks.isDeaf ? WAIT_FOR_CALLBACK : DONE],
      message: { id: -1, pieces: [] },
    };
  }
}

class ParcelSerializer implements Serializer {
  readonly #parcel: Parcel;
  readonly #hooks: ParcelHooks;
  readonly #living: Set<Serializer>;
  readonly #violations: string[];
  readonly #scratch = Buffer.alloc(SCRATCH_BYTES);
  #next = 0;
  #offset = 0;
  #state: 'may be asked' | 'waiting' | 'over' = 'may be asked';

  constructor(parcel: Parcel, hooks: ParcelHooks, living: Set<Serializer>, violations: string[]) {
    this.#parcel = parcel;
    this.#hooks = hooks;
    this.#living = living;
    this.#violations = violations;
    living.add(this);
  }

  getBytes(callback: () => void): Uint8Array | typeof WAIT_FOR_CALLBACK {
    // What was given before is ours again: who still needs it must have copied it.
    this.#scratch.fill(0xff);
    if (this.#state !== 'may be asked') this.#violated(`getBytes, but it is ${this.#state}`);
    for (;;) {
      const piece = this.#parcel.pieces[this.#next++];
      if (piece === undefined) {
        this.#end();
        return EMPTY;
      }
      if ('throws' in piece) throw new Error(`Parcel ${this.#parcel.id} cannot be written`);
      if ('wait' in piece) return this.#wait(piece.wait, callback);
      if ('acts' in piece) this.#hooks.act?.(piece.acts, this.#parcel);
      else if (piece.bytes > 0) return this.#give(piece.bytes);
    }
  }

  destroy(): void {
    if (this.#state === 'over') this.#violated('destroyed, but it is over');
    this.#end();
    this.#scratch.fill(0xff);
    const { onDestroy } = this.#parcel;
    if (onDestroy !== undefined) this.#hooks.act?.(onDestroy, this.#parcel);
  }

  #give(length: number): Buffer {
    const bytes = pattern(this.#parcel.id, this.#offset, length);
    this.#offset += length;
    if (length > SCRATCH_BYTES) return bytes;
    bytes.copy(this.#scratch);
    return this.#scratch.subarray(0, length);
  }

  #wait(when: string, callback: () => void): typeof WAIT_FOR_CALLBACK {
    const { later = setImmediate } = this.#hooks;
    this.#state = 'waiting';
    const goOn = (): void => {
      if (this.#state === 'waiting') this.#state = 'may be asked';
      callback();
    };
    if (when === 'at once') goOn();
    else later(goOn);
    if (when === 'later, twice') later(goOn);
    return WAIT_FOR_CALLBACK;
  }

  #end(): void {
    this.#state = 'over';
    this.#living.delete(this);
  }

  #violated(what: string): void {
    this.#violations.push(`parcel ${this.#parcel.id}: ${what}`);
  }
}

const EMPTY = Buffer.alloc(0);
const SCRATCH_BYTES = 4096;
