import { ByteWriter } from '../bytes/byte-writer.js';
import type { Leftovers } from '../events.js';
import type { ChunkPool } from './chunk-pool.js';
import type { Accepted } from './flight.js';
import type { MessageEncoder } from './message-encoder.js';
import { OutboundQueue } from './outbound-queue.js';

/** What the pump needs of its connection. */
export interface OutboundHost<T> {
  /**
   * Hands a chunk to the socket; {@link OutboundPump.written} must be called once it was accepted.
   * @returns whether nobody reads the chunk any more, although `written` is still to come
   */
  write(chunk: Buffer): boolean;
  /**
   * A message could not be serialized; none of its bytes has left. What was given behind it is not
   * serialized before the next tick, so that it can be taken back by then.
   */
  rejected(message: T, thrown: unknown): void;
  /** A message could not be serialized and some of its bytes have left: the connection is broken. */
  serializerFailed(thrown: unknown): void;
  /** That many messages were accepted by the system. */
  sent(count: number): void;
  /** Nothing is left to send. */
  idle(): void;
}

/**
 * Moves messages from the queue to the socket: serializes them into a pooled chunk, hands over one
 * chunk at a time, and goes on when the socket has taken it. Messages of one turn share a chunk.
 */
export class OutboundPump<T> {
  readonly queue = new OutboundQueue<T>();
  readonly #encoder: MessageEncoder<T>;
  readonly #pool: ChunkPool;
  readonly #host: OutboundHost<T>;
  #writer = new ByteWriter(NO_BUFFER);
  #running = false;
  #filling = false;
  #scheduled = false;
  /** Whether a message has been rejected and its owner is about to learn of it. */
  #telling = false;
  #averageBytes = 0;

  constructor(encoder: MessageEncoder<T>, pool: ChunkPool, host: OutboundHost<T>) {
    this.#encoder = encoder;
    this.#pool = pool;
    this.#host = host;
  }

  /** The socket is ready: sends what waits. */
  start(): void {
    this.#running = true;
    this.#schedule();
  }

  send(message: T): void {
    const { queue } = this;
    queue.push(message);
    if (!this.#running || queue.flying) return;
    if (!this.#scheduled) this.#schedule();
    else if (queue.waiting * this.#averageBytes >= FLUSH_BYTES) this.flush();
  }

  /** Takes back a waiting message; returns its place among the pending ones, or -1. */
  withdraw(message: T): number {
    const unbegun = this.#encodesUnbegun;
    const index = this.queue.withdraw(message);
    if (unbegun && index === this.queue.unconfirmed) {
      this.#encoder.abandon();
      // Its callback, which the others had waited for, will not come.
      if (!this.#scheduled) this.#schedule();
    }
    return index;
  }

  /** Takes back all waiting messages. */
  takeWaiting(): T[] {
    if (this.#encodesUnbegun) this.#encoder.abandon();
    return this.queue.takeWaiting();
  }

  /** Stops for good. @param accepted how much of the chunk in flight the system accepted */
  stop(accepted: Accepted): { sent: number; leftovers: Leftovers<T> } {
    this.#running = false;
    // The socket may still read the chunk in flight, so the pool does not get it back.
    if (!this.#filling) this.#writer.reset(NO_BUFFER);
    return this.queue.close(accepted);
  }

  /** The socket has taken the chunk. */
  written(): void {
    if (!this.#running) return;
    this.#releaseChunk();
    this.#landed();
    this.flush();
  }

  /** Hands over the next chunk, if none is under way and something can be sent. */
  flush(): void {
    const { queue } = this;
    if (!this.#running || queue.flying || this.#filling || this.#telling) return;
    if (!queue.hasNext) {
      this.#host.idle();
      return;
    }
    const chunk = this.#pool.acquire();
    this.#writer.reset(chunk);
    this.#filling = true;
    let endsOpen: boolean;
    try {
      endsOpen = this.#fill();
    } finally {
      this.#filling = false;
    }
    // A message that did not fit has moved to a larger one.
    if (this.#writer.buffer !== chunk) this.#pool.release(chunk);
    if (this.#running) this.#handOver(endsOpen);
    else this.#releaseChunk();
  }

  /** Fills the chunk; returns whether it ends in the middle of a message. */
  #fill(): boolean {
    const { queue } = this;
    let writer = this.#writer;
    const limit = this.#pool.chunkBytes;
    // A framed message that does not fit makes its buffer grow, which copies the chunk: stop early.
    const full = limit - Math.min(limit / 2, 2 * this.#averageBytes);
    queue.board();
    while (queue.hasNext && writer.position < full) {
      const start = writer.position;
      let progress;
      try {
        progress = this.#encoder.write(queue.takeInHand(), writer, limit);
      } catch (thrown) {
        if (!this.#running) return false;
        writer = this.#writer = takeOver(writer, start);
        if (queue.nextIsBegun) {
          this.#host.serializerFailed(thrown);
          return false;
        }
        this.#host.rejected(queue.rejectNext(), thrown);
        // Last, for it calls the serializer's own code.
        this.#encoder.abandon();
        // Whoever learns of it may want to take back what follows it.
        this.#telling = true;
        process.nextTick(goOnAfterTelling, this);
        return false;
      }
      if (!this.#running) return false;
      if (progress !== 'ended') return writer.position > start;
      queue.nextEnds(writer.position);
    }
    return false;
  }

  #handOver(endsOpen: boolean): void {
    const { queue } = this;
    const writer = this.#writer;
    const bytes = writer.position;
    queue.takeOff(endsOpen);
    if (bytes > 0) {
      this.#learnAverage(bytes);
      const isCopied = this.#host.write(writer.buffer.subarray(0, bytes));
      // Ten thousand connections that send in one turn then share a chunk.
      if (isCopied) this.#releaseChunk();
      return;
    }
    this.#releaseChunk();
    this.#landed();
    if (!queue.hasNext) this.#host.idle();
  }

  #releaseChunk(): void {
    this.#pool.release(this.#writer.buffer);
    this.#writer.reset(NO_BUFFER);
  }

  #landed(): void {
    const sent = this.queue.land();
    if (sent > 0) this.#host.sent(sent);
  }

  #learnAverage(bytes: number): void {
    const messages = Math.max(1, this.queue.unconfirmed);
    this.#averageBytes += (bytes / messages - this.#averageBytes) / 4;
  }

  /** Whether the encoder has begun the first waiting message, and holds no byte of it: it waits for its callback. */
  get #encodesUnbegun(): boolean {
    return !this.#filling && this.#encoder.inMidMessage && !this.queue.inMidMessage;
  }

  #schedule(): void {
    this.#scheduled = true;
    process.nextTick(flushScheduled, this);
  }

  /** @internal The owner of a message that was rejected has been told. */
  goOnAfterTelling(): void {
    this.#telling = false;
    this.flush();
  }

  /** @internal The end of a turn in which messages were given. */
  flushScheduled(): void {
    this.#scheduled = false;
    this.flush();
  }
}

function flushScheduled<T>(pump: OutboundPump<T>): void {
  pump.flushScheduled();
}

function goOnAfterTelling<T>(pump: OutboundPump<T>): void {
  pump.goOnAfterTelling();
}

/** A writer with the first bytes of another, which its converter, having failed, may go on using. */
function takeOver(failed: ByteWriter, bytes: number): ByteWriter {
  const { buffer } = failed;
  failed.reset(NO_BUFFER);
  return new ByteWriter(buffer).advance(bytes);
}

const NO_BUFFER = Buffer.alloc(0);

/** About how many bytes are worth a system call before the turn has ended, so that the peer can begin. */
const FLUSH_BYTES = 8 * 1024;
