import { hasIds, isDefaultProtocol, messageOf, packetOf } from '../protocols/packets.js';
import type { Packet, Protocol } from '../protocols/protocol.js';
import type { Message } from '../read-data.js';
import { showValue } from '../show-value.js';
import type { Paint } from '../styles.js';

/** What a conversation needs. */
export interface ConversationHost {
  /** Sends a message to the peer. */
  send: (message: unknown) => void;
  /** Shows a line. */
  show: (line: string) => void;
  paint: Paint;
}

/** Requests, which are numbered from 1, their replies, and what the peer sends by itself. */
export class Conversation {
  readonly #protocol: Protocol;
  readonly #host: ConversationHost;
  /** The requests that may get a further reply, oldest first. */
  readonly #open = new Set<number>();
  #lastId = 0;
  #settled: () => void = () => {};

  constructor(protocol: Protocol, host: ConversationHost) {
    this.#protocol = protocol;
    this.#host = host;
  }

  /** How many requests may get a further reply. */
  get openRequests(): number {
    return this.#open.size;
  }

  /** Resolves once every request has its last reply. */
  settled(): Promise<void> {
    if (this.#open.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#settled = resolve));
  }

  /** @throws what the protocol's serializer throws (rejection) */
  async call({ pattern, data }: Message): Promise<void> {
    const id = ++this.#lastId;
    this.#open.add(id);
    try {
      await this.#send(this.#protocol.hasPackets ? { id, pattern, data } : { data });
    } catch (error) {
      this.#close(id);
      throw error;
    }
  }

  /** @throws what the protocol's serializer throws (rejection) */
  async emit({ pattern, data }: Message): Promise<void> {
    await this.#send({ pattern, data });
  }

  /** Cancels every open request, where the protocol has a word for it. @returns how many there were */
  async cancel(): Promise<number> {
    const ids = [...this.#open];
    for (const id of ids) {
      this.#close(id);
      if (hasIds(this.#protocol)) await this.#send({ id, cancel: true });
    }
    return ids.length;
  }

  /** Shows what the peer has sent. @throws what the protocol's deserializer throws (rejection) */
  async received(message: unknown): Promise<void> {
    if (!this.#protocol.hasPackets) {
      this.#host.show(showValue(message));
      const [oldest] = this.#open;
      if (oldest !== undefined) this.#close(oldest);
      return;
    }
    const packet = await packetOf(this.#protocol, message);
    if (packet.ping !== undefined && isDefaultProtocol(this.#protocol)) {
      await this.#send({ pong: packet.ping });
    } else if (isReply(packet)) this.#showReply(packet);
    else this.#host.show(`${this.#host.paint('bold', 'event')} ${showValue(message)}`);
  }

  #showReply({ id, response, err, isDisposed }: Packet): void {
    const { show, paint } = this.#host;
    const [oldest] = this.#open;
    const number = this.#protocol.correlation === 'order' ? oldest : Number(id);
    const who = paint('bold', `#${number ?? '?'}`);
    if (err !== undefined) show(`${who} ${paint('red', 'error')} ${showValue(err)}`);
    else if (response !== undefined) show(`${who} ${showValue(response)}`);
    else show(`${who} ${paint('dim', 'end')}`);
    if ((err !== undefined || isDisposed === true) && number !== undefined) this.#close(number);
  }

  async #send(packet: Packet): Promise<void> {
    const message = this.#protocol.hasPackets
      ? await messageOf(this.#protocol, packet)
      : packet.data;
    if (message !== undefined) this.#host.send(message);
  }

  #close(id: number): void {
    this.#open.delete(id);
    if (this.#open.size === 0) this.#settled();
  }
}

function isReply({ response, err, isDisposed }: Packet): boolean {
  return response !== undefined || err !== undefined || isDisposed !== undefined;
}
