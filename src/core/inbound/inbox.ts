import type { Connection, InboundFacts } from '../connection.js';
import { PikeError, describeThrown, isPikeError } from '../errors.js';
import type { ConnectorSettings } from '../options.js';
import { ArrivalClock } from './arrival-clock.js';
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
export class Inbox<T> implements InboundFacts {
  bytesRead = 0;
  readonly #host: InboxHost<T>;
  readonly #pump: InboundPump<T>;
  readonly #gate: ReadingGate;
  readonly #settings: ConnectorSettings<T>;
  readonly #arrival: ArrivalClock;
  #pendingEvents = 0;
  /** Whether the bytes that have just arrived have completed a message. */
  #completed = false;

  /** @param socket what is paused and resumed, once there is one */
  constructor(
    connection: Connection,
    settings: ConnectorSettings<T>,
    socket: () => Readable | undefined,
    host: InboxHost<T>,
  ) {
    this.#host = host;
    this.#settings = settings;
    this.#arrival = new ArrivalClock(settings.incompleteMessageTimeout, settings.minBytesPerSecond);
    this.#gate = new ReadingGate(socket);
    const decoder = createMessageDecoder(
      settings.converter,
      connection,
      settings,
      () => this.#pump.decode(),
      settings.onError,
    );
    this.#pump = new InboundPump(decoder, {
      received: (message) => {
        this.#completed = true;
        host.received(message);
      },
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

  /** Whether the socket is not read at present. */
  get paused(): boolean {
    return !this.#gate.isOpen;
  }

  /** The connection is open: reads. */
  start(): void {
    this.#gate.goOn('notOpen');
  }

  push(bytes: Buffer): void {
    this.bytesRead += bytes.length;
    this.#completed = false;
    this.#pump.push(bytes);
    if (!this.#pump.inMidMessage) this.#arrival.end();
    else if (this.#completed) this.#arrival.begin(performance.now(), this.#pump.bytesKept);
    else this.#arrival.arrived(performance.now(), bytes.length);
  }

  /** The error if the message that is arriving takes too long. */
  overdue(now: number): PikeError | undefined {
    if (!this.#gate.isOpen) this.#arrival.forgive(now);
    if (!this.#arrival.isOverdue(now)) return undefined;
    const { incompleteMessageTimeout, minBytesPerSecond } = this.#settings;
    return new PikeError(
      'PIKE_ERR_INCOMPLETE_TIMEOUT',
      `A message has not arrived whole within ${incompleteMessageTimeout} ms, and has come slower ` +
        `than ${minBytesPerSecond} bytes/s.`,
    );
  }

  /** Goes on reading; see {@link InboxHost.caughtUp}. */
  goOn(): void {
    this.#gate.goOn('deserializerWaits');
  }

  /** Events begin (+1) or cease (-1) to wait for the application to take them. */
  pendingEventsChanged(change: 1 | -1): void {
    this.#pendingEvents += change;
    const most = this.#settings.maxPendingEvents;
    if (this.#pendingEvents > most) this.#gate.stop('backlog');
    else if (this.#pendingEvents <= most / 2) this.#gate.goOn('backlog');
  }

  /** Stops decoding for good. */
  stop(): void {
    this.#pump.stop();
    this.#arrival.end();
  }

  /** Stops decoding, and reads on to throw away what arrives. */
  discard(): void {
    this.stop();
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
