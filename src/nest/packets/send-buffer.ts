import { Fifo } from '../../core/fifo.js';

/** Above so many bytes, those who can wait do. */
const HIGH_WATER_BYTES = 1_048_576;
/** So many bytes are asked for together: whether they were sent. */
const ASKED_BYTES = HIGH_WATER_BYTES / 4;
/** What a packet is taken for before any has been sent. */
const FIRST_GUESS_BYTES = 32_768;
/** Of so many packets, roughly, the largest counts as the usual one. */
const MEMORY = 16;

/** What a send buffer asks of its connection. */
export interface SendBufferHost {
  /** Settles when everything given so far has been sent, or came back. */
  flushed(): Promise<void>;
  /** Resolves when no more messages wait than the connector's low-water mark. */
  drained(): Promise<void>;
}

/**
 * How much of what one connection was given has not been sent, in bytes, and who waits until there is
 * less. The connector counts messages, whose sizes it does not know before it serializes them; here
 * they are known roughly from the start.
 */
export class SendBuffer {
  readonly #host: SendBufferHost;
  readonly #waiters = new Fifo<() => void>();
  /** Not known to be sent. */
  #bytes = 0;
  /** Of these, given to the connector since it was last asked whether everything is sent. */
  #unasked = 0;
  #asking = false;
  /** How large packets are: rises at once with a large one, and falls slowly. */
  #usual = FIRST_GUESS_BYTES;
  /** Whether more messages wait than the connector's high-water mark. */
  #aboveMark = false;
  #scheduled = false;

  constructor(host: SendBufferHost) {
    this.#host = host;
  }

  /** Roughly how many bytes wait to be sent, or at most a quarter of a megabyte more. */
  get bytes(): number {
    return this.#bytes;
  }

  get hasRoom(): boolean {
    return this.#bytes < HIGH_WATER_BYTES && !this.#aboveMark;
  }

  /** How many more packets there is room for, of the size that they usually have; 0 if there is none. */
  get allowance(): number {
    if (!this.hasRoom) return 0;
    return Math.ceil((HIGH_WATER_BYTES - this.#bytes) / this.#usual);
  }

  /** Resolves when there is room for one more packet, in the order of the calls. */
  room(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiters.push(resolve);
      if (this.hasRoom) this.#schedule();
    });
  }

  /** A packet is to be sent, and is being serialized. */
  add(bytes: number): void {
    this.#bytes += bytes;
    const more = bytes - this.#usual;
    this.#usual += more > 0 ? more : more / MEMORY;
  }

  /** It is not sent after all. */
  remove(bytes: number): void {
    this.#bytes -= bytes;
    this.#wake();
  }

  /** The connector has it. @param ready what `Connector.send` said */
  given(bytes: number, ready: boolean): void {
    this.#unasked += bytes;
    if (this.#unasked >= ASKED_BYTES) this.#ask();
    if (ready || this.#aboveMark) return;
    this.#aboveMark = true;
    void this.#host.drained().then(() => {
      this.#aboveMark = false;
      this.#wake();
    });
  }

  #ask(): void {
    if (this.#asking) return;
    this.#asking = true;
    const asked = this.#unasked;
    this.#unasked = 0;
    const settled = (): void => {
      this.#asking = false;
      this.#bytes -= asked;
      if (this.#unasked >= ASKED_BYTES) this.#ask();
      this.#wake();
    };
    this.#host.flushed().then(settled, settled);
  }

  /** Lets as many go on as there is room for. */
  #wake(): void {
    for (let most = this.allowance; most > 0 && this.#waiters.length > 0; most--) {
      this.#waiters.shift()?.();
    }
    // What these give is counted by the next turn; then there may still be room.
    if (this.#waiters.length > 0 && this.hasRoom) this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#wake();
    });
  }
}
