import type { Connection } from './connection.js';
import { publishReceive, publishReject } from './diagnostics.js';
import type { PikeError } from './errors.js';
import type { EventQueue } from './event-queue.js';
import { MessageReceivedEvent, RejectedMessageEvent } from './events.js';
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

  /** A message has arrived whole. */
  received(connection: Connection, message: T): void {
    publishReceive(connection, message);
    this.deliver(new MessageReceivedEvent(connection, message));
  }

  /** A message that was given to be sent is not taken. */
  rejected(connection: Connection, message: T, error: PikeError): void {
    publishReject(connection, message, error);
    this.post(new RejectedMessageEvent(connection, message, error));
  }

  /** The last event has come: only rejected messages may follow, for which nobody waits. */
  end(): void {
    if (this.#separate) this.#queue.close();
  }
}
