/** Why a socket is not read at the moment. */
export type NotReadingReason = 'notOpen' | 'deserializerWaits' | 'backlog' | 'byteBacklog';

/** What can be told to stop and to go on. */
export interface Readable {
  pause(): void;
  resume(): void;
}

/** Who has the socket that is read, once there is one. */
export interface ReadableHost {
  readonly socket: Readable | undefined;
}

/** Each reason is a bit: there is a gate for every connection, and a set would take ten times the room. */
const BITS: Readonly<Record<NotReadingReason, number>> = {
  notOpen: 1,
  deserializerWaits: 2,
  backlog: 4,
  byteBacklog: 8,
};

/** Lets a socket be read only while nothing stands against it. Starts closed: `notOpen`. */
export class ReadingGate {
  readonly #host: ReadableHost;
  #reasons = BITS.notOpen;
  #openForGood = false;

  constructor(host: ReadableHost) {
    this.#host = host;
  }

  /** Whether the socket is read. */
  get isOpen(): boolean {
    return this.#reasons === 0;
  }

  stop(reason: NotReadingReason): void {
    if (this.#openForGood) return;
    this.#reasons |= BITS[reason];
    this.#host.socket?.pause();
  }

  goOn(reason: NotReadingReason): void {
    if ((this.#reasons & BITS[reason]) === 0) return;
    this.#reasons &= ~BITS[reason];
    if (this.isOpen) this.#host.socket?.resume();
  }

  /** Reads on, whatever stands or will stand against it: for input that is only thrown away. */
  openForGood(): void {
    this.#openForGood = true;
    this.#reasons = 0;
    this.#host.socket?.resume();
  }
}
