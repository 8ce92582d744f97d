import type { PacketSender } from '../packets/packet-sender.js';
import type { HeartbeatPacket } from '../packets/packets.js';

/**
 * Answers the pings of one peer: at once, as long as there is room. A peer that does not take the
 * answers gets one for the last of its pings when there is room again, so that they do not pile up.
 */
export class PingAnswers<T> {
  readonly #sender: PacketSender<HeartbeatPacket, T>;
  readonly #failed: (thrown: unknown) => void;
  #waiting: number | undefined;

  /** @param failed told if an answer cannot be sent */
  constructor(sender: PacketSender<HeartbeatPacket, T>, failed: (thrown: unknown) => void) {
    this.#sender = sender;
    this.#failed = failed;
  }

  answer(ping: number): void {
    if (this.#waiting !== undefined) {
      this.#waiting = ping;
      return;
    }
    const room = this.#sender.room();
    if (room === undefined) {
      this.#send(ping);
      return;
    }
    this.#waiting = ping;
    void room.then(() => {
      const last = this.#waiting;
      this.#waiting = undefined;
      if (last !== undefined) this.#send(last);
    });
  }

  #send(pong: number): void {
    this.#sender.send({ pong }, { given: () => undefined, failed: this.#failed });
  }
}
