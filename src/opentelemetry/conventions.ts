import type { Attributes } from '@opentelemetry/api';
import type { Connection } from '../core/connection.js';
import { describeThrown, isPikeError } from '../core/errors.js';
import type { PikeErrorCode } from '../core/errors.js';
import type { OperationDiagnostics } from '../nest/diagnostics/operation.js';
import { ownText } from '../nest/packets/own-text.js';
import { showPattern } from '../nest/packets/pattern.js';

// The names are those of OpenTelemetry's semantic conventions, 1.45: RPC for requests, messaging for events.

/** The value of `rpc.system.name` and `messaging.system.name`. */
const SYSTEM = 'nestjs-pike';

/** What stands for values of which there may be any number. */
export const OTHER = '_OTHER';

const MOST_PATTERN_CHARACTERS = 256;
const MOST_MESSAGE_CHARACTERS = 1_024;

/** What a server of ours answers by itself. */
const ANSWERED: readonly PikeErrorCode[] = [
  'PIKE_ERR_OVERLOADED',
  'PIKE_ERR_SHUTTING_DOWN',
  'PIKE_ERR_INTERRUPTED',
];

/** How a span is named, and what it and its metrics are told by. */
export interface Description {
  readonly name: string;
  /** Of few different values: for spans and metrics. */
  readonly attributes: Attributes;
  /** For spans only. */
  readonly details: Attributes;
}

/** A request. @param known whether there is a handler for the pattern; otherwise a peer may have made it up */
export function describeRequest(pattern: unknown, known: boolean): Description {
  const method = shown(pattern);
  return {
    name: known ? method : SYSTEM,
    attributes: { 'rpc.system.name': SYSTEM, 'rpc.method': known ? method : OTHER },
    details: known ? {} : { 'rpc.method_original': method },
  };
}

/** An event that we send. */
export function describeEmit(pattern: unknown): Description {
  return describeEvent('emit', 'send', shown(pattern));
}

/** An event that we handle. @param known as of {@link describeRequest} */
export function describeProcess(pattern: unknown, known: boolean): Description {
  return describeEvent('process', 'process', known ? shown(pattern) : OTHER);
}

function describeEvent(operation: string, type: string, destination: string): Description {
  return {
    name: destination === OTHER ? operation : `${operation} ${destination}`,
    attributes: {
      'messaging.system.name': SYSTEM,
      'messaging.operation.name': operation,
      'messaging.operation.type': type,
      'messaging.destination.name': destination,
    },
    details: {},
  };
}

/** Where the server of a connection is. */
export function serverOf(connection: Connection | undefined): Attributes {
  const server = connection?.inbound === true ? connection.local : connection?.remote;
  if (server === undefined) return {};
  if ('path' in server) return { 'server.address': server.path };
  return { 'server.address': server.host, 'server.port': server.port };
}

/** Who the other end of a connection is. */
export function peerOf(connection: Connection | undefined): Attributes {
  const peer = connection?.remote;
  if (connection === undefined) return {};
  // A client of a unix-domain socket has no address.
  if (peer === undefined) return { 'network.transport': 'unix' };
  if ('path' in peer) return { 'network.transport': 'unix', 'network.peer.address': peer.path };
  return {
    'network.transport': 'tcp',
    'network.peer.address': peer.host,
    'network.peer.port': peer.port,
  };
}

/**
 * How an operation ended: what distinguishes it from others that went well or failed. The conventions
 * know errors only, so the name is one of this package's own.
 */
export function outcomeOf({ outcome, error }: OperationDiagnostics): Attributes {
  switch (outcome) {
    case 'error':
      return { 'error.type': errorTypeOf(error) };
    case 'cancelled':
    case 'dropped':
      return { 'nestjs_pike.outcome': outcome };
    case 'ok':
    case undefined:
      return {};
  }
}

/** The value of `error.type`: a code of this package, the name of an error's class, or `_OTHER`. */
export function errorTypeOf(error: unknown): string {
  if (isPikeError(error)) return error.code;
  // Not its `name`, which a deserializer may have copied from what the peer says.
  if (error instanceof Error) return classOf(error);
  // What a peer has answered may say anything: it counts if it is what a server of ours says.
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return ANSWERED.find((known) => known === code) ?? OTHER;
}

/** What an error says, for the status of a span: of an error that a peer has answered, its message. */
export function messageOf(error: unknown): string {
  const message = (error as { message?: unknown } | null | undefined)?.message ?? error;
  const text = typeof message === 'string' ? message : describeThrown(error);
  return ownText(text.slice(0, MOST_MESSAGE_CHARACTERS));
}

function classOf(error: Error): string {
  const { constructor } = Object.getPrototypeOf(error) as { constructor: unknown };
  return typeof constructor === 'function' ? constructor.name : OTHER;
}

function shown(pattern: unknown): string {
  return ownText(showPattern(pattern).slice(0, MOST_PATTERN_CHARACTERS));
}
