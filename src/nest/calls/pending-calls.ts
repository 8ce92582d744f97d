/** What is in a list of calls, in one at most, and has its neighbours. Only the list touches these. */
export interface Pending<C extends Pending<C>> {
  list: PendingCalls<C> | undefined;
  previous: C | undefined;
  next: C | undefined;
}

/**
 * Calls in the order in which they were given. Their neighbours are kept in the calls themselves: why
 * not in a `Set` is said at `RequestsById`.
 */
export class PendingCalls<C extends Pending<C>> implements Iterable<C> {
  #first: C | undefined;
  #last: C | undefined;

  has(call: C): boolean {
    return call.list === this;
  }

  /** Adds a call that is in no list. */
  push(call: C): void {
    call.list = this;
    if (this.#last === undefined) this.#first = call;
    else this.#last.next = call;
    call.previous = this.#last;
    this.#last = call;
  }

  /** @returns whether it was there */
  delete(call: C): boolean {
    if (!this.has(call)) return false;
    const { previous, next } = call;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    call.list = undefined;
    call.previous = undefined;
    call.next = undefined;
    return true;
  }

  /** Removes and returns all. */
  takeAll(): C[] {
    const all = [...this];
    for (const call of all) this.delete(call);
    return all;
  }

  /** In order; the list is not to be changed meanwhile. */
  *[Symbol.iterator](): Iterator<C> {
    for (let call = this.#first; call !== undefined; call = call.next) yield call;
  }
}
