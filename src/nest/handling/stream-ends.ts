import type { PacketFate, PacketSender } from '../packets/packet-sender.js';
import type { PacketId, ReplyPacket } from '../packets/packets.js';

/** The last reply of a stream, on its way to the connector and, from there, to the peer. */
class StreamEnd<T> implements PacketFate<ReplyPacket, T> {
  withdrawn = false;
  /** What it was given to the connector as; `undefined` until then. */
  message: T | undefined;
  readonly #fate: PacketFate<ReplyPacket, T>;
  readonly #onGiven: () => void;

  constructor(fate: PacketFate<ReplyPacket, T>, onGiven: () => void) {
    this.#fate = fate;
    this.#onGiven = onGiven;
  }

  given(message: T | undefined, packet: ReplyPacket): void {
    this.message = message;
    this.#fate.given(message, packet);
    this.#onGiven();
  }

  failed(thrown: unknown, packet: ReplyPacket): void {
    this.#fate.failed(thrown, packet);
  }
}

/**
 * The last replies of streams, as long as they may not have been sent. Whether a value can be encoded
 * shows only when it is about to be sent; if it cannot, the end behind it must not say that all is well.
 */
export class StreamEnds<T> {
  readonly #sender: PacketSender<ReplyPacket, T>;
  readonly #ends = new Map<PacketId, StreamEnd<T>>();

  constructor(sender: PacketSender<ReplyPacket, T>) {
    this.#sender = sender;
  }

  /** Sends a last reply that may be taken back. @param fate told what becomes of it, unless it is */
  send(packet: ReplyPacket, fate: PacketFate<ReplyPacket, T>, bytes: number): void {
    const { id } = packet;
    const over = (): void => {
      if (this.#ends.get(id) === end) this.#ends.delete(id);
    };
    const end = new StreamEnd(fate, () => void this.#sender.flushed().then(over, over));
    this.#ends.set(id, end);
    this.#sender.send(packet, end, bytes);
  }

  /** Takes back the last reply to a request. @returns whether there was one that has not been sent */
  takeBack(id: PacketId): boolean {
    const end = this.#ends.get(id);
    if (end === undefined) return false;
    this.#ends.delete(id);
    if (end.message !== undefined) return this.#sender.withdraw(end.message);
    end.withdrawn = true;
    return true;
  }
}
