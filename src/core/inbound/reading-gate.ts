/** Why a socket is not read at the moment. */
export type NotReadingReason = 'notOpen' | 'deserializerWaits' | 'backlog' | 'byteBacklog';

/** What can be told to stop and to go on. */
export interface Readable {
  pause(): void;
  resume(): void;
}

/** Lets a socket be read only while nothing stands against it. Starts closed: `notOpen`. */
export class ReadingGate {
  readonly #reasons = new Set<NotReadingReason>(['notOpen']);
  readonly #socket: () => Readable | undefined;
  #openForGood = false;

  constructor(socket: () => Readable | undefined) {
    this.#socket = socket;
  }

  /** Whether the socket is read. */
  get isOpen(): boolean {
    return this.#reasons.size === 0;
  }

  stop(reason: NotReadingReason): void {
    if (this.#openForGood) return;
    this.#reasons.add(reason);
    this.#socket()?.pause();
  }

  goOn(reason: NotReadingReason): void {
    if (this.#reasons.delete(reason) && this.#reasons.size === 0) this.#socket()?.resume();
  }

  /** Reads on, whatever stands or will stand against it: for input that is only thrown away. */
  openForGood(): void {
    this.#openForGood = true;
    this.#reasons.clear();
    this.#socket()?.resume();
  }
}
