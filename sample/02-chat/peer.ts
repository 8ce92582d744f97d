import type { Connection, Connector } from 'nestjs-pike';

/** How long the last words to a peer may take, in ms. */
const LAST_WORDS_DEADLINE = 1_000;

/** Somebody at the other end of a connection. */
export class Peer {
  readonly connection: Connection;
  readonly #connector: Connector<string>;

  constructor(connector: Connector<string>, connection: Connection) {
    this.#connector = connector;
    this.connection = connection;
  }

  tell(line: string): void {
    this.#connector.send(this.connection, line);
  }

  /** The next line of one who is not merged yet; `undefined` if none comes: it has left, or was dismissed. */
  async nextLine(): Promise<string | undefined> {
    const event = await this.#connector.receiveFrom(this.connection);
    return event?.type === 'messageReceived' ? event.message : undefined;
  }

  /** From now on its lines go to the handlers, those first that it has sent meanwhile. */
  merge(): void {
    this.#connector.merge(this.connection);
  }

  /** Ends the connection when all that it was told, and these words, are sent. */
  dismiss(lastWords: string): void {
    this.tell(lastWords);
    this.#connector.disconnect(this.connection, {
      finishQueues: true,
      deadline: LAST_WORDS_DEADLINE,
    });
  }

  /** Ends the connection at once. */
  drop(): void {
    this.#connector.disconnect(this.connection, { now: true });
  }
}
