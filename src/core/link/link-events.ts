import type { Connection } from '../connection.js';
import { publishReceive, publishReject } from '../diagnostics.js';
import type { PikeError } from '../errors.js';
import type { EventQueue } from '../event-queue.js';
import { MessageReceivedEvent, RejectedMessageEvent, disconnectEvent } from '../events.js';
import type { ConnectorEvent, DisconnectType, FinishConnectEvent, Leftovers } from '../events.js';

/**
 * Where the events of a connection go: to the shared queue, or to one of its own. All connections whose
 * events go to the shared queue have the same object.
 */
export class LinkEvents<T> {
  readonly #queue: EventQueue<T>;
  /** Whether the application receives them separately. */
  readonly separate: boolean;
  readonly #onFinishConnect: ((event: FinishConnectEvent<T>) => void) | undefined;

  /** @param onFinishConnect told how connecting went; by default that is posted as the rest */
  constructor(
    queue: EventQueue<T>,
    separate: boolean,
    onFinishConnect?: (event: FinishConnectEvent<T>) => void,
  ) {
    this.#queue = queue;
    this.separate = separate;
    this.#onFinishConnect = onFinishConnect;
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

  /** Hands those that wait to another queue, for good: nothing comes here any more. */
  moveTo(other: LinkEvents<T>): void {
    this.#queue.moveTo(other.#queue);
  }

  /** Connecting has succeeded or failed. */
  finishConnect(event: FinishConnectEvent<T>): void {
    if (this.#onFinishConnect === undefined) this.post(event);
    else this.#onFinishConnect(event);
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

  /** The connection has ended, after having been open or arriving: its last event. */
  disconnected(
    type: DisconnectType,
    connection: Connection,
    leftovers: Leftovers<T>,
    error: PikeError | undefined,
  ): void {
    this.post(disconnectEvent(type, connection, leftovers, error));
    this.end();
  }

  /** The last event has come: only rejected messages may follow, for which nobody waits. */
  end(): void {
    if (this.separate) this.#queue.close();
  }
}
