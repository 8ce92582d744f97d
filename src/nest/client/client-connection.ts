import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { describeThrown, isPikeError, PikeError } from '../../core/errors.js';
import type { ConnectorEvent, Leftovers, RejectedMessageEvent } from '../../core/events.js';
import type { Finish } from '../../core/finish.js';
import { InOrder } from '../in-order.js';
import { PacketSender } from '../packet-sender.js';
import type { IncomingReply, OutgoingPacket } from '../packets.js';
import type { PikeClientSettings } from './client-options.js';
import { createCorrelator } from './correlator.js';
import type { Correlator } from './correlator.js';
import { PendingEvent, PendingRequest } from './pending.js';
import type { EndReason, Pending } from './pending.js';
import { undelivered } from './undelivered.js';

/** What a connection tells its client. */
export interface ClientConnectionHost<T> {
  /** Told of every event of the connector, first. */
  observe(event: ConnectorEvent<T>): void;
  /** The connection has ended. */
  ended(connection: ClientConnection<T>): void;
  /** Something failed that no caller waits for. */
  warn(error: unknown): void;
}

/** One connection of a client, from connecting to its end, and everything that waits on it. */
export class ClientConnection<T> {
  readonly connector: Connector<T>;
  readonly #settings: PikeClientSettings<T>;
  readonly #host: ClientConnectionHost<T>;
  readonly #correlator: Correlator<PendingRequest<T>>;
  readonly #incoming = new InOrder();
  readonly #giveUp = new AbortController();
  /** In the order in which their messages were given. */
  readonly #pending = new Set<Pending<T>>();
  #connection: Connection | undefined;
  #sender: PacketSender<OutgoingPacket, T> | undefined;
  #lastId = 0;
  /** How many messages the connector has rejected. */
  #rejections = 0;
  #closing: Promise<void> | undefined;

  constructor(settings: PikeClientSettings<T>, host: ClientConnectionHost<T>) {
    this.#settings = settings;
    this.#host = host;
    this.#correlator = createCorrelator(settings.correlation);
    this.connector = settings.createConnector((error) => host.warn(error));
  }

  /** @throws PikeError (rejection) `PIKE_ERR_CONNECT_FAILED`, `PIKE_ERR_CONNECT_TIMEOUT`, `PIKE_ERR_CONNECT_ABORTED` */
  async open(): Promise<void> {
    const { connector } = this;
    connector.subscribe((event) => this.#happened(event));
    await connector.run();
    if (this.#closing !== undefined) throw closedEarly();
    const { signal } = this.#giveUp;
    const result = await connector.connectWaiting(this.#settings.endpoint, {
      signal,
      onFinish: (connection, success) => {
        if (success) this.#connected(connection);
      },
    });
    if (result.success) return;
    await connector.shutdown({ now: true });
    throw unsent(result.error);
  }

  /** Sends a request. @returns gives it up: its replies are no longer wanted */
  request(packet: OutgoingPacket, onReply: (reply: IncomingReply) => void): () => void {
    const id = ++this.#lastId;
    const request = new PendingRequest<T>(id, onReply);
    this.#correlator.add(request);
    this.#send({ ...packet, id }, request, (message) => {
      // Nobody would answer it.
      if (message === undefined) this.#returned(request, nothingToSend());
    });
    return () => this.#cancel(request);
  }

  /** Sends an event. Resolves once it is sent. @throws PikeError (rejection) with `delivery` if it is not */
  emit(packet: OutgoingPacket): Promise<void> {
    return new Promise((resolve, reject) => {
      const event = new PendingEvent<T>(resolve, reject);
      this.#send(packet, event, () => this.#awaitSent(event));
    });
  }

  /** Ends the connection; resolves when it has ended. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { mode, deadline } = this.#settings.shutdown;
    this.#giveUp.abort();
    await this.connector.shutdown({ [mode]: true, deadline } as Finish);
  }

  #connected(connection: Connection): void {
    this.#connection = connection;
    this.#sender = new PacketSender(this.connector, connection, this.#settings.serializer);
  }

  #send(
    packet: OutgoingPacket,
    pending: Pending<T>,
    onGiven: (message: T | undefined) => void,
  ): void {
    this.#pending.add(pending);
    this.#sender?.send(packet, {
      given: (message) => {
        pending.message = message;
        onGiven(message);
      },
      failed: (thrown) => this.#returned(pending, unsent(thrown)),
    });
  }

  #cancel(request: PendingRequest<T>): void {
    if (!this.#pending.has(request)) return;
    if (this.#withdraw(request)) {
      this.#pending.delete(request);
      this.#correlator.forget(request);
      return;
    }
    request.abandon();
    // What is still to be answered also still counts when messages come back.
    if (!this.#correlator.abandon(request)) this.#pending.delete(request);
    if (!this.#settings.sendsCancels) return;
    this.#sender?.send(
      { id: request.id, cancel: true },
      { given: () => undefined, failed: (thrown) => this.#host.warn(thrown) },
    );
  }

  /** Takes a request back, if none of its bytes has left. */
  #withdraw(request: PendingRequest<T>): boolean {
    const { message } = request;
    if (message === undefined || this.#connection === undefined) return false;
    return this.#isUnique(request) && this.connector.withdraw(this.#connection, message);
  }

  /**
   * Whether taking back the message of a request cannot hit another's. With ids no two are equal;
   * without, they may be: two requests for the same number, say.
   */
  #isUnique(request: PendingRequest<T>): boolean {
    if (this.#settings.correlation === 'id') return true;
    for (const other of this.#pending) {
      if (other !== request && Object.is(other.message, request.message)) return false;
    }
    return true;
  }

  /** Waits until everything given so far was sent, the event included. */
  #awaitSent(event: PendingEvent<T>): void {
    if (this.#connection === undefined) return;
    const rejections = this.#rejections;
    this.connector.flushed(this.#connection).then(
      () => {
        if (this.#pending.delete(event)) event.sent();
      },
      () => {
        // Something came back, in an event that has been handled by the next tick. If it was another
        // message that the connector has rejected, this one is still on its way; otherwise the
        // connection is ending, and its last event says what became of this one.
        process.nextTick(() => {
          if (this.#rejections > rejections && this.#pending.has(event)) this.#awaitSent(event);
        });
      },
    );
  }

  #happened(event: ConnectorEvent<T>): void {
    this.#host.observe(event);
    switch (event.type) {
      case 'messageReceived':
        this.#received(event.message);
        return;
      case 'rejectedMessage':
        this.#rejected(event);
        return;
      case 'finishDisconnect':
      case 'remoteDisconnect':
        this.#ended(event.type, event, event.error);
        break;
      case 'finishConnect':
      case 'remoteConnect':
    }
  }

  #received(message: T): void {
    let reply;
    try {
      reply = this.#settings.deserializer.deserialize(message);
    } catch (thrown) {
      this.#misled(thrown);
      return;
    }
    this.#incoming.run(
      reply,
      (ready) => this.#replied(ready),
      (thrown) => this.#misled(thrown),
    );
  }

  #replied(reply: IncomingReply): void {
    const request = this.#correlator.match(reply);
    if (request === undefined) return;
    const last = this.#correlator.isLast(reply);
    if (last) this.#pending.delete(request);
    request.replied(last ? { ...reply, isDisposed: true } : reply);
  }

  /** The server has sent something that is no reply: what follows cannot be trusted either. */
  #misled(thrown: unknown): void {
    this.#host.warn(thrown);
    if (this.#connection !== undefined) {
      this.connector.disconnect(this.#connection, { now: true });
    }
  }

  #rejected({ message, error }: RejectedMessageEvent<T>): void {
    this.#rejections++;
    for (const pending of this.#pending) {
      if (!Object.is(pending.message, message)) continue;
      this.#returned(pending, unsent(error));
      return;
    }
    this.#host.warn(error);
  }

  #returned(pending: Pending<T>, error: PikeError): void {
    if (!this.#pending.delete(pending)) return;
    if (pending instanceof PendingRequest) this.#correlator.forget(pending);
    pending.failed(error);
  }

  #ended(
    type: 'finishDisconnect' | 'remoteDisconnect',
    leftovers: Leftovers<T>,
    cause: Error | undefined,
  ): void {
    const pending = [...this.#pending];
    this.#pending.clear();
    const reason = this.#reasonOf(type, cause);
    const fates = undelivered(pending, leftovers, this.#settings.atomic);
    this.#host.ended(this);
    for (const each of pending) each.ended(reason, fates.get(each));
    // The connector serves one connection: it goes with it.
    void this.connector.shutdown({ now: true });
  }

  #reasonOf(type: 'finishDisconnect' | 'remoteDisconnect', cause: Error | undefined): EndReason {
    if (this.#closing !== undefined) {
      return { code: 'PIKE_ERR_CLIENT_CLOSED', message: 'The client was closed.', cause };
    }
    if (type === 'remoteDisconnect' && cause === undefined) {
      return { code: 'PIKE_ERR_REMOTE_ENDED', message: 'The server ended the connection.', cause };
    }
    const code = isPikeError(cause) ? cause.code : 'PIKE_ERR_CONNECTION_LOST';
    return { code, message: cause?.message ?? 'The connection was ended.', cause };
  }
}

/** The client was closed before it was connected. */
function closedEarly(): PikeError {
  return new PikeError('PIKE_ERR_CONNECT_ABORTED', 'The client was closed while connecting.', {
    delivery: 'unsent',
  });
}

/** The error of a request or event that was never sent. */
function unsent(thrown: unknown): PikeError {
  const code = isPikeError(thrown) ? thrown.code : 'PIKE_ERR_SERIALIZER';
  return new PikeError(code, describeThrown(thrown), { cause: thrown, delivery: 'unsent' });
}

/** The serializer has made no message of a request. */
function nothingToSend(): PikeError {
  return new PikeError(
    'PIKE_ERR_SERIALIZER',
    'The serializer returned undefined for a request: nothing was sent, so nobody can reply.',
    { delivery: 'unsent' },
  );
}
