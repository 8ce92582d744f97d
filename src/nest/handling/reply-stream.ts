import { isObservable, takeWhile } from 'rxjs';
import type { Observable, Subscription } from 'rxjs';
import { nextTurn } from './turn.js';

/**
 * Where the values that a handler produces go. `last`, `failed` and `threw` end it; nothing but
 * `report` comes after them.
 */
export interface ReplySink {
  /** Whether nothing more is wanted. */
  readonly isOver: boolean;
  value(response: unknown): void;
  /** The last value; `undefined` if there was none, or all have been given. */
  last(response: unknown): void;
  /** It has failed, with what the exception filters have made of the error. */
  failed(err: unknown): void;
  /** It has failed, with an error that no exception filter has seen. */
  threw(error: unknown): void;
  /** Stopping it has failed: nobody waits for it any more. */
  report(error: unknown): void;
  /** Resolves when there is room for more, for producers that can wait. */
  room(): Promise<void> | undefined;
}

/** Something that produces replies and can be told to stop. Stopping it never throws. */
export interface Producer {
  stop(): void;
}

/**
 * Sends on what a handler has returned: one value, or the values of an Observable or AsyncIterable,
 * one by one.
 * @returns what to stop if the client is no longer interested, or `undefined` if it is over already
 */
export function produce(result: unknown, sink: ReplySink): Producer | undefined {
  if (isObservable(result)) return new ObservableProducer(result, sink).start();
  if (isAsyncIterable(result)) return pull(result, sink);
  sink.last(result);
  return undefined;
}

/**
 * Subscribes to an Observable. A value is held back until the tick has ended, or another comes: if
 * the Observable completes meanwhile, as most do, value and end travel in one packet.
 */
class ObservableProducer implements Producer {
  readonly #sink: ReplySink;
  readonly #source: Observable<unknown>;
  #subscription: Subscription | undefined;
  #held: { value: unknown } | undefined;
  #scheduled = false;
  #over = false;
  #inner: Producer | undefined;

  constructor(source: Observable<unknown>, sink: ReplySink) {
    this.#source = source;
    this.#sink = sink;
  }

  start(): Producer | undefined {
    // A source that emits without end while it is subscribed to sees only this way that it is to stop.
    this.#subscription = this.#source
      .pipe(takeWhile(() => !this.#over && !this.#sink.isOver))
      .subscribe({
        next: (value) => this.#next(value),
        error: (error: unknown) => this.#fail(error),
        complete: () => this.#complete(),
      });
    if (this.#over) this.#unsubscribe();
    return this.#over && this.#inner === undefined ? undefined : this;
  }

  stop(): void {
    this.#over = true;
    this.#held = undefined;
    this.#unsubscribe();
    this.#inner?.stop();
  }

  /** Runs the teardown, which is the application's. */
  #unsubscribe(): void {
    try {
      this.#subscription?.unsubscribe();
    } catch (thrown) {
      this.#sink.report(thrown);
    }
  }

  #next(value: unknown): void {
    if (this.#over) return;
    // An interceptor makes an Observable of the AsyncIterable that its handler has returned.
    if (isAsyncIterable(value)) {
      this.#over = true;
      this.#inner = pull(value, this.#sink);
      this.#unsubscribe();
      return;
    }
    this.#flush();
    this.#held = { value };
    if (this.#scheduled) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.#flush();
    });
  }

  #flush(): void {
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined) this.#sink.value(held.value);
  }

  #complete(): void {
    if (this.#over) return;
    this.#over = true;
    const held = this.#held;
    this.#held = undefined;
    this.#sink.last(held?.value);
  }

  #fail(error: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#flush();
    this.#sink.failed(error);
  }
}

/** Begins to pull an AsyncIterable; `undefined` if it cannot be begun. */
function pull(iterable: AsyncIterable<unknown>, sink: ReplySink): Producer | undefined {
  let iterator;
  try {
    iterator = iterable[Symbol.asyncIterator]();
  } catch (thrown) {
    sink.threw(thrown);
    return undefined;
  }
  return new IterableProducer(iterator, sink).start();
}

/** Others have a turn after so many values of one AsyncIterable, whatever room there is. */
const MOST_IN_TURN = 1_024;

/** Pulls an AsyncIterable, the next value only while the connection has room. */
class IterableProducer implements Producer {
  readonly #sink: ReplySink;
  readonly #iterator: AsyncIterator<unknown>;
  #stopped = false;
  #inTurn = 0;

  constructor(iterator: AsyncIterator<unknown>, sink: ReplySink) {
    this.#iterator = iterator;
    this.#sink = sink;
  }

  start(): this {
    void this.#run();
    return this;
  }

  stop(): void {
    if (this.#stopped) return;
    this.#stopped = true;
    void this.#return();
  }

  /** Runs the generator's finally blocks, which are the application's. */
  async #return(): Promise<void> {
    try {
      await this.#iterator.return?.();
    } catch (thrown) {
      this.#sink.report(thrown);
    }
  }

  async #run(): Promise<void> {
    try {
      for (;;) {
        const room = this.#sink.room() ?? this.#turn();
        if (room !== undefined) await room;
        if (this.#isStopped) return;
        const { done, value } = await this.#iterator.next();
        if (this.#isStopped) return;
        if (done === true) break;
        this.#sink.value(value);
      }
      this.#stopped = true;
      this.#sink.last(undefined);
    } catch (error) {
      if (this.#isStopped) return;
      this.#stopped = true;
      this.#sink.threw(error);
    }
  }

  #turn(): Promise<void> | undefined {
    if (++this.#inTurn < MOST_IN_TURN) return undefined;
    this.#inTurn = 0;
    return nextTurn();
  }

  /** A getter, since it changes while the loop awaits. */
  get #isStopped(): boolean {
    return this.#stopped;
  }
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}
