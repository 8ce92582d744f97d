import type { Connection, ConnectorEvent, NetConnector } from '../../core/index.js';
import type { FileMessage } from '../../converters/index.js';
import { CommandError, endedByServer } from '../failure.js';

/** What is told of a file: it was sent, or the server's receipt for it has come. */
export interface FileSenderHost {
  sent(file: FileMessage): void;
  receipt(file: FileMessage, receipt: unknown): void;
}

/**
 * Sends files over one connection, one after the other, and waits for what becomes of each: for its
 * receipt, if the server gives any, otherwise until the system has taken it.
 */
export class FileSender {
  readonly #connector: NetConnector<unknown>;
  readonly #connection: Connection;
  readonly #host: FileSenderHost;
  readonly #expectsReceipts: boolean;
  /** Those who wait for the next receipt, or for the end of the connection. */
  #waiter: { resolve: (receipt: unknown) => void; reject: (error: Error) => void } | undefined;
  /** Receipts that came sooner than they were waited for. */
  readonly #receipts: unknown[] = [];
  #endedBy: Error | undefined;

  constructor(
    connector: NetConnector<unknown>,
    connection: Connection,
    expectsReceipts: boolean,
    host: FileSenderHost,
  ) {
    this.#connector = connector;
    this.#connection = connection;
    this.#expectsReceipts = expectsReceipts;
    this.#host = host;
  }

  /** Is to be given each event of the connector. */
  readonly happened = (event: ConnectorEvent): void => {
    if (event.connection !== this.#connection) return;
    if (event.type === 'messageReceived') this.#receiptCame(event.message);
    if (event.type === 'rejectedMessage') this.#failed(event.error);
    if (event.type === 'remoteDisconnect' || event.type === 'finishDisconnect') {
      this.#failed(event.error ?? endedByServer());
    }
  };

  /**
   * Sends a file.
   * @throws PikeError (rejection) if it cannot be read, or the connection ends before;
   * CommandError `NO_RECEIPT` if the connection ends before the receipt
   */
  async send(file: FileMessage): Promise<void> {
    this.#connector.send(this.#connection, file);
    const receipt = this.#expectsReceipts ? this.#nextReceipt() : undefined;
    try {
      await this.#connector.flushed(this.#connection);
    } catch (error) {
      // Why is what its own event says.
      receipt?.catch(() => undefined);
      throw this.#endedBy ?? error;
    }
    if (receipt === undefined) this.#host.sent(file);
    else this.#host.receipt(file, await receipt);
  }

  async #nextReceipt(): Promise<unknown> {
    if (this.#receipts.length > 0) return this.#receipts.shift();
    if (this.#endedBy !== undefined) throw noReceipt(this.#endedBy);
    return new Promise((resolve, reject) => (this.#waiter = { resolve, reject }));
  }

  #receiptCame(receipt: unknown): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter === undefined) this.#receipts.push(receipt);
    else waiter.resolve(receipt);
  }

  #failed(error: Error): void {
    this.#endedBy ??= error;
    this.#waiter?.reject(noReceipt(this.#endedBy));
    this.#waiter = undefined;
  }
}

function noReceipt(cause: Error): CommandError {
  return new CommandError(
    'NO_RECEIPT',
    `The connection ended before the receipt came: ${cause.message} The server may have the file.`,
    { cause },
  );
}
