import { channel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Connection } from './connection.js';
import type { ConnectionState } from './connection-state.js';
import type { Connector } from './connector.js';
import type { Endpoint } from './endpoint.js';
import type { PikeError } from './errors.js';

/** What the channel `nestjs-pike:connection` tells: a connection was made, or its state has changed. */
export interface ConnectionDiagnostics {
  readonly connection: Connection;
  readonly state: ConnectionState;
  /** The state before; `undefined` when the connection was made. */
  readonly previous: ConnectionState | undefined;
  /** Why it is left, if a fault is the reason. */
  readonly error: PikeError | undefined;
}

/** What the channel `nestjs-pike:send` tells: a message was given to the connector. */
export interface SendDiagnostics {
  readonly connection: Connection;
  /** Of the type of the converter's messages. Not to be changed: it is serialized later. */
  readonly message: unknown;
}

/** What the channel `nestjs-pike:receive` tells: a message has arrived whole, and is about to be delivered. */
export interface ReceiveDiagnostics {
  readonly connection: Connection;
  /** Of the type of the converter's messages. */
  readonly message: unknown;
}

/** What the channel `nestjs-pike:reject` tells: a message that was given to the connector was not taken. */
export interface RejectDiagnostics {
  readonly connection: Connection;
  readonly message: unknown;
  readonly error: PikeError;
}

/** What the channel `nestjs-pike:handshake` tells: a TLS handshake has failed at a connector that listens. */
export interface HandshakeDiagnostics {
  /** The connector that listens. */
  readonly connector: Connector<unknown>;
  /** `PIKE_ERR_HANDSHAKE_FAILED`; `cause` is what Node says. */
  readonly error: PikeError;
  /** Whose: `undefined` if it has gone already, or connects over a unix-domain socket. */
  readonly remote: Endpoint | undefined;
  /** Where the connector listens. */
  readonly local: Endpoint | undefined;
}

const CONNECTION = channel('nestjs-pike:connection');
const SEND = channel('nestjs-pike:send');
const RECEIVE = channel('nestjs-pike:receive');
const REJECT = channel('nestjs-pike:reject');
const HANDSHAKE = channel('nestjs-pike:handshake');

/** How many changes of a state are being told of: a subscriber that connects is told of that within. */
let changesTold = 0;

// Each of these is called for every event of its kind, so it makes nothing unless somebody listens.

export function publishState(
  connection: Connection,
  state: ConnectionState,
  previous: ConnectionState | undefined,
  error: PikeError | undefined,
): void {
  if (!CONNECTION.hasSubscribers) return;
  changesTold++;
  try {
    CONNECTION.publish({ connection, state, previous, error } satisfies ConnectionDiagnostics);
  } finally {
    changesTold--;
  }
}

/**
 * Ends connections: at once; asked for by a subscriber in the middle of a change of state, in the next tick, when
 * that change is done.
 */
export function afterChanges(end: () => void): void {
  if (changesTold === 0) end();
  else process.nextTick(end);
}

export function publishSend(connection: Connection, message: unknown): void {
  if (!SEND.hasSubscribers) return;
  SEND.publish({ connection, message } satisfies SendDiagnostics);
}

export function publishReceive(connection: Connection, message: unknown): void {
  if (!RECEIVE.hasSubscribers) return;
  RECEIVE.publish({ connection, message } satisfies ReceiveDiagnostics);
}

export function publishReject(connection: Connection, message: unknown, error: PikeError): void {
  if (!REJECT.hasSubscribers) return;
  REJECT.publish({ connection, message, error } satisfies RejectDiagnostics);
}

/** @param tell makes what is told, if somebody listens */
export function publishHandshake(tell: () => HandshakeDiagnostics): void {
  if (HANDSHAKE.hasSubscribers) HANDSHAKE.publish(tell());
}

/** Listens to the TLS handshakes that fail at one connector. @returns ends that */
export function watchHandshakes(
  connector: Connector<unknown>,
  failed: (error: PikeError) => void,
): () => void {
  const { name } = HANDSHAKE;
  const told = (message: unknown): void => {
    const { connector: whose, error } = message as HandshakeDiagnostics;
    if (whose === connector) failed(error);
  };
  subscribe(name, told);
  return () => void unsubscribe(name, told);
}
