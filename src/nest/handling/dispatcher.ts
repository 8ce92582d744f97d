import type { MessageHandler } from '@nestjs/microservices';
import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { PikeError } from '../../core/errors.js';
import { captureScope } from '../async-scope.js';
import { HandlingTrace, isHandlingTraced } from '../diagnostics/handling-diagnostics.js';
import type { HandlingDiagnostics } from '../diagnostics/handling-diagnostics.js';
import { checkId, checkMetadata } from '../packets/packet-checks.js';
import type { IncomingPacket, PacketId } from '../packets/packets.js';
import { showPattern } from '../packets/pattern.js';
import { PikeContext } from '../pike-context.js';
import type { ContextPeer } from '../pike-context.js';
import type { Answers } from './answers.js';
import { handlersOf, joinedHandler } from './event-handlers.js';
import { EventRun } from './event-run.js';
import type { EventStreams } from './event-run.js';
import type { HandlerRun, Processing } from './processing.js';
import { once } from './once.js';
import { NO_MESSAGE_HANDLER, SHUTTING_DOWN } from './refusals.js';
import type { BeginRequest, Request } from './request.js';
import { runHandler } from './run-handler.js';
import type { Runs } from './runs.js';

/** Who has sent a packet. */
export interface Peer<T> extends ContextPeer {
  readonly connection: Connection;
  readonly answers: Answers<T>;
  /** The peer as the handler of one of its requests speaks to it. */
  asking(request: Request): ContextPeer;
}

/** What a dispatcher needs of its server. */
export interface HandlerAccess<T> {
  findHandler(pattern: string): MessageHandler | null;
  /** The pattern of a handler as that spells it: peers may find it by any number of spellings. */
  spelled(pattern: string): string;
  /** Whether there are processing hooks. */
  readonly hooked: boolean;
  /** Runs a handler between Nest's processing hooks. */
  process(context: PikeContext<T>, processing: Processing): void;
  /** An event came for which there is no handler. */
  noEventHandler(pattern: string): void;
  /** An event handler failed: there is nobody else to tell. */
  report(error: unknown): void;
}

/** Brings packets to handlers, and what handlers return to the request that asked for it. */
export class Dispatcher<T> implements EventStreams {
  readonly eventStreams = new Set<EventRun>();
  readonly #connector: Connector<T>;
  readonly #handlers: HandlerAccess<T>;
  readonly #runs: Runs;
  readonly #report = (error: unknown): void => this.#handlers.report(error);
  #refusing = false;
  #refusedEvents = 0;
  #ended = false;

  /** @param runs counts the handlers that are running */
  constructor(connector: Connector<T>, handlers: HandlerAccess<T>, runs: Runs) {
    this.#connector = connector;
    this.#handlers = handlers;
    this.#runs = runs;
  }

  /** Whether the server has closed. */
  get ended(): boolean {
    return this.#ended;
  }

  /** @throws PikeError `PIKE_ERR_MALFORMED`: the packet is none, and its peer not to be trusted */
  dispatch(peer: Peer<T>, packet: IncomingPacket): void {
    const id = checkId(packet.id);
    if (packet.cancel === true) {
      if (id !== undefined) peer.answers.cancel(id);
      return;
    }
    if (packet.metadata !== undefined) checkMetadata(packet.metadata);
    if (id === undefined) this.#event(peer, packet);
    else this.#request(peer, id, packet);
  }

  /** How many events have come since {@link refuse}. */
  get refusedEvents(): number {
    return this.#refusedEvents;
  }

  /**
   * The server closes: from now on requests are answered with an error, and events are not handled.
   * Events that have come before and wait to begin still are; for requests, see `Answers.refuseWaiting`.
   */
  refuse(): void {
    this.#refusing = true;
  }

  /** Stops the streams that event handlers have returned, and those that they will return. */
  stopEventStreams(): void {
    this.#ended = true;
    for (const stream of this.eventStreams) stream.stop();
  }

  #request(peer: Peer<T>, id: PacketId, packet: IncomingPacket): void {
    const { answers } = peer;
    const request = answers.add(id);
    if (request === undefined) {
      throw new PikeError(
        'PIKE_ERR_MALFORMED',
        `The request id ${JSON.stringify(id)} is in use already.`,
      );
    }
    if (isHandlingTraced()) this.#traceRequest(peer, request, packet);
    else this.#admit(peer, request, packet);
  }

  // On its own, as all that make closures: a function pays for them each time it is called.
  #traceRequest(peer: Peer<T>, request: Request, packet: IncomingPacket): void {
    const trace = this.#traceOf('request', peer, packet);
    request.trace = trace;
    request.whenOver((last) => trace.requestEnded(last));
    trace.start(() => this.#admit(peer, request, packet));
  }

  #admit(peer: Peer<T>, request: Request, packet: IncomingPacket): void {
    const { answers } = peer;
    if (this.#refusing) {
      request.stop(SHUTTING_DOWN);
      return;
    }
    request.scope = captureScope();
    if (answers.tryBegin(request)) this.#begin(peer, request, packet);
    else answers.defer(request, packet, (answers.begin ??= this.#beginnerOf(peer)));
  }

  #beginnerOf(peer: Peer<T>): BeginRequest {
    return (request, packet) => this.#begin(peer, request, packet);
  }

  #begin(peer: Peer<T>, request: Request, packet: IncomingPacket): void {
    request.scope?.runInAsyncScope(this.#handle, undefined, peer, request, packet);
  }

  readonly #handle = (peer: Peer<T>, request: Request, packet: IncomingPacket): void => {
    const pattern = showPattern(packet.pattern);
    const handler = this.#handlers.findHandler(pattern);
    const context = this.#contextOf(peer, pattern, packet, peer.asking(request));
    if (request.trace === undefined) this.#answer(handler, packet.data, context, request);
    else this.#answerTraced(request.trace, handler, packet.data, context, request);
  };

  #answerTraced(
    trace: HandlingTrace,
    ...handling: [MessageHandler | null, unknown, PikeContext<T>, Request]
  ): void {
    trace.run(() => this.#answer(...handling));
  }

  #answer(
    handler: MessageHandler | null,
    data: unknown,
    context: PikeContext<T>,
    request: Request,
  ): void {
    if (handler === null) {
      request.refused(NO_MESSAGE_HANDLER);
      return;
    }
    const handle = joinedHandler(handler);
    if (this.#handlers.hooked) this.#process(handle, data, context, request);
    else void runHandler(handle, data, context, request, this.#runs);
  }

  #process(
    handler: MessageHandler,
    data: unknown,
    context: PikeContext<T>,
    request: Request,
  ): void {
    // What the start hook takes its time for is at work, too.
    const started = this.#runs.beginOnce();
    request.whenOver(started);
    this.#handlers.process(context, {
      run: (ended) => {
        request.whenOver(ended);
        // It may have been given up while the start hook took its time.
        const returned = request.isOver
          ? undefined
          : runHandler(handler, data, context, request, this.#runs);
        started();
        return returned;
      },
      failed: (thrown) => request.threw(thrown),
    });
  }

  #event(peer: Peer<T>, packet: IncomingPacket): void {
    if (isHandlingTraced()) this.#traceEvent(peer, packet);
    else this.#admitEvent(peer, packet, undefined);
  }

  #traceEvent(peer: Peer<T>, packet: IncomingPacket): void {
    const trace = this.#traceOf('event', peer, packet);
    trace.start(() => this.#admitEvent(peer, packet, trace));
  }

  #admitEvent(peer: Peer<T>, packet: IncomingPacket, trace: HandlingTrace | undefined): void {
    const pattern = showPattern(packet.pattern);
    if (this.#refusing) {
      this.#refusedEvents++;
      trace?.eventFailed(notHandled(pattern));
      trace?.eventDropped();
      return;
    }
    const first = this.#handlers.findHandler(pattern);
    if (first === null) {
      trace?.eventDropped();
      this.#handlers.noEventHandler(pattern);
      return;
    }
    const context = this.#contextOf(peer, pattern, packet, peer);
    const scope = captureScope();
    const begin = (): void =>
      scope.runInAsyncScope(this.#handleEvent, undefined, peer, first, packet.data, context, trace);
    if (peer.answers.tryBeginEvent()) {
      begin();
      return;
    }
    this.#runs.begin();
    peer.answers.deferEvent(packet, () => {
      begin();
      this.#runs.end();
    });
  }

  readonly #handleEvent = (
    peer: Peer<T>,
    first: MessageHandler,
    data: unknown,
    context: PikeContext<T>,
    trace: HandlingTrace | undefined,
  ): void => {
    const report = this.#reportTo(trace);
    if (this.#ended) {
      report(notHandled(context.getPattern()));
      trace?.eventDropped();
      peer.answers.eventEnded();
    } else if (trace === undefined) this.#runEvent(peer, first, data, context, trace, report);
    else trace.run(() => this.#runEvent(peer, first, data, context, trace, report));
  };

  #reportTo(trace: HandlingTrace | undefined): (error: unknown) => void {
    if (trace === undefined) return this.#report;
    return (error) => {
      trace.eventFailed(error);
      this.#report(error);
    };
  }

  /** @param report told what fails; the trace as well */
  #runEvent(
    { answers }: Peer<T>,
    first: MessageHandler,
    data: unknown,
    context: PikeContext<T>,
    trace: HandlingTrace | undefined,
    report: (error: unknown) => void,
  ): void {
    const started = this.#handlers.hooked ? this.#runs.beginOnce() : NOTHING;
    const handlers = handlersOf(first);
    const land = once(() => {
      answers.eventEnded();
      trace?.eventEnded();
    });
    const run: HandlerRun = async (ended) => {
      if (this.#ended) {
        // The start hook has taken longer than there was time for.
        report(notHandled(context.getPattern()));
        ended();
        land();
        started();
        return;
      }
      let left = handlers.length;
      const handle = async (handler: MessageHandler): Promise<void> => {
        const eventRun = new EventRun([answers, this], report);
        eventRun.whenOver(() => {
          if (--left > 0) return;
          ended();
          land();
        });
        await runHandler(handler, data, context, eventRun, this.#runs);
      };
      const returned = handlers.map(handle);
      started();
      await Promise.all(returned);
    };
    if (!this.#handlers.hooked) {
      void run(NOTHING);
      return;
    }
    const notRun = (): void => {
      trace?.eventDropped();
      land();
      started();
    };
    this.#handlers.process(context, { run, failed: report, notRun });
  }

  #traceOf(
    kind: HandlingDiagnostics['kind'],
    { connection }: Peer<T>,
    { pattern: given, data, metadata }: IncomingPacket,
  ): HandlingTrace {
    const shown = showPattern(given);
    const known = this.#handlers.findHandler(shown) !== null;
    const pattern = known ? this.#handlers.spelled(shown) : shown;
    return new HandlingTrace({ kind, pattern, known, data, metadata, connection });
  }

  #contextOf(
    { connection }: Peer<T>,
    pattern: string,
    { metadata }: IncomingPacket,
    peer: ContextPeer,
  ): PikeContext<T> {
    return new PikeContext<T>([connection, pattern, metadata, this.#connector, peer]);
  }
}

function NOTHING(): void {}

function notHandled(pattern: string): PikeError {
  return new PikeError(
    'PIKE_ERR_SHUT_DOWN',
    `The server has closed before an event was handled that it had received: ${JSON.stringify(pattern)}`,
  );
}
