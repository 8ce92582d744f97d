import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { InOrder } from './in-order.js';
import { isPromise } from './packets.js';
import type { PacketSerializer } from './packets.js';
import { SendBuffer } from './send-buffer.js';

/**
 * Told what becomes of a packet on its way to the connector: one of the two is called, once, unless
 * the packet is withdrawn or the sender stopped meanwhile.
 */
export interface PacketFate<Packet, T> {
  /** Asked when its message is ready: whether it is not to be given to the connector after all. */
  readonly withdrawn?: boolean;
  /** It was given to the connector as this message; `undefined`: the serializer had nothing to send. */
  given(message: T | undefined, packet: Packet): void;
  /** It could not be serialized, or the connector does not take messages any more. */
  failed(thrown: unknown, packet: Packet): void;
}

/** Serializes packets and sends the messages on one connection, in the order of the calls. */
export class PacketSender<Packet, T> {
  readonly #connector: Connector<T>;
  readonly #connection: Connection;
  readonly #serializer: PacketSerializer<Packet, T>;
  readonly #inOrder = new InOrder();
  /** Made with the first packet: on many connections nothing is sent, for long. */
  #buffer: SendBuffer | undefined;
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

  /** What was given here and has not been sent. */
  get buffer(): SendBuffer {
    this.#buffer ??= this.#createBuffer();
    return this.#buffer;
  }

  /** Resolves when what was given so far is serialized; `undefined` if it is. */
  get serializing(): Promise<void> | undefined {
    return this.#inOrder.tail;
  }

  /** Resolves when there is room for more, for those who can wait; `undefined` if there is now. */
  room(): Promise<void> | undefined {
    // What a serializer still works on is as good as queued.
    const serializing = this.#inOrder.tail;
    if (serializing !== undefined) return serializing.then(() => this.room());
    return this.buffer.hasRoom ? undefined : this.buffer.room();
  }

  /** @param bytes about how large the packet is, see `roughSize`; by default a small one */
  send(packet: Packet, fate: PacketFate<Packet, T>, bytes = SMALL_BYTES): void {
    let message;
    try {
      message = this.#serializer.serialize(packet);
    } catch (thrown) {
      fate.failed(thrown, packet);
      return;
    }
    this.buffer.add(bytes);
    if (this.#inOrder.tail === undefined && !isPromise(message)) {
      this.#give(message, packet, bytes, fate);
    } else this.#giveInOrder(message, packet, bytes, fate);
  }

  /** Takes back a message that was given to the connector. @returns whether none of its bytes has left */
  withdraw(message: T): boolean {
    return this.#connector.withdraw(this.#connection, message);
  }

  /** Settles when everything given to the connector so far has been sent, or came back. */
  flushed(): Promise<void> {
    return this.#connector.flushed(this.#connection);
  }

  /** Gives nothing more to the connector, and tells nobody: the connection has ended. */
  stop(): void {
    this.#stopped = true;
  }

  // On its own: a function that makes closures pays for them each time it is called.
  #giveInOrder(
    message: T | undefined | Promise<T | undefined>,
    packet: Packet,
    bytes: number,
    fate: PacketFate<Packet, T>,
  ): void {
    this.#inOrder.run(
      message,
      (ready) => this.#give(ready, packet, bytes, fate),
      (thrown) => {
        this.buffer.remove(bytes);
        if (!this.#isDropped(fate)) fate.failed(thrown, packet);
      },
    );
  }

  #give(message: T | undefined, packet: Packet, bytes: number, fate: PacketFate<Packet, T>): void {
    const dropped = this.#isDropped(fate);
    if (dropped || message === undefined) {
      this.buffer.remove(bytes);
      if (!dropped) fate.given(message, packet);
      return;
    }
    let ready;
    try {
      ready = this.#connector.send(this.#connection, message);
    } catch (thrown) {
      this.buffer.remove(bytes);
      fate.failed(thrown, packet);
      return;
    }
    this.buffer.given(bytes, ready);
    fate.given(message, packet);
  }

  #createBuffer(): SendBuffer {
    return new SendBuffer({
      flushed: () => this.flushed(),
      drained: () => this.#connector.drained(this.#connection),
    });
  }

  #isDropped(fate: PacketFate<Packet, T>): boolean {
    return this.#stopped || fate.withdrawn === true;
  }
}

/** What a packet is taken for of which nobody has said more. */
const SMALL_BYTES = 64;
