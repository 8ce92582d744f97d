import type { Connection, InboundFacts } from '../connection.js';
import { PikeError, describeThrown, isPikeError } from '../errors.js';
import type { ConnectorSettings } from '../options.js';
import { ArrivalClock } from './arrival-clock.js';
import { InboundPump } from './inbound-pump.js';
import type { InboundHost } from './inbound-pump.js';
import { createMessageDecoder } from './message-decoder.js';
import type { Readable, ReadableHost, ReasonBits } from './reading-gate.js';
import { ReadingGate } from './reading-gate.js';

/** What an inbox tells its connection, and needs of it. */
export interface InboxHost<T> extends ReadableHost {
  /** How many events wait for the application to take them. */
  readonly pendingEvents: number;
  received(message: T): void;
  /** The input cannot be decoded: the connection is broken. */
  inputFailed(error: PikeError): void;
  /** The deserializer that had waited for its callback has gone on as far as it could. */
  caughtUp(): void;
}

/** Why the socket of a connection is not read at the moment. */
type NotReadingReason = 'notOpen' | 'deserializerWaits' | 'backlog' | 'byteBacklog' | 'paused';

const NOT_READING: ReasonBits<NotReadingReason> = {
  notOpen: 1,
  deserializerWaits: 2,
  backlog: 4,
  byteBacklog: 8,
  paused: 16,
};

/**
 * Everything that one connection receives, and what stands against reading more. What decodes is made
 * when the first bytes arrive: many connections say nothing, for long.
 */
export class Inbox<T> implements InboundHost<T>, InboundFacts, Readable {
  bytesRead = 0;
  readonly #connection: Connection;
  readonly #settings: ConnectorSettings<T>;
  readonly #host: InboxHost<T>;
  readonly #gate: ReadingGate<NotReadingReason>;
  #pump: InboundPump<T> | undefined;
  #arrival: ArrivalClock | undefined;
  /** The bytes behind the events that wait, at most: what has arrived since none did. */
  #pendingBytes = 0;
  #stopped = false;
  /** Whether the bytes that have just arrived have completed a message. */
  #completed = false;

  constructor(connection: Connection, settings: ConnectorSettings<T>, host: InboxHost<T>) {
    this.#connection = connection;
    this.#settings = settings;
    this.#host = host;
    this.#gate = new ReadingGate(host, NOT_READING, 'notOpen');
  }

  /** Whether the deserializer waits for its callback. */
  get waiting(): boolean {
    return this.#pump?.waiting ?? false;
  }

  /** The error if the input ended here: `undefined` between two messages. */
  get truncation(): PikeError | undefined {
    return this.#pump?.inMidMessage === true
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
    if (this.#stopped) return;
    const pump = (this.#pump ??= this.#createPump());
    this.#completed = false;
    if (this.#host.pendingEvents === 0) this.#pendingBytes = pump.bytesKept;
    this.#pendingBytes += bytes.length;
    pump.push(bytes);
    this.#limitPendingBytes();
    if (!pump.inMidMessage) this.#arrival?.end();
    else this.#arrived(this.#completed, this.#completed ? pump.bytesKept : bytes.length);
  }

  /** The error if the message that is arriving takes too long. */
  overdue(now: number): PikeError | undefined {
    if (!this.#gate.isOpen) this.#arrival?.forgive(now);
    if (this.#arrival?.isOverdue(now) !== true) return undefined;
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

  /** As `Connector.pause`. */
  pause(): void {
    this.#gate.stop('paused');
  }

  /** As `Connector.resume`. */
  resume(): void {
    this.#gate.goOn('paused');
  }

  /** Events have begun, or ceased, to wait for the application to take them. */
  pendingEventsChanged(): void {
    const { pendingEvents } = this.#host;
    const most = this.#settings.maxPendingEvents;
    if (pendingEvents > most) this.#gate.stop('backlog');
    else if (pendingEvents <= most / 2) this.#gate.goOn('backlog');
    if (pendingEvents === 0) this.#gate.goOn('byteBacklog');
  }

  /** Stops decoding for good. */
  stop(): void {
    this.#stopped = true;
    this.#pump?.stop();
    this.#arrival?.end();
  }

  /** Stops decoding, and reads on to throw away what arrives. */
  discard(): void {
    this.stop();
    this.#gate.openForGood();
  }

  received(message: T): void {
    this.#completed = true;
    this.#host.received(message);
  }

  deserializerFailed(thrown: unknown): void {
    this.#host.inputFailed(deserializerFailed(thrown));
  }

  waits(waiting: boolean): void {
    if (waiting) this.#gate.stop('deserializerWaits');
    else this.#host.caughtUp();
  }

  #limitPendingBytes(): void {
    if (this.#host.pendingEvents === 0) return;
    const most = Math.max(this.#settings.maxMessageBytes, SMALLEST_BYTE_BACKLOG);
    if (this.#pendingBytes > most) this.#gate.stop('byteBacklog');
  }

  /** Bytes of a message that is not whole have arrived. @param isNew whether it begins with them */
  #arrived(isNew: boolean, bytes: number): void {
    const { incompleteMessageTimeout, minBytesPerSecond } = this.#settings;
    this.#arrival ??= new ArrivalClock(incompleteMessageTimeout, minBytesPerSecond);
    if (isNew) this.#arrival.begin(performance.now(), bytes);
    else this.#arrival.arrived(performance.now(), bytes);
  }

  #createPump(): InboundPump<T> {
    const { converter, onError } = this.#settings;
    const decoder = createMessageDecoder(
      converter,
      this.#connection,
      this.#settings,
      () => this.#pump?.decode(),
      onError,
    );
    return new InboundPump(decoder, this, this.#settings.maxMessageBytes);
  }
}

/** What the system hands over at once, so that not every read is followed by a pause. */
const SMALLEST_BYTE_BACKLOG = 65_536;

function deserializerFailed(thrown: unknown): PikeError {
  if (isPikeError(thrown)) return thrown;
  return new PikeError(
    'PIKE_ERR_DESERIALIZER',
    `The converter failed to deserialize what the peer sent: ${describeThrown(thrown)}`,
    { cause: thrown },
  );
}
