import { FileConverter } from 'nestjs-pike/converters';
import type { FileMessage, FileProgress } from 'nestjs-pike/converters';
import { NetConnector } from 'nestjs-pike/core';
import type { Connection, ConnectorEvent, Endpoint } from 'nestjs-pike/core';
import { eachWay, isReceiptFor, RECEIPTS } from './protocol.js';
import type { FileCopyMessage, Receipt } from './protocol.js';

/** A file to be sent, and how long it is. */
export interface OutgoingFile extends FileMessage {
  readonly size: number;
}

/**
 * What became of a file: the server has it; or it could not be sent; or it was not sent, or not
 * whole, and the server keeps nothing of it; or it was sent and no receipt came.
 */
export type Outcome =
  | { fate: 'stored'; receipt: Receipt }
  | { fate: 'rejected'; error: Error }
  | { fate: 'unsent' }
  | { fate: 'in doubt' };

/** Who is told how the sending goes on. */
export interface SenderHost {
  progress(progress: FileProgress): void;
  /** Called once for each file. */
  settled(file: OutgoingFile, outcome: Outcome): void;
  /** A connection has ended before everything was done. */
  cutOff(error: Error | undefined): void;
}

/** Sends files over several connections, and knows of each file what became of it. */
export class Sender {
  readonly #host: SenderHost;
  readonly #files: FileConverter;
  readonly #connector: NetConnector<FileCopyMessage>;
  /** The files of each connection that have no receipt yet, in order. */
  readonly #pending = new Map<Connection, OutgoingFile[]>();
  #allSettled: () => void = () => {};

  constructor(host: SenderHost) {
    this.#host = host;
    this.#files = new FileConverter({
      checksum: 'sha256',
      maxFileBytes: Number.MAX_SAFE_INTEGER,
      onProgress: (progress) => host.progress(progress),
    });
    this.#connector = new NetConnector({ converter: eachWay(this.#files, RECEIPTS) });
    this.#connector.subscribe((event) => this.#happened(event));
  }

  /** Opens up to `count` connections; rejects if not one of them can be had. */
  async connect(endpoint: Endpoint, count: number): Promise<void> {
    await this.#connector.run();
    const attempts = await Promise.all(
      Array.from({ length: count }, () =>
        this.#connector.connectWaiting(endpoint, {
          onFinish: (connection, success) => {
            if (success) this.#pending.set(connection, []);
          },
        }),
      ),
    );
    if (!attempts.some(({ success }) => success)) throw attempts[0]?.error as Error;
  }

  /** Sends files, each over the connection that has the least to do. Resolves once all are settled. */
  send(files: readonly OutgoingFile[]): Promise<void> {
    const load = new Map(Array.from(this.#pending.keys(), (connection) => [connection, 0]));
    for (const file of files) {
      const [least] = [...load].sort(([, one], [, other]) => one - other);
      if (least === undefined) {
        this.#host.settled(file, { fate: 'unsent' });
        continue;
      }
      const [connection, bytes] = least;
      load.set(connection, bytes + file.size);
      this.#pending.get(connection)?.push(file);
      this.#connector.send(connection, file);
    }
    return new Promise((resolve) => {
      this.#allSettled = resolve;
      this.#checkSettled();
    });
  }

  /** Gives up: what is not sent yet comes back. */
  async stop(): Promise<void> {
    await this.#connector.shutdown({ now: true });
  }

  /** Ends the connections, and lets go of all files. */
  async close(): Promise<void> {
    await this.#connector.shutdown({ finishQueues: true });
    await this.#files.settled();
  }

  #happened(event: ConnectorEvent<FileCopyMessage>): void {
    const { connection } = event;
    const pending = this.#pending.get(connection);
    if (pending === undefined) return;
    switch (event.type) {
      case 'messageReceived':
        this.#receipt(connection, pending, event.message);
        break;
      case 'rejectedMessage': {
        const file = event.message as OutgoingFile;
        pending.splice(pending.indexOf(file), 1);
        this.#host.settled(file, { fate: 'rejected', error: event.error });
        break;
      }
      case 'finishDisconnect':
      case 'remoteDisconnect': {
        this.#pending.delete(connection);
        if (pending.length > 0) this.#host.cutOff(event.error);
        const returned = new Set<unknown>([event.incomplete, ...event.queued]);
        for (const file of pending) {
          this.#host.settled(file, { fate: returned.has(file) ? 'unsent' : 'in doubt' });
        }
        break;
      }
      case 'finishConnect':
      case 'remoteConnect':
    }
    this.#checkSettled();
  }

  /** Receipts come in the order in which the files were sent. */
  #receipt(connection: Connection, pending: OutgoingFile[], message: FileCopyMessage): void {
    const [file] = pending;
    if (file === undefined || !isReceiptFor(file.size, message)) {
      // Whatever it is that we talk to, it has not stored our file.
      this.#connector.disconnect(connection, { now: true });
      return;
    }
    pending.shift();
    this.#host.settled(file, { fate: 'stored', receipt: message });
  }

  #checkSettled(): void {
    const isDone = Array.from(this.#pending.values()).every((files) => files.length === 0);
    if (isDone) this.#allSettled();
  }
}
