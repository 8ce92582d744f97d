/** First in, first out, in constant time: `Array.prototype.shift` moves every element that is left. */
export class Fifo<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(item: T): void {
    this.#items.push(item);
  }

  /** The item at `index` from the front. */
  at(index: number): T | undefined {
    return this.#items[this.#head + index];
  }

  shift(): T | undefined {
    if (this.#head === this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head++] = undefined;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head >= COMPACT_FROM && this.#head * 2 >= this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** Removes the first occurrence at or behind index `from`; returns where it was, or -1. */
  remove(item: T, from = 0): number {
    const found = this.#items.indexOf(item, this.#head + from);
    if (found === -1) return -1;
    const index = found - this.#head;
    if (index === 0) this.shift();
    else this.#items.splice(found, 1);
    return index;
  }

  /** Removes and returns everything but the `kept` items in front. */
  takeAll(kept = 0): T[] {
    const items = this.#items.slice(this.#head) as T[];
    const taken = items.splice(kept);
    this.#items = items;
    this.#head = 0;
    return taken;
  }
}

const COMPACT_FROM = 1024;
