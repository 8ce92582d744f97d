import { showAnswer } from '../converter-answers.js';
import { PikeError } from '../errors.js';
import { View } from '../bytes/view.js';

/**
 * The bytes at hand that no deserializer has used: the last ones of those that have arrived, as
 * `putBytes` has left them. A view of them is made only if one is asked for.
 */
export class UnusedBytes {
  #length = 0;
  #view: Buffer | undefined = EMPTY;
  /** The memory that they are in, and where in it they end. */
  #memory: ArrayBufferLike = EMPTY.buffer;
  #end = 0;

  get length(): number {
    return this.#length;
  }

  get view(): Buffer {
    return (this.#view ??= new View(this.#memory, this.#end - this.#length, this.#length));
  }

  /** Starts over with these. */
  reset(bytes: Buffer): void {
    this.#length = bytes.length;
    this.#view = bytes;
    this.#memory = bytes.buffer;
    this.#end = bytes.byteOffset + bytes.length;
  }

  /**
   * Keeps the last ones only.
   * @param unused what `putBytes` says that they are: a view of them, which is not made a second time; a
   * copy; or how many
   * @throws PikeError `PIKE_ERR_DESERIALIZER` if they are not
   */
  keep(unused: unknown): void {
    if (typeof unused === 'number') {
      if (!(Number.isInteger(unused) && unused >= 0)) {
        throw nonsense(`${unused} for the number of unused bytes`);
      }
      this.#keepLast(unused, undefined);
    } else if (unused instanceof Uint8Array) {
      const isOurs = this.#isView(unused);
      this.#keepLast(unused.length, isOurs && Buffer.isBuffer(unused) ? unused : undefined);
      if (!isOurs && this.view.compare(unused) !== 0) {
        throw nonsense('unused bytes that are not the last ones given');
      }
    } else {
      throw nonsense(`unused bytes that are no Uint8Array, but ${showAnswer(unused)}`);
    }
  }

  #keepLast(length: number, view: Buffer | undefined): void {
    if (length > this.#length) throw nonsense('more unused bytes than it was given');
    if (length === 0) this.reset(EMPTY);
    else if (length < this.#length) {
      this.#length = length;
      this.#view = view;
    }
  }

  #isView(bytes: Uint8Array): boolean {
    return bytes.byteOffset + bytes.length === this.#end && bytes.buffer === this.#memory;
  }
}

const EMPTY = Buffer.alloc(0);

/** The error for a `putBytes` that has answered something else than it may. */
export function nonsense(what: string): PikeError {
  return new PikeError(
    'PIKE_ERR_DESERIALIZER',
    'putBytes must return [unused, status], unused being a suffix of its data or the length of one; it ' +
      `returned ${what}.`,
  );
}
