import type { EventQueue } from './event-queue.js';
import type { ConnectorEvent } from './events.js';

/** Where the events of one connection go: to the shared queue, or to one of its own. */
export class LinkEvents<T> {
  #queue: EventQueue<T>;
  #separate: boolean;

  /** @param separate whether the application is to receive them separately */
  constructor(queue: EventQueue<T>, separate: boolean) {
    this.#queue = queue;
    this.#separate = separate;
  }

  /** Whether the application receives them separately. */
  get separate(): boolean {
    return this.#separate;
  }

  /** See {@link EventQueue.deliver}. */
  deliver(event: ConnectorEvent<T>): void {
    this.#queue.deliver(event);
  }

  /** See {@link EventQueue.post}. */
  post(event: ConnectorEvent<T>): void {
    this.#queue.post(event);
  }

  receive(): Promise<ConnectorEvent<T> | undefined> {
    return this.#queue.receive();
  }

  /** From now on they go to a queue of their own. */
  separateInto(own: EventQueue<T>): void {
    this.#queue = own;
    this.#separate = true;
  }

  /** From now on they go to the shared queue, behind those that wait. */
  mergeInto(shared: EventQueue<T>): void {
    const own = this.#queue;
    this.#queue = shared;
    this.#separate = false;
    own.moveTo(shared);
  }

  /** The last event has come: only rejected messages may follow, for which nobody waits. */
  end(): void {
    if (this.#separate) this.#queue.close();
  }
}
