import { Duplex } from 'node:stream';
import { systemError } from './memory-errors.js';
import { MemoryPipe } from './memory-pipe.js';

type WriteCallback = (error?: Error | null) => void;

/**
 * One end of a connection within the process. It behaves as a TCP socket of `node:net` does: what is
 * written is accepted at once as far as there is room, and reaches the other end in a later turn; who
 * does not read is deaf, and learns that its peer has left only when it reads or writes; to close
 * with unread input resets the connection, and a reset destroys what has not been read.
 */
export class MemorySocket extends Duplex {
  readonly #outgoing = new MemoryPipe();
  #peer: MemorySocket | undefined;
  /** What has been given to write and was not accepted yet. */
  #unwritten: { bytes: Uint8Array; callback: WriteCallback } | undefined;
  #acceptedBytes = 0;
  #wantsBytes = false;
  #resets = false;
  #turn: NodeJS.Immediate | undefined;

  constructor() {
    // Who has stopped reading takes one read more, then no more: bytes wait where they are counted.
    super({ allowHalfOpen: true, readableHighWaterMark: 1 });
  }

  /** Connects two ends. What was written before goes on its way. */
  static join(one: MemorySocket, other: MemorySocket): void {
    one.#peer = other;
    other.#peer = one;
    one.#schedule();
    other.#schedule();
  }

  /** How many of the bytes written have been accepted. */
  get acceptedBytes(): number {
    return this.#acceptedBytes;
  }

  /** Breaks the connection off: the other end fails with ECONNRESET. (As of a `net.Socket`.) */
  resetAndDestroy(): this {
    this.#resets = true;
    return this.destroy();
  }

  override _read(): void {
    this.#wantsBytes = true;
    this.#schedule();
  }

  override _write(chunk: Uint8Array, _encoding: string, callback: WriteCallback): void {
    this.#unwritten = { bytes: chunk, callback };
    this.#writeOn();
  }

  override _final(callback: WriteCallback): void {
    this.#outgoing.end();
    this.#tellPeer();
    callback();
  }

  override _destroy(error: Error | null, callback: WriteCallback): void {
    clearImmediate(this.#turn);
    const incoming = this.#incoming;
    if (this.#resets || (incoming !== undefined && incoming.length > 0)) this.#outgoing.break();
    else this.#outgoing.end();
    incoming?.break();
    this.#tellPeer();
    callback(error);
  }

  get #incoming(): MemoryPipe | undefined {
    const peer = this.#peer;
    return peer === undefined ? undefined : peer.#outgoing;
  }

  #tellPeer(): void {
    const peer = this.#peer;
    if (peer !== undefined) peer.#schedule();
  }

  /** What happens at one end shows at the other in a turn of its own, as with the system between them. */
  #schedule(): void {
    if (this.destroyed) return;
    this.#turn ??= setImmediate(() => {
      this.#turn = undefined;
      this.#readOn();
      if (!this.destroyed) this.#writeOn();
    });
  }

  #readOn(): void {
    const incoming = this.#incoming;
    if (!this.#wantsBytes || incoming === undefined) return;
    if (incoming.state === 'broken') {
      this.destroy(systemError('read', 'ECONNRESET'));
      return;
    }
    const bytes = incoming.read();
    if (bytes !== undefined) {
      // There is room again.
      this.#tellPeer();
      this.#wantsBytes = this.push(bytes);
    }
    if (!this.#wantsBytes || incoming.state !== 'ended') return;
    this.#wantsBytes = false;
    this.push(null);
    // Heard even by who has stopped reading, if nothing is left to be read before.
    this.read(0);
  }

  #writeOn(): void {
    const unwritten = this.#unwritten;
    if (unwritten === undefined || this.#peer === undefined) return;
    if (this.#outgoing.state === 'broken') {
      this.#unwritten = undefined;
      unwritten.callback(systemError('write', 'EPIPE'));
      return;
    }
    const taken = this.#outgoing.write(unwritten.bytes);
    this.#acceptedBytes += taken;
    if (taken > 0) this.#tellPeer();
    if (taken < unwritten.bytes.length) {
      unwritten.bytes = unwritten.bytes.subarray(taken);
      return;
    }
    this.#unwritten = undefined;
    unwritten.callback();
  }
}
