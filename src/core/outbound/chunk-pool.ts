/**
 * Lends out buffers and takes them back once the system has copied them: filling 64 KiB into a used
 * buffer costs no allocation, and an idle connection holds none. Garbage of that size is more than the
 * time to make it: what the allocator once had, it keeps.
 */
export class ChunkPool {
  readonly chunkBytes: number;
  readonly #free: Buffer[] = [];

  constructor(chunkBytes: number) {
    this.chunkBytes = chunkBytes;
  }

  /** A buffer of {@link chunkBytes} or up to twice as many. */
  acquire(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.chunkBytes);
  }

  /**
   * Takes a buffer back that nobody reads any more. One that has grown for a message somewhat larger
   * than a chunk is kept, too; a larger one is left to the collector, for whoever got it next might
   * hold it for long.
   */
  release(chunk: Buffer): void {
    const isKept = chunk.length >= this.chunkBytes && chunk.length <= 2 * this.chunkBytes;
    if (isKept && this.#free.length < MOST_FREE_CHUNKS) this.#free.push(chunk);
  }
}

const MOST_FREE_CHUNKS = 64;
