import type { Connection } from '../connection.js';
import { PikeError, describeThrown, isPikeError } from '../errors.js';
import type { ConnectorSettings } from '../options.js';
import { InboundPump } from './inbound-pump.js';
import { createMessageDecoder } from './message-decoder.js';
import type { Readable } from './reading-gate.js';
import { ReadingGate } from './reading-gate.js';

/** What an inbox tells its connection. */
export interface InboxHost<T> {
  received(message: T): void;
  /** The input cannot be decoded: the connection is broken. */
  failed(error: PikeError): void;
  /** The deserializer that had waited for its callback has gone on as far as it could. */
  caughtUp(): void;
}

/** Everything that one connection receives, and what stands against reading more. */
export class Inbox<T> {
  readonly #host: InboxHost<T>;
  readonly #pump: InboundPump<T>;
  readonly #gate: ReadingGate;
  readonly #maxPendingEvents: number;
  #pendingEvents = 0;

  /** @param socket what is paused and resumed, once there is one */
  constructor(
    connection: Connection,
    settings: ConnectorSettings<T>,
    socket: () => Readable | undefined,
    host: InboxHost<T>,
  ) {
    this.#host = host;
    this.#maxPendingEvents = settings.maxPendingEvents;
    this.#gate = new ReadingGate(socket);
    const decoder = createMessageDecoder(
      settings.converter,
      connection,
      settings,
      () => this.#pump.decode(),
      settings.onError,
    );
    this.#pump = new InboundPump(decoder, {
      received: (message) => host.received(message),
      deserializerFailed: (thrown) => host.failed(deserializerFailed(thrown)),
      waiting: (waiting) => this.#waits(waiting),
    });
  }

  /** Whether the deserializer waits for its callback. */
  get waiting(): boolean {
    return this.#pump.waiting;
  }

  /** The error if the input ended here: `undefined` between two messages. */
  get truncation(): PikeError | undefined {
    return this.#pump.inMidMessage
      ? new PikeError('PIKE_ERR_TRUNCATED', 'The peer ended in the middle of a message.')
      : undefined;
  }

  /** The connection is open: reads. */
  start(): void {
    this.#gate.goOn('notOpen');
  }

  push(bytes: Buffer): void {
    this.#pump.push(bytes);
  }

  /** Goes on reading; see {@link InboxHost.caughtUp}. */
  goOn(): void {
    this.#gate.goOn('deserializerWaits');
  }

  /** Events begin (+1) or cease (-1) to wait for the application to take them. */
  pendingEventsChanged(change: 1 | -1): void {
    this.#pendingEvents += change;
    if (this.#pendingEvents > this.#maxPendingEvents) this.#gate.stop('backlog');
    else if (this.#pendingEvents <= this.#maxPendingEvents / 2) this.#gate.goOn('backlog');
  }

  /** Stops decoding for good. */
  stop(): void {
    this.#pump.stop();
  }

  /** Stops decoding, and reads on to throw away what arrives. */
  discard(): void {
    this.#pump.stop();
    this.#gate.openForGood();
  }

  #waits(waiting: boolean): void {
    if (waiting) this.#gate.stop('deserializerWaits');
    else this.#host.caughtUp();
  }
}

function deserializerFailed(thrown: unknown): PikeError {
  if (isPikeError(thrown)) return thrown;
  return new PikeError(
    'PIKE_ERR_DESERIALIZER',
    `The converter failed to deserialize what the peer sent: ${describeThrown(thrown)}`,
    { cause: thrown },
  );
}
