import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { InOrder } from './in-order.js';
import { isPromise } from './packets.js';
import type { PacketSerializer } from './packets.js';

/**
 * Told what becomes of a packet on its way to the connector: one of the two is called, once, unless
 * the packet is withdrawn or the sender stopped meanwhile.
 */
export interface PacketFate<T> {
  /** Asked when its message is ready: whether it is not to be given to the connector after all. */
  readonly withdrawn?: boolean;
  /** It was given to the connector as this message; `undefined`: the serializer had nothing to send. */
  given(message: T | undefined): void;
  /** It could not be serialized, or the connector does not take messages any more. */
  failed(thrown: unknown): void;
}

/** Serializes packets and sends the messages on one connection, in the order of the calls. */
export class PacketSender<Packet, T> {
  readonly #connector: Connector<T>;
  readonly #connection: Connection;
  readonly #serializer: PacketSerializer<Packet, T>;
  readonly #inOrder = new InOrder();
  #hasRoom = true;
  #stopped = false;

  constructor(
    connector: Connector<T>,
    connection: Connection,
    serializer: PacketSerializer<Packet, T>,
  ) {
    this.#connector = connector;
    this.#connection = connection;
    this.#serializer = serializer;
  }

  /** Whether there was room for more when the last message was given, which was taken then. */
  get hasRoom(): boolean {
    return this.#hasRoom;
  }

  /** Resolves when there is room for more, for those who can wait; `undefined` if there is now. */
  room(): Promise<void> | undefined {
    // What a serializer still works on is as good as queued.
    const serializing = this.#inOrder.tail;
    if (serializing !== undefined) {
      return serializing.then(() => this.#connector.drained(this.#connection));
    }
    return this.#hasRoom ? undefined : this.#connector.drained(this.#connection);
  }

  send(packet: Packet, fate: PacketFate<T>): void {
    let message;
    try {
      message = this.#serializer.serialize(packet);
    } catch (thrown) {
      fate.failed(thrown);
      return;
    }
    if (!isPromise(message) && this.#inOrder.tail === undefined) {
      this.#give(message, fate);
      return;
    }
    this.#inOrder.run(
      message,
      (ready) => this.#give(ready, fate),
      (thrown) => {
        if (!this.#isDropped(fate)) fate.failed(thrown);
      },
    );
  }

  /** Gives nothing more to the connector, and tells nobody: the connection has ended. */
  stop(): void {
    this.#stopped = true;
  }

  #give(message: T | undefined, fate: PacketFate<T>): void {
    if (this.#isDropped(fate)) return;
    if (message !== undefined) {
      try {
        this.#hasRoom = this.#connector.send(this.#connection, message);
      } catch (thrown) {
        fate.failed(thrown);
        return;
      }
    }
    fate.given(message);
  }

  #isDropped(fate: PacketFate<T>): boolean {
    return this.#stopped || fate.withdrawn === true;
  }
}
