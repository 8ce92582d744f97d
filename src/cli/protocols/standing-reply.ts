import { isDefaultProtocol, messageOf, packetOf } from './packets.js';
import type { Packet, Protocol } from './protocol.js';

/** Answers every request by the same reply; and, where the protocol has them, pings by pongs. */
export class StandingReply {
  readonly #protocol: Protocol;
  readonly #reply: unknown;

  /** @param reply `undefined`: requests are not answered */
  constructor(protocol: Protocol, reply: unknown) {
    this.#protocol = protocol;
    this.#reply = reply;
  }

  /**
   * The answer to a message; `undefined` if there is none.
   * @throws what the protocol's serializer or deserializer throws (rejection)
   */
  async to(message: unknown): Promise<unknown> {
    if (!this.#protocol.hasPackets) return this.#reply;
    const answer = this.#answer(await packetOf(this.#protocol, message));
    return answer === undefined ? undefined : messageOf(this.#protocol, answer);
  }

  #answer({ id, pattern, cancel, ping }: Packet): Packet | undefined {
    if (ping !== undefined) return isDefaultProtocol(this.#protocol) ? { pong: ping } : undefined;
    const isRequest = id !== undefined && pattern !== undefined && cancel !== true;
    return isRequest && this.#reply !== undefined
      ? { id, response: this.#reply, isDisposed: true }
      : undefined;
  }
}
