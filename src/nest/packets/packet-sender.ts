import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { InOrder } from './in-order.js';
import type { PacketSerializer } from './packets.js';

/** Told what becomes of a packet on its way to the connector: one of the two is called, once. */
export interface PacketFate<T> {
  /**
   * It was given to the connector as this message; `undefined`: the serializer had nothing to send.
   * @param taken whether it was certainly taken; otherwise an event that it was not may come in the
   * next tick
   */
  given(message: T | undefined, taken: boolean): void;
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

  constructor(
    connector: Connector<T>,
    connection: Connection,
    serializer: PacketSerializer<Packet, T>,
  ) {
    this.#connector = connector;
    this.#connection = connection;
    this.#serializer = serializer;
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
    this.#inOrder.run(
      message,
      (ready) => {
        if (ready === undefined) {
          fate.given(undefined, true);
          return;
        }
        this.#hasRoom = this.#connector.send(this.#connection, ready);
        fate.given(ready, this.#hasRoom);
      },
      (thrown) => fate.failed(thrown),
    );
  }
}
