/**
 * Lends out buffers of one size and takes them back once the system has copied them: filling 64 KiB
 * into a used buffer costs no allocation, and an idle connection holds none.
 */
export class ChunkPool {
  readonly chunkBytes: number;
  readonly #free: Buffer[] = [];

  constructor(chunkBytes: number) {
    this.chunkBytes = chunkBytes;
  }

  acquire(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(this.chunkBytes);
  }

  /** Takes a buffer back that nobody reads any more. One that has grown is left to the collector. */
  release(chunk: Buffer): void {
    if (chunk.length === this.chunkBytes && this.#free.length < MOST_FREE_CHUNKS) {
      this.#free.push(chunk);
    }
  }
}

const MOST_FREE_CHUNKS = 64;
