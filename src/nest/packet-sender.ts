import type { Connection } from '../core/connection.js';
import type { Connector } from '../core/connector.js';
import { InOrder } from './in-order.js';
import type { PacketSerializer } from './packets.js';

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

  /** Whether the last message stayed below the high-water mark. */
  get hasRoom(): boolean {
    return this.#hasRoom;
  }

  /**
   * @param failed told if the packet could not be serialized or sent
   * @param onMessage told which message the packet has become, just before it is sent
   */
  send(packet: Packet, failed: (thrown: unknown) => void, onMessage?: (message: T) => void): void {
    let message;
    try {
      message = this.#serializer.serialize(packet);
    } catch (thrown) {
      failed(thrown);
      return;
    }
    this.#inOrder.run(
      message,
      (ready) => {
        if (ready === undefined) return;
        onMessage?.(ready);
        this.#hasRoom = this.#connector.send(this.#connection, ready);
      },
      failed,
    );
  }
}
