import { DONE, WAIT_FOR_CALLBACK, WAIT_FOR_MORE } from 'nestjs-pike/core';
import type { Converter, Deserializer, PutBytesResult, Serializer } from 'nestjs-pike/core';

/** How a serializer or deserializer waits: its callback is called from within, later, or never in time. */
export type Wait = 'at once' | 'later' | 'later, twice' | 'after the end';

/**
 * What a serializer or deserializer does next: gives or takes so many bytes, and waits before giving or
 * behind taking them, calls its callback without waiting, or throws.
 */
export interface Move {
  bytes: number;
  wait?: Wait;
  calls?: true;
  throws?: true;
}

/** A message that says itself how it is serialized. No two have the same id. */
export interface Scheduled {
  readonly id: number;
  readonly length: number;
  readonly moves: readonly Move[];
}

const HEADER_BYTES = 4;
const EMPTY = Buffer.alloc(0);

/** The bytes of a message: its id and length, and bytes that differ from message to message. */
function bytesOf({ id, length }: Pick<Scheduled, 'id' | 'length'>): Buffer {
  const bytes = Buffer.alloc(HEADER_BYTES + length, id);
  bytes.writeUInt16BE(id, 0);
  bytes.writeUInt16BE(length, 2);
  return bytes;
}

/** A serializer or deserializer in the books. */
type State = 'may be called' | 'waiting' | 'over';

/**
 * Serializes and deserializes as scheduled, and keeps the books on whether the connector holds to the
 * contract: nobody is called while it waits, each ends once, by itself or by `destroy`.
 */
export class ScheduledConverter implements Converter<Scheduled> {
  /** What the connector has done wrong. */
  readonly violations: string[] = [];
  /** What was created and has neither ended nor been destroyed. */
  readonly living = new Set<Life>();
  /** Every callback that was ever given. */
  readonly callbacks: (() => void)[] = [];
  created = 0;
  readonly #taking: readonly (readonly Move[])[];

  /** @param taking how each message is deserialized, the next one by the next list, round and round */
  constructor(taking: readonly (readonly Move[])[]) {
    this.#taking = taking;
  }

  createSerializer(message: Scheduled): Serializer {
    const life = new Life(this, `serializer of ${message.id}`, message.moves);
    const bytes = bytesOf(message);
    let given = 0;
    return {
      getBytes: (callback) => {
        life.called(callback);
        if (given === bytes.length) return life.end(EMPTY);
        const move = life.move();
        if (!life.hasWaited && life.waits(move, callback)) return WAIT_FOR_CALLBACK;
        life.next();
        return bytes.subarray(given, (given = Math.min(bytes.length, given + move.bytes)));
      },
      destroy: () => life.destroyed(),
    };
  }

  createDeserializer(): Deserializer<Scheduled> {
    const moves = this.#taking[this.created % this.#taking.length] as readonly Move[];
    const life = new Life(this, `deserializer ${this.created}`, moves);
    let taken = EMPTY;
    /** How many bytes are still missing, as far as is known. */
    const missing = (): number =>
      taken.length < HEADER_BYTES
        ? HEADER_BYTES - taken.length
        : HEADER_BYTES + taken.readUInt16BE(2) - taken.length;
    return {
      get message() {
        const message = { id: taken.readUInt16BE(0), length: taken.readUInt16BE(2), moves: [] };
        if (!taken.equals(bytesOf(message))) life.violated('was given wrong bytes');
        return message;
      },
      putBytes: (data, callback): PutBytesResult => {
        life.called(callback);
        let left: Buffer = data;
        if (life.hasWaited) life.next();
        while (missing() > 0) {
          // Waiting for the callback would not bring any: meanwhile the peer is not read.
          if (left.length === 0) return [left, WAIT_FOR_MORE];
          const move = life.move();
          const bytes = Math.min(move.bytes, missing(), left.length);
          taken = Buffer.concat([taken, left.subarray(0, bytes)]);
          left = left.subarray(bytes);
          if (life.waits(move, callback)) return [left, WAIT_FOR_CALLBACK];
          life.next();
        }
        return life.end([left, DONE]);
      },
      destroy: () => life.destroyed(),
    };
  }
}

/** One serializer or deserializer, from its creation to its end. */
class Life {
  hasWaited = false;
  readonly #books: ScheduledConverter;
  readonly #name: string;
  readonly #moves: readonly Move[];
  #next = 0;
  #waits = 0;
  #hasCalledBack = false;
  #state: State = 'may be called';

  constructor(books: ScheduledConverter, name: string, moves: readonly Move[]) {
    this.#books = books;
    this.#name = name;
    this.#moves = moves;
    books.created++;
    books.living.add(this);
  }

  called(callback: () => void): void {
    if (this.#state !== 'may be called') this.violated(`was called when it was ${this.#state}`);
    this.#books.callbacks.push(callback);
    this.#hasCalledBack = false;
  }

  move(): Move {
    const move = this.#moves[this.#next % this.#moves.length] as Move;
    if (move.throws) throw new Error(`${this.#name} cannot go on`);
    return move;
  }

  next(): void {
    this.#next++;
    this.hasWaited = false;
  }

  /** Whether it waits now; its callback will be called as the move says. */
  waits({ wait, calls }: Move, callback: () => void): boolean {
    if (calls) {
      this.#hasCalledBack = true;
      callback();
    }
    if (wait === undefined) return false;
    this.hasWaited = true;
    // A callback that has been called from within is not waited for.
    if (!this.#hasCalledBack) this.#state = 'waiting';
    const which = ++this.#waits;
    const goOn = (): void => {
      if (this.#state === 'waiting' && this.#waits === which) this.#state = 'may be called';
      callback();
    };
    if (wait === 'at once') goOn();
    else if (wait !== 'after the end') setImmediate(goOn);
    if (wait === 'later, twice') setImmediate(goOn);
    return true;
  }

  end<Answer>(answer: Answer): Answer {
    this.#state = 'over';
    this.#books.living.delete(this);
    return answer;
  }

  destroyed(): void {
    if (this.#state === 'over') this.violated('was destroyed when it was over');
    this.end(undefined);
  }

  violated(what: string): void {
    this.#books.violations.push(`${this.#name} ${what}`);
  }
}
