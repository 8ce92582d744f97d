import type { MessageDecoder } from './message-decoder.js';
import { Reassembly } from './reassembly.js';

/** What the pump needs of its connection. */
export interface InboundHost<T> {
  /** A message has been received. */
  received(message: T): void;
  /** The input cannot be decoded: the connection is broken. */
  deserializerFailed(thrown: unknown): void;
  /** Whether the deserializer waits for its callback: then no input is wanted. */
  waits(waiting: boolean): void;
}

/** Moves bytes from the socket to messages: gives them to the decoder until it has no more use for them. */
export class InboundPump<T> {
  readonly #reassembly: Reassembly;
  readonly #decoder: MessageDecoder<T>;
  readonly #host: InboundHost<T>;
  #running = true;
  #decoding = false;
  #waiting = false;

  /** @param maxMessageBytes how much of a message may be kept */
  constructor(decoder: MessageDecoder<T>, host: InboundHost<T>, maxMessageBytes: number) {
    this.#reassembly = new Reassembly(maxMessageBytes);
    this.#decoder = decoder;
    this.#host = host;
  }

  /** Whether the deserializer waits for its callback. */
  get waiting(): boolean {
    return this.#waiting;
  }

  /** Whether a message has been begun and not ended. */
  get inMidMessage(): boolean {
    return this.#decoder.inMidMessage || this.#reassembly.length > 0;
  }

  /** How many bytes of the present message are held here, and not with its deserializer. */
  get bytesKept(): number {
    return this.#reassembly.length;
  }

  /** Bytes have arrived. */
  push(data: Buffer): void {
    if (!this.#running) return;
    this.#reassembly.append(data);
    if (!this.#waiting) this.decode();
  }

  /** Takes every message that the bytes at hand hold. */
  decode(): void {
    if (this.#decoding || !this.#running) return;
    this.#decoding = true;
    try {
      this.#setWaiting(this.#decodeAll());
    } catch (thrown) {
      if (this.#running) this.#host.deserializerFailed(thrown);
    } finally {
      this.#decoding = false;
    }
  }

  /** Stops for good. */
  stop(): void {
    if (!this.#running) return;
    this.#running = false;
    this.#reassembly.clear();
    this.#decoder.abandon();
  }

  /** Returns whether the deserializer waits for its callback. */
  #decodeAll(): boolean {
    const decoder = this.#decoder;
    for (;;) {
      const { bytes } = this.#reassembly;
      decoder.reset(bytes);
      const waiting = this.#takeMessages();
      if (!this.#running) return false;
      this.#reassembly.drop(bytes.length - decoder.remaining);
      if (waiting) return true;
      // What a message sets off may bring in more at once, where both ends are in one process.
      const isMore = this.#reassembly.shown > decoder.remaining;
      if (!isMore && !this.#reassembly.showMore()) return false;
    }
  }

  /** Delivers messages until the decoder needs more, or waits: whether it waits. */
  #takeMessages(): boolean {
    const decoder = this.#decoder;
    for (;;) {
      const progress = decoder.next();
      if (progress !== 'message') return progress === 'waiting';
      if (!this.#running) return false;
      this.#host.received(decoder.message);
      if (!this.#running) return false;
    }
  }

  #setWaiting(waiting: boolean): void {
    if (waiting === this.#waiting || !this.#running) return;
    this.#waiting = waiting;
    this.#host.waits(waiting);
  }
}
