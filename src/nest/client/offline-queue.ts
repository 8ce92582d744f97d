/** What waits for a connection, in order, each for a limited time. */
export class OfflineQueue<Item> {
  readonly #timeout: number;
  readonly #onExpired: (item: Item) => void;
  /** With when its time is over. */
  #waiting = new Map<Item, number>();
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param timeout how long each may wait, in ms; 0 for ever
   * @param onExpired told of each whose time is over; it does not wait any more
   */
  constructor(timeout: number, onExpired: (item: Item) => void) {
    this.#timeout = timeout;
    this.#onExpired = onExpired;
  }

  get length(): number {
    return this.#waiting.size;
  }

  /** Adds an item behind the others. @param limited whether its time is limited. Default: true */
  add(item: Item, limited = true): void {
    this.#waiting.set(item, limited ? this.#due : Infinity);
    this.#startTimer();
  }

  /** Adds items ahead of the others. */
  putBack(items: Iterable<Item>): void {
    const due = this.#due;
    const others = this.#waiting;
    this.#waiting = new Map(Array.from(items, (item) => [item, due]));
    for (const [item, itsDue] of others) this.#waiting.set(item, itsDue);
    this.#startTimer();
  }

  /** Removes an item. @returns whether it waited */
  delete(item: Item): boolean {
    const waited = this.#waiting.delete(item);
    if (waited && this.#waiting.size === 0) this.#stopTimer();
    return waited;
  }

  /** Removes and returns the first. */
  shift(): Item | undefined {
    const first = this.#waiting.keys().next();
    if (first.done === true) return undefined;
    this.delete(first.value);
    return first.value;
  }

  get #due(): number {
    return this.#timeout === 0 ? Infinity : performance.now() + this.#timeout;
  }

  /** One timer for all: whoever has come first is due first. */
  #startTimer(): void {
    if (this.#timer !== undefined) return;
    const first = this.#waiting.values().next();
    if (first.done === true || first.value === Infinity) return;
    this.#timer = setTimeout(() => this.#expire(), Math.ceil(first.value - performance.now()));
  }

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #expire(): void {
    this.#timer = undefined;
    const now = performance.now();
    const expired: Item[] = [];
    for (const [item, due] of this.#waiting) {
      if (due > now) break;
      expired.push(item);
    }
    for (const item of expired) this.#waiting.delete(item);
    this.#startTimer();
    for (const item of expired) this.#onExpired(item);
  }
}
