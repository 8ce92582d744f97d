import type { Connection } from '../connection.js';
import { PikeError, describeThrown, isPikeError } from '../errors.js';
import { NO_LEFTOVERS } from '../events.js';
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
  /** As `OutboundHost.write`. */
  write(chunk: Buffer): boolean;
  /** A message was not taken, or cannot be serialized; none of its bytes has left. */
  rejected(message: T, error: PikeError): void;
  /** A serializer failed in the middle of a message: the connection is broken. */
  serializerBroke(error: PikeError): void;
  /** Nothing is left to send. */
  allSent(): void;
}

/**
 * Everything that one connection has to send, and those who wait for it. What serializes is made with
 * the first message: many connections are sent nothing, for long.
 */
export class Outbox<T> implements OutboundHost<T> {
  readonly #connection: Connection;
  readonly #settings: ConnectorSettings<T>;
  readonly #chunks: ChunkPool;
  readonly #host: OutboxHost<T>;
  #pump: OutboundPump<T> | undefined;
  #encoder: MessageEncoder<T> | undefined;
  #started = false;
  #stall: StallClock | undefined;
  #flushWaiters: FlushWaiters | undefined;
  #drainWaiters: (() => void)[] | undefined;
  /** Messages taken back by {@link finishBegun}, to be reported when the connection ends. */
  #returned: readonly T[] = NO_MESSAGES;
  /** Why messages did not go out with the connection, if there are any; then nothing is ever flushed again. */
  #cameBack: PikeError | undefined;

  constructor(
    connection: Connection,
    settings: ConnectorSettings<T>,
    chunks: ChunkPool,
    host: OutboxHost<T>,
  ) {
    this.#connection = connection;
    this.#settings = settings;
    this.#chunks = chunks;
    this.#host = host;
  }

  get account(): Readonly<Account> {
    return this.#makePump().queue.account;
  }

  /**
   * The error if the peer has accepted nothing for too long.
   * @param progress grows with every byte that it accepts
   */
  stalled(now: number, progress: number | undefined): PikeError | undefined {
    const flying = this.#pump?.queue.flying ?? false;
    if (flying) this.#stall ??= new StallClock(this.#settings.stallTimeout);
    if (this.#stall?.isStalled(now, flying ? progress : undefined) !== true) return undefined;
    return new PikeError(
      'PIKE_ERR_STALLED',
      `The peer has accepted nothing for ${this.#settings.stallTimeout} ms.`,
    );
  }

  /** The socket is ready. */
  start(): void {
    this.#started = true;
    this.#pump?.start();
  }

  /** As `Connector.send`. */
  send(message: T): boolean {
    const pump = this.#pump ?? this.#makePump();
    const { waiting } = pump.queue;
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
    pump.send(message);
    return waiting < highWaterMark;
  }

  /** Rejects a message that is not taken at all. */
  refuse(message: T, error: PikeError): void {
    this.#makePump().queue.refuse();
    this.#host.rejected(message, error);
  }

  withdraw(message: T): boolean {
    const index = this.#pump?.withdraw(message) ?? -1;
    if (index === -1) return false;
    this.#flushWaiters?.withdrawn(index);
    this.#checkDrained();
    return true;
  }

  flushed(): Promise<void> {
    if (this.#cameBack !== undefined) return Promise.reject(this.#cameBack);
    const pending = this.#pump?.queue.pending ?? 0;
    if (pending === 0) return Promise.resolve();
    this.#flushWaiters ??= new FlushWaiters();
    return this.#flushWaiters.wait(pending);
  }

  drained(): Promise<void> {
    if (this.#isDrained) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drainWaiters ??= [];
      this.#drainWaiters.push(resolve);
    });
  }

  /** The socket has taken the chunk. */
  written(): void {
    this.#pump?.written();
  }

  /** Goes on until nothing is left, then calls `allSent`; at once, if nothing is left now. */
  finishAll(): void {
    this.#makePump().flush();
  }

  /** As {@link finishAll}, for what has been handed over or begun only; the rest comes back. */
  finishBegun(): void {
    const pump = this.#makePump();
    const taken = pump.takeWaiting();
    // In front: the one that was in hand at first may come now. Not by spreading, for the stack would not hold them.
    this.#returned = taken.concat(this.#returned);
    const error = messageReturned(undefined);
    if (taken.length > 0) this.#cameBack = error;
    this.#flushWaiters?.returned(pump.queue.pending, error);
    this.#checkDrained();
    pump.flush();
  }

  /** What {@link finishBegun} has taken back, once everything else is sent. */
  get returned(): Leftovers<T> {
    return { queued: this.#returned, uncertain: [] };
  }

  /** Ends for good, wherever it stands. @returns what was not sent */
  close(accepted: Accepted, error: PikeError | undefined): Leftovers<T> {
    this.#started = false;
    if (this.#pump === undefined) return NO_LEFTOVERS;
    const { sent, leftovers } = this.#pump.stop(accepted);
    const cameBack = messageReturned(error);
    if (hasAny(leftovers)) this.#cameBack = cameBack;
    this.sent(sent);
    this.#flushWaiters?.returned(0, cameBack);
    this.#checkDrained();
    this.#encoder?.abandon();
    return { ...leftovers, queued: [...leftovers.queued, ...this.#returned] };
  }

  write(chunk: Buffer): boolean {
    const isCopied = this.#host.write(chunk);
    this.#checkDrained();
    return isCopied;
  }

  sent(count: number): void {
    this.#flushWaiters?.sent(count);
    this.#checkDrained();
  }

  rejected(message: T, thrown: unknown): void {
    const error = serializerFailed(thrown);
    const older = this.#pump?.queue.unconfirmed ?? 0;
    this.#flushWaiters?.returned(older, messageReturned(error));
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
    return (this.#pump?.queue.waiting ?? 0) <= this.#settings.lowWaterMark;
  }

  #checkDrained(): void {
    if (this.#drainWaiters === undefined || !this.#isDrained) return;
    const waiters = this.#drainWaiters;
    this.#drainWaiters = undefined;
    for (const resolve of waiters) resolve();
  }

  #makePump(): OutboundPump<T> {
    if (this.#pump !== undefined) return this.#pump;
    const { converter, onError } = this.#settings;
    const onReady = (): void => this.#pump?.flush();
    this.#encoder = createMessageEncoder(converter, this.#connection, onReady, onError);
    this.#pump = new OutboundPump(this.#encoder, this.#chunks, this);
    if (this.#started) this.#pump.start();
    return this.#pump;
  }
}

const NO_MESSAGES: readonly never[] = [];

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
