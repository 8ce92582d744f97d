import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import type { EventCall } from './call.js';

/**
 * Finds out when events are sent: with one wait for everything that was given meanwhile, rather
 * than one for each.
 */
export class SentEvents<T> {
  readonly #connector: Connector<T>;
  readonly #connection: Connection;
  readonly #onSent: (event: EventCall<T>) => void;
  #state: 'idle' | 'waiting' | 'stopped' = 'idle';
  #given: EventCall<T>[] = [];
  /** How many messages have come back, the connection going on. */
  #rejections = 0;

  /** @param onSent told of each event that was sent, unless it came back before */
  constructor(
    connector: Connector<T>,
    connection: Connection,
    onSent: (event: EventCall<T>) => void,
  ) {
    this.#connector = connector;
    this.#connection = connection;
    this.#onSent = onSent;
  }

  /** An event was given to the connector. */
  given(event: EventCall<T>): void {
    if (this.#state === 'stopped') return;
    this.#given.push(event);
    if (this.#state === 'idle') this.#wait();
  }

  /** The connector has not taken a message, or could not serialize it. */
  rejected(): void {
    this.#rejections++;
  }

  /** The connection has ended, or is ending: its last event says what became of everything. */
  stop(): void {
    this.#state = 'stopped';
    this.#given = [];
  }

  #wait(): void {
    const events = this.#given;
    const rejections = this.#rejections;
    this.#given = [];
    this.#state = 'waiting';
    this.#connector.flushed(this.#connection).then(
      () =>
        this.#settle(() => {
          for (const event of events) this.#onSent(event);
        }),
      () =>
        this.#settle(() => {
          // Something came back. If the connection goes on, the others are still on their way.
          if (this.#rejections === rejections) this.stop();
          else this.#given = [...events, ...this.#given];
        }),
    );
  }

  /** Goes on when the connector has said what came back, which it does in the next tick. */
  #settle(settle: () => void): void {
    process.nextTick(() => {
      if (this.#state === 'stopped') return;
      this.#state = 'idle';
      settle();
      if (this.#given.length > 0) this.#wait();
    });
  }
}
