import { tracingChannel } from 'node:diagnostics_channel';
import type { TracingChannel } from 'node:diagnostics_channel';
import type { Observer } from 'rxjs';
import type { Connection } from '../../core/connection.js';
import { report } from '../../core/report.js';
import { captureScope } from '../async-scope.js';
import { checkMetadata } from '../packets/packet-checks.js';
import type { OutgoingPacket } from '../packets/packets.js';
import { Operation } from './operation.js';
import type { OperationDiagnostics, OperationOutcome } from './operation.js';

/**
 * What the tracing channels `nestjs-pike:request` and `nestjs-pike:emit` tell: a request, from when
 * it is made until its last reply; an event, from when it is made until it is sent.
 */
export interface CallDiagnostics extends OperationDiagnostics {
  readonly pattern: unknown;
  readonly data: unknown;
  /**
   * What goes to the peer beside the data. Subscribers of `start` may set it, to a copy with more in
   * it; it arrives if the packets of the protocol carry metadata, as those of the default one do. What
   * is no map of strings is not sent, and is an uncaught exception.
   */
  metadata: Readonly<Record<string, string>> | undefined;
}

type CallChannels = TracingChannel<unknown, CallDiagnostics>;

const REQUEST: CallChannels = tracingChannel('nestjs-pike:request');
const EMIT: CallChannels = tracingChannel('nestjs-pike:emit');

/** A request is made. @returns `undefined` if nobody listens */
export function traceRequest(packet: OutgoingPacket): CallTrace | undefined {
  return REQUEST.hasSubscribers ? new CallTrace(REQUEST, packet) : undefined;
}

/** An event is made. @returns `undefined` if nobody listens */
export function traceEmit(packet: OutgoingPacket): CallTrace | undefined {
  return EMIT.hasSubscribers ? new CallTrace(EMIT, packet) : undefined;
}

/** A request or event of ours, told to those who listen. */
export class CallTrace {
  /** The packet, with the metadata that subscribers have set. */
  readonly packet: OutgoingPacket;
  readonly #operation: Operation<CallDiagnostics>;
  /** That of the caller, for what is told to it: it comes from a connection that others use as well. */
  readonly #scope = captureScope();

  constructor(channels: CallChannels, packet: OutgoingPacket) {
    const { pattern, data, metadata } = packet;
    const message: CallDiagnostics = {
      pattern,
      data,
      metadata,
      connection: undefined,
      outcome: undefined,
      error: undefined,
      duration: 0,
    };
    this.#operation = new Operation(channels, message);
    this.#operation.start(() => undefined);
    // Not set in the packet itself: a broadcast gives the same one to every connection.
    this.packet = message.metadata === metadata ? packet : withMetadata(packet, message.metadata);
  }

  /** A callback of the caller, to be run in its context. */
  bind<Args extends unknown[]>(callback: (...args: Args) => void): (...args: Args) => void {
    return (...args) => this.#scope.runInAsyncScope(callback, undefined, ...args);
  }

  /** An observer of the caller, to be told in its context. */
  bindObserver(observer: Observer<never>): Observer<never> {
    return {
      next: this.bind((value: never) => observer.next(value)),
      error: this.bind((error: unknown) => observer.error(error)),
      complete: this.bind(() => observer.complete()),
    };
  }

  ended(outcome: OperationOutcome, connection: Connection | undefined, error?: unknown): void {
    this.#operation.message.connection ??= connection;
    this.#operation.ended(outcome, error);
  }
}

/** The packet with what subscribers have set, which is theirs to get wrong: a peer would end the connection. */
function withMetadata(
  packet: OutgoingPacket,
  metadata: OutgoingPacket['metadata'],
): OutgoingPacket {
  try {
    if (metadata !== undefined) checkMetadata(metadata);
    return { ...packet, metadata };
  } catch (thrown) {
    report(undefined, thrown);
    return packet;
  }
}
