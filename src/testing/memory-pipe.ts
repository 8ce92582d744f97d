/**
 * How many bytes one direction of a memory connection holds that its reader has not read yet: 65 536.
 * A sender whose peer does not read stalls exactly there.
 */
export const MEMORY_PIPE_BYTES = 65_536;

/**
 * - `open`;
 * - `ended`: its writer has ended; what it holds can still be read;
 * - `broken`: one side is gone; what it held is lost, and it takes nothing more.
 */
export type PipeState = 'open' | 'ended' | 'broken';

/**
 * One direction of a memory connection: what the buffers of the system are to a socket. It takes
 * copies, up to its capacity, and keeps them until they are read.
 */
export class MemoryPipe {
  readonly #capacity: number;
  #state: PipeState = 'open';
  #pieces: Buffer[] = [];
  #length = 0;

  constructor(capacity = MEMORY_PIPE_BYTES) {
    this.#capacity = capacity;
  }

  get state(): PipeState {
    return this.#state;
  }

  /** How many bytes it holds. */
  get length(): number {
    return this.#length;
  }

  /** Takes what there is room for. @returns how many bytes that is */
  write(bytes: Uint8Array): number {
    if (this.#state !== 'open') return 0;
    const taken = Math.min(bytes.length, this.#capacity - this.#length);
    if (taken === 0) return 0;
    this.#pieces.push(Buffer.from(bytes.subarray(0, taken)));
    this.#length += taken;
    return taken;
  }

  /** Gives all that it holds; `undefined` if that is nothing. */
  read(): Buffer | undefined {
    const [first, ...others] = this.#pieces;
    this.#pieces = [];
    this.#length = 0;
    return first === undefined || others.length === 0 ? first : Buffer.concat([first, ...others]);
  }

  /** Nothing more will be written. */
  end(): void {
    if (this.#state === 'open') this.#become('ended');
  }

  /** Throws away what it holds, and takes nothing more. */
  break(): void {
    this.#become('broken');
    this.#pieces = [];
    this.#length = 0;
  }

  /** The one mutator of the state. */
  #become(state: PipeState): void {
    this.#state = state;
  }
}
