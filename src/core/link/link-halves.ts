import type { Connection, InboundFacts } from '../connection.js';
import { isOpen } from '../connection-state.js';
import type { ConnectionState } from '../connection-state.js';
import { Inbox } from '../inbound/inbox.js';
import type { InboxHost } from '../inbound/inbox.js';
import type { LinkOwner } from './link-origin.js';
import { Outbox } from '../outbound/outbox.js';
import type { OutboxHost } from '../outbound/outbox.js';

/** The connection that the half which sends, or the one which receives, is made for. */
export interface HalvesHost<T> extends OutboxHost<T>, InboxHost<T> {
  readonly connection: Connection;
  readonly owner: LinkOwner<T>;
  readonly state: ConnectionState;
}

/** Makes what sends, as far as the connection has come. */
export function createOutbox<T>(host: HalvesHost<T>): Outbox<T> {
  const outbox = new Outbox(host.connection, host.owner.settings, host.owner.pool, host);
  if (isOpen(host.state)) outbox.start();
  return outbox;
}

/** Makes what receives, as far as the connection has come. */
export function createInbox<T>(host: HalvesHost<T>): Inbox<T> {
  const inbox = new Inbox(host.connection, host.owner.settings, host);
  if (isOpen(host.state)) inbox.start();
  else if (host.state === 'closed') inbox.stop();
  inbox.pendingEventsChanged();
  return inbox;
}

/** What an inbox would say that has not been made. */
export function nothingRead(state: ConnectionState): InboundFacts {
  return { bytesRead: 0, paused: !isOpen(state) };
}
