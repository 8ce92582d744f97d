/**
 * First in, first out, in constant time: `Array.prototype.shift` moves every element that is left. The
 * items go round in an array, which is made anew only when it is full.
 */
export class Fifo<T> {
  /** As many as a power of two, or none, so that a bit mask leads round. */
  #slots: (T | undefined)[] = [];
  #head = 0;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  push(item: T): void {
    if (this.#length === this.#slots.length) this.#grow();
    this.#slots[(this.#head + this.#length) & (this.#slots.length - 1)] = item;
    this.#length++;
  }

  /** The item at `index` from the front. */
  at(index: number): T | undefined {
    if (index < 0 || index >= this.#length) return undefined;
    return this.#slots[(this.#head + index) & (this.#slots.length - 1)];
  }

  shift(): T | undefined {
    if (this.#length === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#droppedTo(this.#head + 1, this.#length - 1);
    return item;
  }

  /** Removes the `count` items in front, or all if there are fewer. */
  drop(count: number): void {
    const end = this.#head + Math.min(count, this.#length);
    this.#slots.fill(undefined, this.#head, end);
    this.#slots.fill(undefined, 0, Math.max(0, end - this.#slots.length));
    this.#droppedTo(end, this.#length - (end - this.#head));
  }

  /** Removes the first occurrence at or behind index `from`; returns where it was, or -1. */
  remove(item: T, from = 0): number {
    for (let index = from; index < this.#length; index++) {
      if (this.at(index) !== item) continue;
      this.removeAt(index);
      return index;
    }
    return -1;
  }

  /** Removes the item at `index`, where there is one. */
  removeAt(index: number): void {
    const mask = this.#slots.length - 1;
    // Those in front of it move: it is mostly among the first.
    for (let i = index; i > 0; i--) this.#slots[(this.#head + i) & mask] = this.at(i - 1);
    this.shift();
  }

  /** Removes and returns everything but the `kept` items in front. */
  takeAll(kept = 0): T[] {
    const items = Array.from({ length: this.#length }, (_, index) => this.at(index) as T);
    const taken = items.slice(kept);
    this.#slots = [];
    this.#head = 0;
    this.#length = 0;
    for (const item of items.slice(0, kept)) this.push(item);
    return taken;
  }

  #droppedTo(head: number, length: number): void {
    if (length === 0 && this.#slots.length > MOST_KEPT_SLOTS) this.#giveBack();
    this.#head = length === 0 ? 0 : head & (this.#slots.length - 1);
    this.#length = length;
  }

  #grow(): void {
    const slots = this.#slots;
    const full = slots.length;
    if (spare !== undefined && full >= MOST_KEPT_SLOTS && full < spare.length) {
      this.#slots = spare as undefined[];
      spare = undefined;
      for (let i = 0; i < full; i++) this.#slots[i] = slots[(this.#head + i) & (full - 1)];
      this.#head = 0;
      return;
    }
    slots.length = Math.max(LEAST_SLOTS, 2 * full);
    // Those that have gone round go on behind the others.
    for (let i = 0; i < this.#head; i++) {
      slots[full + i] = slots[i];
      slots[i] = undefined;
    }
  }

  /** Many a queue is full once, and then empty for long: one large array is kept, for all. */
  #giveBack(): void {
    const larger = this.#slots.length > (spare?.length ?? 0);
    if (larger && this.#slots.length <= MOST_SPARE_SLOTS) spare = this.#slots;
    this.#slots = [];
  }
}

const LEAST_SLOTS = 8;
const MOST_KEPT_SLOTS = 64;

/**
 * The largest array that a queue has given back, if it is not too large: a queue that is filled and emptied
 * again and again would make a new one each time, which takes a tenth of the time to send a small message.
 */
let spare: unknown[] | undefined;
const MOST_SPARE_SLOTS = 32_768;
