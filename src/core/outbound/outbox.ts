import type { Connection } from '../connection.js';
import { PikeError, describeThrown, isPikeError } from '../errors.js';
import type { Leftovers } from '../events.js';
import type { ConnectorSettings } from '../options.js';
import type { ChunkPool } from './chunk-pool.js';
import type { Accepted } from './flight.js';
import { FlushWaiters } from './flush-waiters.js';
import { createMessageEncoder } from './message-encoder.js';
import type { MessageEncoder } from './message-encoder.js';
import type { OutboundHost } from './outbound-pump.js';
import { OutboundPump } from './outbound-pump.js';
import type { Account } from './outbound-queue.js';
import { StallClock } from './stall-clock.js';

/** What an outbox tells its connection. */
export interface OutboxHost<T> {
  /** Hands a chunk to the socket; `written` must be called once it was accepted. */
  write(chunk: Buffer): void;
  /** A message was not taken, or cannot be serialized; none of its bytes has left. */
  rejected(message: T, error: PikeError): void;
  /** A serializer failed in the middle of a message: the connection is broken. */
  serializerBroke(error: PikeError): void;
  /** Nothing is left to send. */
  allSent(): void;
}

/** Everything that one connection has to send, and those who wait for it. */
export class Outbox<T> implements OutboundHost<T> {
  readonly #settings: ConnectorSettings<T>;
  readonly #stall: StallClock;
  readonly #host: OutboxHost<T>;
  readonly #encoder: MessageEncoder<T>;
  readonly #pump: OutboundPump<T>;
  readonly #flushWaiters = new FlushWaiters();
  #drainWaiters: (() => void)[] = [];
  /** Messages taken back by {@link finishBegun}, to be reported when the connection ends. */
  #returned: T[] = [];
  /** Why messages did not go out with the connection, if there are any; then nothing is ever flushed again. */
  #cameBack: PikeError | undefined;

  constructor(
    connection: Connection,
    settings: ConnectorSettings<T>,
    pool: ChunkPool,
    host: OutboxHost<T>,
  ) {
    this.#settings = settings;
    this.#stall = new StallClock(settings.stallTimeout);
    this.#host = host;
    this.#encoder = createMessageEncoder(
      settings.converter,
      connection,
      () => this.#pump.flush(),
      settings.onError,
    );
    this.#pump = new OutboundPump(this.#encoder, pool, this);
  }

  get account(): Readonly<Account> {
    return this.#pump.queue.account;
  }

  /**
   * The error if the peer has accepted nothing for too long.
   * @param progress grows with every byte that it accepts
   */
  stalled(now: number, progress: number | undefined): PikeError | undefined {
    const flying = this.#pump.queue.flying;
    if (!this.#stall.isStalled(now, flying ? progress : undefined)) return undefined;
    return new PikeError(
      'PIKE_ERR_STALLED',
      `The peer has accepted nothing for ${this.#settings.stallTimeout} ms.`,
    );
  }

  /** The socket is ready. */
  start(): void {
    this.#pump.start();
  }

  /** As `Connector.send`. */
  send(message: T): boolean {
    const { waiting } = this.#pump.queue;
    const { maxQueuedMessages, highWaterMark } = this.#settings;
    if (waiting >= maxQueuedMessages) {
      this.refuse(
        message,
        new PikeError(
          'PIKE_ERR_QUEUE_FULL',
          `${waiting} messages wait already (maxQueuedMessages). Stop sending when send returns false, ` +
            'and go on after drained().',
        ),
      );
      return false;
    }
    this.#pump.send(message);
    return waiting < highWaterMark;
  }

  /** Rejects a message that is not taken at all. */
  refuse(message: T, error: PikeError): void {
    this.#pump.queue.refuse();
    this.#host.rejected(message, error);
  }

  withdraw(message: T): boolean {
    const index = this.#pump.withdraw(message);
    if (index === -1) return false;
    this.#flushWaiters.withdrawn(index);
    this.#checkDrained();
    return true;
  }

  flushed(): Promise<void> {
    if (this.#cameBack !== undefined) return Promise.reject(this.#cameBack);
    return this.#flushWaiters.wait(this.#pump.queue.pending);
  }

  drained(): Promise<void> {
    if (this.#isDrained) return Promise.resolve();
    return new Promise((resolve) => this.#drainWaiters.push(resolve));
  }

  /** The socket has taken the chunk. */
  written(): void {
    this.#pump.written();
  }

  /** Goes on until nothing is left, then calls `allSent`; at once, if nothing is left now. */
  finishAll(): void {
    this.#pump.flush();
  }

  /** As {@link finishAll}, for what has been handed over or begun only; the rest comes back. */
  finishBegun(): void {
    const taken = this.#pump.takeWaiting();
    // Not by spreading them as arguments: there may be more than the stack holds.
    this.#returned = this.#returned.concat(taken);
    const error = messageReturned(undefined);
    if (taken.length > 0) this.#cameBack = error;
    this.#flushWaiters.returned(this.#pump.queue.pending, error);
    this.#checkDrained();
    this.#pump.flush();
  }

  /** What {@link finishBegun} has taken back, once everything else is sent. */
  get returned(): Leftovers<T> {
    return { queued: this.#returned, uncertain: [] };
  }

  /** Ends for good, wherever it stands. @returns what was not sent */
  close(accepted: Accepted, error: PikeError | undefined): Leftovers<T> {
    const { sent, leftovers } = this.#pump.stop(accepted);
    const cameBack = messageReturned(error);
    if (hasAny(leftovers)) this.#cameBack = cameBack;
    this.sent(sent);
    this.#flushWaiters.returned(0, cameBack);
    this.#checkDrained();
    this.#encoder.abandon();
    return { ...leftovers, queued: [...leftovers.queued, ...this.#returned] };
  }

  write(chunk: Buffer): void {
    this.#host.write(chunk);
    this.#checkDrained();
  }

  sent(count: number): void {
    this.#flushWaiters.sent(count);
    this.#checkDrained();
  }

  rejected(message: T, thrown: unknown): void {
    const error = serializerFailed(thrown);
    this.#flushWaiters.returned(this.#pump.queue.unconfirmed, messageReturned(error));
    this.#checkDrained();
    this.#host.rejected(message, error);
  }

  serializerFailed(thrown: unknown): void {
    this.#host.serializerBroke(serializerFailed(thrown));
  }

  idle(): void {
    this.#host.allSent();
  }

  get #isDrained(): boolean {
    return this.#pump.queue.waiting <= this.#settings.lowWaterMark;
  }

  #checkDrained(): void {
    if (this.#drainWaiters.length === 0 || !this.#isDrained) return;
    const waiters = this.#drainWaiters;
    this.#drainWaiters = [];
    for (const resolve of waiters) resolve();
  }
}

function hasAny({ queued, uncertain, ...rest }: Leftovers<unknown>): boolean {
  return queued.length > 0 || uncertain.length > 0 || 'incomplete' in rest;
}

function serializerFailed(thrown: unknown): PikeError {
  if (isPikeError(thrown)) return thrown;
  return new PikeError(
    'PIKE_ERR_SERIALIZER',
    `The converter failed to serialize a message: ${describeThrown(thrown)}`,
    {
      cause: thrown,
    },
  );
}

function messageReturned(cause: PikeError | undefined): PikeError {
  return new PikeError(
    'PIKE_ERR_MESSAGE_RETURNED',
    `A message came back unsent${cause === undefined ? '' : `: ${cause.message}`}`,
    { cause },
  );
}
