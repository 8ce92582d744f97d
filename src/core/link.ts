import type { Duplex } from 'node:stream';
import { Acceptance } from './acceptance.js';
import { Connection } from './connection.js';
import type { ConnectionFacts } from './connection.js';
import { NEXT_STATES, takesMessages } from './connection-state.js';
import type { ConnectionState } from './connection-state.js';
import { publishState } from './diagnostics.js';
import type { Endpoint } from './endpoint.js';
import type { PikeError } from './errors.js';
import type { EventQueue } from './event-queue.js';
import { FinishConnectEvent, RemoteConnectEvent, disconnectEvent } from './events.js';
import type { DisconnectType, Leftovers } from './events.js';
import { soonerWay } from './finish.js';
import type { FinishWay } from './finish.js';
import { Inbox } from './inbound/inbox.js';
import type { InboxHost } from './inbound/inbox.js';
import type { ConnectorSettings } from './options.js';
import { Outbox } from './outbound/outbox.js';
import type { OutboxHost } from './outbound/outbox.js';
import {
  connectFailed,
  deadlinePassed,
  disconnectedEarly,
  endedEarly,
  notAccepted,
  notConnected,
  notTaking,
} from './link-errors.js';
import type { LinkOrigin, LinkOwner } from './link-origin.js';
import { LinkEvents } from './link-events.js';
import { LinkTimers } from './link-timers.js';
import { Wire } from './wire.js';
import type { TlsPeer } from './tls-peer.js';
import type { WireHost } from './wire.js';

let lastId = 0;

/**
 * One connection at work: its state machine, between a socket (the wire), what is to be sent (the
 * outbox), what arrives (the inbound pump) and the queue that its events go to.
 */
export class Link<T> implements ConnectionFacts, WireHost, OutboxHost<T>, InboxHost<T> {
  readonly id = ++lastId;
  readonly inbound: boolean;
  readonly connection: Connection;
  readonly owner: LinkOwner<T>;
  readonly events: LinkEvents<T>;
  remote: Endpoint | undefined;
  local: Endpoint | undefined;
  tls: TlsPeer | undefined;
  /** What is to be sent. To send, use {@link send}: it knows whether the connection takes messages. */
  readonly outbox: Outbox<T>;
  /** What is received. */
  readonly inbox: Inbox<T>;
  readonly #settings: ConnectorSettings<T>;
  readonly #timers = new LinkTimers();
  readonly #onFinishConnect: ((event: FinishConnectEvent<T>) => void) | undefined;
  /** Of a peer that is not accepted yet. */
  #acceptance: Acceptance | undefined;
  #state: ConnectionState;
  #wire: Wire | undefined;
  #way: FinishWay | undefined;
  /** Why we disconnect, if it is because of a fault. */
  #reason: PikeError | undefined;
  /** Whether the peer has ended its side while ours goes on (`allowHalfOpen`). */
  #halfOpen = false;
  /** The last event, held back until the deserializer that still works on received bytes is done. */
  #heldEnd: ((truncated: PikeError | undefined) => void) | undefined;

  constructor(owner: LinkOwner<T>, origin: LinkOrigin<T>) {
    this.owner = owner;
    this.#settings = owner.settings;
    this.inbound = origin.inbound;
    this.remote = origin.remote;
    this.events = new LinkEvents(origin.events, origin.separate);
    this.#onFinishConnect = origin.onFinishConnect;
    this.#state = origin.inbound ? 'arriving' : 'connecting';
    this.connection = new Connection(this);
    this.outbox = new Outbox(this.connection, owner.settings, owner.pool, this);
    this.inbox = new Inbox(this.connection, owner.settings, this);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether its last event has been posted. */
  get ended(): boolean {
    return this.#state === 'lingering' || (this.#state === 'closed' && !this.#heldEnd);
  }

  /** We begin to connect; {@link connected}, `broken` or the timeout ends it. */
  dial(socket: Duplex, timeout: number): void {
    this.#wire = new Wire(socket, this);
    this.#timers.startState(timeout, () =>
      this.giveUpConnecting(notConnected(this.remote, timeout)),
    );
  }

  /** A peer has arrived: announces it, and gives the application time to accept. */
  arrive(socket: Duplex, openQueue: () => EventQueue<T>): void {
    this.#wire = new Wire(socket, this);
    const { acceptTimeout } = this.#settings;
    this.#timers.startState(acceptTimeout, () =>
      this.#end('finishDisconnect', notAccepted(acceptTimeout), false),
    );
    this.#acceptance = new Acceptance((separate) => {
      if (separate) this.events.separateInto(openQueue());
      this.#open();
    });
    this.events.deliver(new RemoteConnectEvent(this.connection, this.#acceptance));
  }

  /** The socket that we dialled is connected. */
  connected(): void {
    if (this.#state !== 'connecting') return;
    this.#finishConnect(new FinishConnectEvent<T>(this.connection, true, []));
    this.#open();
  }

  /** Connecting has failed, or is given up. */
  giveUpConnecting(error: PikeError): void {
    if (this.#state !== 'connecting') return;
    this.#become('closed', error);
    const { queued } = this.outbox.close({ exact: 0 }, error);
    this.#finishConnect(new FinishConnectEvent(this.connection, false, queued, error));
    this.events.end();
    this.#release();
  }

  send(message: T): boolean {
    if (takesMessages(this.#state)) return this.outbox.send(message);
    this.outbox.refuse(message, notTaking(this.#state));
    return false;
  }

  disconnect(way: FinishWay, deadline: number | undefined, reason?: PikeError): void {
    this.#reason ??= reason;
    switch (this.#state) {
      case 'connecting':
        if (way !== 'finishQueues') {
          this.giveUpConnecting(reason ?? disconnectedEarly());
          return;
        }
        this.#way = way;
        this.#startDeadline(deadline);
        return;
      case 'arriving':
        this.#end('finishDisconnect', reason, false);
        return;
      case 'open':
      case 'remoteEnded':
      case 'finishing':
        this.#startDeadline(deadline);
        this.#finish(way);
        return;
      case 'lingering':
        if (way === 'now') this.#close();
        else this.#startDeadline(deadline);
        return;
      case 'closed':
        if (this.#heldEnd === undefined) return;
        if (way === 'now') this.#releaseHeldEnd(reason);
        else this.#startDeadline(deadline);
    }
  }

  /** Looked at now and then: a peer that never finishes its message, or never reads, is given up. */
  check(now: number): void {
    const error = this.inbox.overdue(now) ?? this.outbox.stalled(now, this.#wire?.progress);
    if (error !== undefined && this.#state !== 'closed') this.#end(this.#endType, error, false);
  }

  data(bytes: Buffer): void {
    this.inbox.push(bytes);
  }

  written(): void {
    this.outbox.written();
  }

  remoteEnd(): void {
    if (this.#state !== 'open' && this.#state !== 'finishing') return;
    const truncated = this.inbox.waiting ? undefined : this.inbox.truncation;
    if (this.#settings.allowHalfOpen && truncated === undefined) {
      this.#halfOpen = true;
      if (this.#state === 'open') this.#become('remoteEnded');
      return;
    }
    if (this.#state === 'open') this.#end('remoteDisconnect', truncated, true);
    else this.#end('finishDisconnect', truncated ?? endedEarly(), true);
  }

  broken(error: PikeError): void {
    switch (this.#state) {
      case 'connecting':
        this.giveUpConnecting(connectFailed(this.remote, error.cause ?? error));
        return;
      case 'arriving':
      case 'open':
      case 'remoteEnded':
        this.#end('remoteDisconnect', error, true);
        return;
      case 'finishing':
        this.#end(this.#endType, error, true);
        return;
      case 'lingering':
        this.#close();
        break;
      case 'closed':
    }
  }

  gone(): void {
    if (this.#state === 'lingering') this.#close();
    this.#wire = undefined;
    if (this.#heldEnd === undefined) this.owner.gone(this);
  }

  get socket(): Wire | undefined {
    return this.#wire;
  }

  write(chunk: Buffer): boolean {
    return this.#wire?.write(chunk) ?? false;
  }

  received(message: T): void {
    this.events.received(this.connection, message);
  }

  rejected(message: T, error: PikeError): void {
    this.events.rejected(this.connection, message, error);
  }

  serializerBroke(error: PikeError): void {
    this.#end('finishDisconnect', error, false);
  }

  allSent(): void {
    if (this.#state !== 'finishing') return;
    this.#become('lingering');
    this.#postEnd(this.#endType, this.outbox.returned, undefined);
    this.inbox.discard();
    this.#wire?.end();
    this.#timers.startState(this.#settings.lingerTimeout, () => this.#close());
  }

  inputFailed(error: PikeError): void {
    if (this.#heldEnd === undefined) this.#end('finishDisconnect', error, false);
    else this.#releaseHeldEnd(error);
  }

  caughtUp(): void {
    const { truncation } = this.inbox;
    if (this.#heldEnd !== undefined) this.#releaseHeldEnd(truncation);
    else if (this.#halfOpen && truncation !== undefined) {
      this.#end('remoteDisconnect', truncation, true);
    } else this.inbox.goOn();
  }

  /** The one mutator of the state. */
  #become(state: ConnectionState, error = this.#reason): void {
    if (!NEXT_STATES[this.#state].includes(state)) {
      throw new Error(`A connection cannot become ${state} when it is ${this.#state}`);
    }
    if (this.#state === 'arriving') {
      this.#acceptance?.decide(state === 'open');
      this.#acceptance = undefined;
    }
    const previous = this.#state;
    this.#state = state;
    this.#timers.stopState();
    publishState(this.connection, state, previous, error);
  }

  #finishConnect(event: FinishConnectEvent<T>): void {
    if (this.#onFinishConnect === undefined) this.events.post(event);
    else this.#onFinishConnect(event);
  }

  #open(): void {
    this.#become('open');
    this.inbox.start();
    this.outbox.start();
    if (this.#way !== undefined) this.#finish(this.#way);
    if (this.#wire?.remoteEnded === true) this.remoteEnd();
  }

  #finish(way: FinishWay): void {
    const sooner = this.#way === undefined ? way : soonerWay(this.#way, way);
    const goesOn = this.#state === 'finishing' && sooner === this.#way;
    this.#way = sooner;
    if (sooner === 'now') {
      this.#end(this.#endType, this.#reason, false);
      return;
    }
    if (goesOn) return;
    if (this.#state !== 'finishing') this.#become('finishing');
    if (sooner === 'finishMessages') this.outbox.finishBegun();
    else this.outbox.finishAll();
  }

  /**
   * Ends the connection at once, whatever its state, with a disconnect event.
   * @param byPeer then messages that had been received before are delivered first
   */
  #end(type: DisconnectType, error: PikeError | undefined, byPeer: boolean): void {
    const accepted = this.#wire?.accepted() ?? { exact: 0 };
    this.#become('closed', this.#reason ?? error);
    const leftovers = this.outbox.close(accepted, error);
    if (byPeer && this.inbox.waiting) {
      this.#heldEnd = (failed) => this.#postEnd(type, leftovers, error ?? failed);
      this.#wire?.destroy();
      return;
    }
    this.#postEnd(type, leftovers, error);
    this.#release();
  }

  #postEnd(type: DisconnectType, leftovers: Leftovers<T>, error: PikeError | undefined): void {
    this.events.post(disconnectEvent(type, this.connection, leftovers, this.#reason ?? error));
    this.events.end();
  }

  get #endType(): DisconnectType {
    return this.#halfOpen ? 'remoteDisconnect' : 'finishDisconnect';
  }

  #close(): void {
    this.#become('closed');
    this.#release();
  }

  /** Lets go of everything that the connection holds. */
  #release(): void {
    this.#timers.stop();
    this.inbox.stop();
    if (this.#wire === undefined) this.owner.gone(this);
    else this.#wire.destroy();
  }

  #releaseHeldEnd(error: PikeError | undefined): void {
    const postEnd = this.#heldEnd;
    this.#heldEnd = undefined;
    postEnd?.(error);
    this.#release();
  }

  #startDeadline(ms: number | undefined): void {
    if (ms === undefined) return;
    this.#timers.startDeadline(ms, () => this.disconnect('now', undefined, deadlinePassed(ms)));
  }
}
