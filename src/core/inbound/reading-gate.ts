/** What can be told to stop and to go on. */
export interface Readable {
  pause(): void;
  resume(): void;
}

/** Who has what is read, once there is something. */
export interface ReadableHost {
  readonly socket: Readable | undefined;
}

/**
 * A bit for each thing that may stand against reading: there is a gate for every connection, and a
 * set would take ten times the room.
 */
export type ReasonBits<Reason extends string> = Readonly<Record<Reason, number>>;

/** Lets something be read only while nothing stands against it. */
export class ReadingGate<Reason extends string> {
  readonly #host: ReadableHost;
  readonly #bits: ReasonBits<Reason>;
  #reasons: number;
  #openForGood = false;

  /** @param first what stands against reading at first, if anything */
  constructor(host: ReadableHost, bits: ReasonBits<Reason>, first?: NoInfer<Reason>) {
    this.#host = host;
    this.#bits = bits;
    this.#reasons = first === undefined ? 0 : bits[first];
  }

  /** Whether nothing stands against reading. */
  get isOpen(): boolean {
    return this.#reasons === 0;
  }

  stop(reason: Reason): void {
    if (this.#openForGood) return;
    this.#reasons |= this.#bits[reason];
    this.#host.socket?.pause();
  }

  goOn(reason: Reason): void {
    if ((this.#reasons & this.#bits[reason]) === 0) return;
    this.#reasons &= ~this.#bits[reason];
    if (this.isOpen) this.#host.socket?.resume();
  }

  /** Reads on, whatever stands or will stand against it: for input that is only thrown away. */
  openForGood(): void {
    this.#openForGood = true;
    this.#reasons = 0;
    this.#host.socket?.resume();
  }
}
