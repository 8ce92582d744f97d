import { PikeError } from './errors.js';
import type { ConnectorEvent } from './events.js';
import { Fifo } from './fifo.js';
import type { ErrorHandler } from './report.js';
import { runReported } from './report.js';

/** Told when events of a connection begin (+1) and cease (-1) to wait for somebody to take them. */
export type BacklogObserver<T> = (event: ConnectorEvent<T>, change: 1 | -1) => void;

/**
 * The events that wait for the application, delivered in order: pushed to a listener or pulled by
 * `receive`.
 */
export class EventQueue<T> {
  readonly #events = new Fifo<ConnectorEvent<T>>();
  readonly #receivers = new Fifo<(event: ConnectorEvent<T> | undefined) => void>();
  readonly #observe: BacklogObserver<T>;
  readonly #onError: ErrorHandler | undefined;
  #listener: ((event: ConnectorEvent<T>) => unknown) | undefined;
  /** Tells subscriptions apart: the same listener may subscribe again later. */
  #subscription: symbol | undefined;
  #delivering = false;
  #scheduled = false;
  #closed = false;

  constructor(observe: BacklogObserver<T>, onError: ErrorHandler | undefined) {
    this.#observe = observe;
    this.#onError = onError;
  }

  /** An event that the socket caused: a listener is called at once. */
  deliver(event: ConnectorEvent<T>): void {
    if (this.#listener === undefined || this.#delivering || this.#events.length > 0) {
      this.#add(event);
      return;
    }
    this.#delivering = true;
    runReported(this.#onError, this.#listener, event);
    this.#delivering = false;
    if (this.#events.length > 0) this.#deliverAll();
  }

  /** An event that a call of the application caused: a listener is called in a later tick, not from within the call. */
  post(event: ConnectorEvent<T>): void {
    this.#add(event);
    this.#schedule();
  }

  receive(): Promise<ConnectorEvent<T> | undefined> {
    if (this.#listener !== undefined) return Promise.reject(subscribed());
    const event = this.#take();
    if (event !== undefined || this.#closed) return Promise.resolve(event);
    return new Promise((resolve) => this.#receivers.push(resolve));
  }

  subscribe(listener: (event: ConnectorEvent<T>) => void): () => void {
    if (this.#listener !== undefined || this.#receivers.length > 0) throw subscribed();
    const subscription = Symbol('subscription');
    this.#subscription = subscription;
    this.#listener = listener;
    if (this.#events.length > 0) this.#schedule();
    return () => {
      if (this.#subscription === subscription) this.#listener = undefined;
    };
  }

  /** Hands everything that waits to another queue; who waits here learns that nothing more comes. */
  moveTo(other: EventQueue<T>): void {
    for (const event of this.#events.takeAll()) {
      this.#observe(event, -1);
      other.post(event);
    }
    this.close();
  }

  /** No event comes any more: `receive` answers `undefined` once the queue is empty. */
  close(): void {
    this.#closed = true;
    for (const resolve of this.#receivers.takeAll()) resolve(undefined);
  }

  #add(event: ConnectorEvent<T>): void {
    const receiver = this.#receivers.shift();
    if (receiver !== undefined) {
      receiver(event);
      return;
    }
    this.#events.push(event);
    this.#observe(event, 1);
  }

  #take(): ConnectorEvent<T> | undefined {
    const event = this.#events.shift();
    if (event !== undefined) this.#observe(event, -1);
    return event;
  }

  #schedule(): void {
    if (this.#scheduled || this.#listener === undefined) return;
    this.#scheduled = true;
    process.nextTick(() => {
      this.#scheduled = false;
      this.#deliverAll();
    });
  }

  #deliverAll(): void {
    if (this.#delivering) return;
    this.#delivering = true;
    while (this.#listener !== undefined) {
      const event = this.#take();
      if (event === undefined) break;
      runReported(this.#onError, this.#listener, event);
    }
    this.#delivering = false;
  }
}

function subscribed(): PikeError {
  return new PikeError(
    'PIKE_ERR_SUBSCRIBED',
    'Events are either pushed (subscribe) or pulled (receive, for await), by one party at a time. ' +
      'End the subscription, or let the pending receive resolve, first.',
  );
}
