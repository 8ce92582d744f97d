import type { Duplex } from 'node:stream';
import { Acceptance } from './acceptance.js';
import { Connection } from '../connection.js';
import type { ConnectionFacts, InboundFacts } from '../connection.js';
import { NEXT_STATES, takesMessages } from '../connection-state.js';
import type { ConnectionState } from '../connection-state.js';
import { publishState } from '../diagnostics.js';
import type { Endpoint } from '../endpoint.js';
import type { PikeError } from '../errors.js';
import { FinishConnectEvent, NO_LEFTOVERS, RemoteConnectEvent } from '../events.js';
import type { DisconnectType, Leftovers } from '../events.js';
import type { FinishWay } from '../finish.js';
import type { Inbox } from '../inbound/inbox.js';
import type { Outbox } from '../outbound/outbox.js';
import {
  connectFailed,
  disconnectedEarly,
  endedEarly,
  notAccepted,
  notConnected,
  notTaking,
} from './link-errors.js';
import { createInbox, createOutbox, nothingRead } from './link-halves.js';
import type { HalvesHost } from './link-halves.js';
import type { LinkOrigin, LinkOwner } from './link-origin.js';
import { LinkEnding } from './link-ending.js';
import type { LinkEvents } from './link-events.js';
import { Wire } from './wire.js';
import type { TlsPeer } from '../tls-peer.js';
import type { WireHost } from './wire.js';

let lastId = 0;

/**
 * One connection at work: its state machine, between a socket (the wire), what is to be sent (the
 * outbox), what arrives (the inbound pump) and the queue that its events go to.
 */
export class Link<T> implements ConnectionFacts, WireHost, HalvesHost<T> {
  readonly id = ++lastId;
  readonly inbound: boolean;
  readonly connection: Connection;
  readonly owner: LinkOwner<T>;
  /** Where its events go; see {@link moveEvents}. */
  events: LinkEvents<T>;
  remote: Endpoint | undefined;
  local: Endpoint | undefined;
  tls: TlsPeer | undefined;
  /** How many of its events wait for the application to take them. */
  pendingEvents = 0;
  #outbox: Outbox<T> | undefined;
  #inbox: Inbox<T> | undefined;
  /** Of a peer that is not accepted yet. */
  #acceptance: Acceptance | undefined;
  #state: ConnectionState;
  /** Limits the present state. */
  #stateTimer: NodeJS.Timeout | undefined;
  #wire: Wire | undefined;
  /** From when its end is first spoken of. */
  #ending: LinkEnding | undefined;

  constructor(owner: LinkOwner<T>, origin: LinkOrigin<T>) {
    this.owner = owner;
    this.inbound = origin.inbound;
    this.remote = origin.remote;
    this.events = origin.events;
    this.#state = origin.inbound ? 'arriving' : 'connecting';
    this.connection = new Connection(this);
  }

  /**
   * What is to be sent. To send, use {@link send}: it knows whether the connection takes messages. It
   * is made, as the inbox is, when it is first asked for: many connections are idle, for long.
   */
  get outbox(): Outbox<T> {
    return (this.#outbox ??= createOutbox(this));
  }

  /** What is received. */
  get inbox(): Inbox<T> {
    return (this.#inbox ??= createInbox(this));
  }

  /** How reading goes: to be looked at, which makes no inbox. */
  get reading(): InboundFacts {
    return this.#inbox ?? nothingRead(this.#state);
  }

  get state(): ConnectionState {
    return this.#state;
  }

  /** Whether its last event has been posted. */
  get ended(): boolean {
    return this.#state === 'lingering' || (this.#state === 'closed' && !this.#holdsEnd);
  }

  /** Events begin (+1) or cease (-1) to wait. One, that it is connected, say, stands against nothing. */
  pendingEventsChanged(change: 1 | -1): void {
    this.pendingEvents += change;
    (this.pendingEvents > 1 ? this.inbox : this.#inbox)?.pendingEventsChanged();
  }

  /** From now on its events go there, behind those that wait there. */
  moveEvents(to: LinkEvents<T>): void {
    const from = this.events;
    this.events = to;
    from.moveTo(to);
  }

  /** We begin to connect; {@link connected}, `broken` or the timeout ends it. */
  dial(socket: Duplex, timeout: number): void {
    this.#wire = new Wire(socket, this);
    this.#limitState(timeout, () => this.giveUpConnecting(notConnected(this.remote, timeout)));
  }

  /** A peer has arrived: announces it, and gives the application time to accept. */
  arrive(socket: Duplex): void {
    this.#wire = new Wire(socket, this);
    this.#acceptance = new Acceptance(this);
    this.events.deliver(new RemoteConnectEvent(this.connection, this.#acceptance));
    // Most are accepted at once: for them, no timer is made.
    if (this.#state !== 'arriving') return;
    const { acceptTimeout } = this.owner.settings;
    this.#limitState(acceptTimeout, () =>
      this.#end('finishDisconnect', notAccepted(acceptTimeout), false),
    );
  }

  accept(separate: boolean): void {
    if (separate) this.events = this.owner.ownEvents();
    this.#open();
  }

  /** The socket that we dialled is connected. */
  connected(): void {
    if (this.#state !== 'connecting') return;
    this.events.finishConnect(new FinishConnectEvent<T>(this.connection, true, []));
    this.#open();
  }

  /** Connecting has failed, or is given up. */
  giveUpConnecting(error: PikeError): void {
    if (this.#state !== 'connecting') return;
    this.#become('closed', error);
    const { queued } = this.#outbox?.close({ exact: 0 }, error) ?? NO_LEFTOVERS;
    this.events.finishConnect(new FinishConnectEvent(this.connection, false, queued, error));
    this.events.end();
    this.#release();
  }

  send(message: T): boolean {
    if (takesMessages(this.#state)) return this.outbox.send(message);
    this.outbox.refuse(message, notTaking(this.#state));
    return false;
  }

  disconnect(way: FinishWay, deadline: number | undefined, reason?: PikeError): void {
    if (this.#state === 'closed' && !this.#holdsEnd) return;
    const ending = this.#ensureEnding();
    ending.reason ??= reason;
    ending.startDeadline(deadline, (error) => this.disconnect('now', undefined, error));
    switch (this.#state) {
      case 'connecting':
        if (way === 'finishQueues') ending.hasten(way);
        else this.giveUpConnecting(reason ?? disconnectedEarly());
        return;
      case 'arriving':
        this.#end('finishDisconnect', reason, false);
        return;
      case 'open':
      case 'remoteEnded':
      case 'finishing':
        this.#finish(ending, way);
        return;
      case 'lingering':
        if (way === 'now') this.#close();
        return;
      case 'closed':
        if (way === 'now') this.#releaseHeldEnd(reason);
    }
  }

  /** Looked at now and then: a peer that never finishes its message, or never reads, is given up. */
  check(now: number): void {
    const error = this.#inbox?.overdue(now) ?? this.#outbox?.stalled(now, this.#wire?.progress);
    if (error !== undefined && this.#state !== 'closed') this.#end(this.#endType, error, false);
  }

  data(bytes: Buffer): void {
    this.inbox.push(bytes);
  }

  written(): void {
    this.#outbox?.written();
  }

  remoteEnd(): void {
    if (this.#state !== 'open' && this.#state !== 'finishing') return;
    const truncated = this.#inbox?.waiting === true ? undefined : this.#inbox?.truncation;
    if (this.owner.settings.allowHalfOpen && truncated === undefined) {
      this.#ensureEnding().halfOpen = true;
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
    if (!this.#holdsEnd) this.owner.gone(this);
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
    this.#limitState(this.owner.settings.lingerTimeout, () => this.#close());
  }

  inputFailed(error: PikeError): void {
    if (this.#holdsEnd) this.#releaseHeldEnd(error);
    else this.#end('finishDisconnect', error, false);
  }

  caughtUp(): void {
    if (this.#holdsEnd) {
      this.#releaseHeldEnd(this.inbox.truncation);
      return;
    }
    // An error costs microseconds, and it is none as long as the peer may go on.
    const truncation = this.#ending?.halfOpen === true ? this.inbox.truncation : undefined;
    if (truncation === undefined) this.inbox.goOn();
    else this.#end('remoteDisconnect', truncation, true);
  }

  /** The one mutator of the state. */
  #become(state: ConnectionState, error = this.#ending?.reason): void {
    if (!NEXT_STATES[this.#state].includes(state)) {
      throw new Error(`A connection cannot become ${state} when it is ${this.#state}`);
    }
    if (this.#state === 'arriving') {
      this.#acceptance?.decide(state === 'open');
      this.#acceptance = undefined;
    }
    const previous = this.#state;
    this.#state = state;
    clearTimeout(this.#stateTimer);
    this.#stateTimer = undefined;
    publishState(this.connection, state, previous, error);
  }

  #limitState(ms: number, onTimeout: () => void): void {
    this.#stateTimer = setTimeout(onTimeout, ms);
  }

  #open(): void {
    this.#become('open');
    if (this.#inbox === undefined) this.#wire?.resume();
    else this.#inbox.start();
    this.#outbox?.start();
    if (this.#ending?.way !== undefined) this.#finish(this.#ending, this.#ending.way);
    if (this.#wire?.remoteEnded === true) this.remoteEnd();
  }

  #finish(ending: LinkEnding, way: FinishWay): void {
    const before = ending.way;
    const sooner = ending.hasten(way);
    if (sooner === 'now') {
      this.#end(this.#endType, ending.reason, false);
      return;
    }
    if (this.#state !== 'finishing') this.#become('finishing');
    else if (sooner === before) return;
    if (sooner === 'finishMessages') this.outbox.finishBegun();
    else this.outbox.finishAll();
  }

  /**
   * Ends the connection at once, whatever its state, with a disconnect event.
   * @param byPeer then messages that had been received before are delivered first
   */
  #end(type: DisconnectType, error: PikeError | undefined, byPeer: boolean): void {
    const accepted = this.#wire?.accepted() ?? { exact: 0 };
    this.#become('closed', this.#ending?.reason ?? error);
    const leftovers = this.#outbox?.close(accepted, error) ?? NO_LEFTOVERS;
    if (byPeer && this.#inbox?.waiting === true) {
      this.#ensureEnding().heldEnd = (failed) => this.#postEnd(type, leftovers, error ?? failed);
      this.#wire?.destroy();
      return;
    }
    this.#postEnd(type, leftovers, error);
    this.#release();
  }

  #postEnd(type: DisconnectType, leftovers: Leftovers<T>, error: PikeError | undefined): void {
    this.events.disconnected(type, this.connection, leftovers, this.#ending?.reason ?? error);
  }

  /** Whether the last event waits for the deserializer that still works on received bytes. */
  get #holdsEnd(): boolean {
    return this.#ending?.heldEnd !== undefined;
  }

  get #endType(): DisconnectType {
    return this.#ending?.halfOpen === true ? 'remoteDisconnect' : 'finishDisconnect';
  }

  #ensureEnding(): LinkEnding {
    return (this.#ending ??= new LinkEnding());
  }

  #close(): void {
    this.#become('closed');
    this.#release();
  }

  /** Lets go of everything that the connection holds. */
  #release(): void {
    clearTimeout(this.#stateTimer);
    this.#ending?.stopDeadline();
    this.#inbox?.stop();
    if (this.#wire === undefined) this.owner.gone(this);
    else this.#wire.destroy();
  }

  #releaseHeldEnd(error: PikeError | undefined): void {
    this.#ending?.releaseHeldEnd(error);
    this.#release();
  }
}
