import type { MessageHandler } from '@nestjs/microservices';
import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { PikeError } from '../../core/errors.js';
import {
  HandlingTrace,
  isHandlingTraced,
  traceUnknownEvent,
} from '../diagnostics/handling-diagnostics.js';
import { checkId, checkMetadata } from '../packets/packet-checks.js';
import type { IncomingPacket, PacketId } from '../packets/packets.js';
import { isPromise } from '../packets/packets.js';
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
import type { Run } from './run.js';
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
    if (this.#refusing) request.failed(SHUTTING_DOWN);
    else if (answers.tryBegin(request)) this.#handle(peer, request, packet);
    else answers.defer(request, packet, (answers.begin ??= this.#beginnerOf(peer)));
  }

  // On its own, as `#process`: a function that makes closures pays for them each time it is called.
  #beginnerOf(peer: Peer<T>): BeginRequest {
    return (request, packet) => this.#handle(peer, request, packet);
  }

  #handle(peer: Peer<T>, request: Request, packet: IncomingPacket): void {
    const pattern = showPattern(packet.pattern);
    const handler = this.#handlers.findHandler(pattern);
    const context = this.#contextOf(peer, pattern, packet, peer.asking(request));
    if (isHandlingTraced()) this.#traceRequest(handler, packet.data, context, request);
    else this.#answer(handler, packet.data, context, request);
  }

  #traceRequest(
    handler: MessageHandler | null,
    data: unknown,
    context: PikeContext<T>,
    request: Request,
  ): void {
    const trace = new HandlingTrace('request', context, data, handler !== null);
    request.whenOver((outcome) => trace.requestEnded(outcome));
    trace.run(() => this.#answer(handler, data, context, request));
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
    else void this.#run(handle, data, context, request);
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
        const returned = request.isOver ? undefined : this.#run(handler, data, context, request);
        started();
        return returned;
      },
      failed: (thrown) => request.threw(thrown),
    });
  }

  #event(peer: Peer<T>, packet: IncomingPacket): void {
    if (this.#refusing) {
      this.#refusedEvents++;
      return;
    }
    const pattern = showPattern(packet.pattern);
    const first = this.#handlers.findHandler(pattern);
    const context = this.#contextOf(peer, pattern, packet, peer);
    if (first === null) {
      if (isHandlingTraced()) traceUnknownEvent(context, packet.data);
      this.#handlers.noEventHandler(pattern);
      return;
    }
    if (peer.answers.tryBeginEvent()) {
      this.#handleEvent(peer, first, packet.data, context);
      return;
    }
    this.#runs.begin();
    peer.answers.deferEvent(packet, () => {
      this.#handleEvent(peer, first, packet.data, context);
      this.#runs.end();
    });
  }

  #handleEvent(peer: Peer<T>, first: MessageHandler, data: unknown, context: PikeContext<T>): void {
    if (this.#ended) {
      this.#report(notHandled(context.getPattern()));
      peer.answers.eventEnded();
    } else if (isHandlingTraced()) this.#traceEvent(peer, first, data, context);
    else this.#runEvent(peer, first, data, context, this.#report, NOTHING);
  }

  #traceEvent(peer: Peer<T>, first: MessageHandler, data: unknown, context: PikeContext<T>): void {
    const trace = new HandlingTrace('event', context, data, true);
    const report = (error: unknown): void => {
      trace.eventFailed(error);
      this.#report(error);
    };
    const over = (): void => trace.eventEnded();
    trace.run(() => this.#runEvent(peer, first, data, context, report, over));
  }

  /** @param over called once, when all of its handlers are */
  #runEvent(
    { answers }: Peer<T>,
    first: MessageHandler,
    data: unknown,
    context: PikeContext<T>,
    report: (error: unknown) => void,
    over: () => void,
  ): void {
    const started = this.#handlers.hooked ? this.#runs.beginOnce() : NOTHING;
    const handlers = handlersOf(first);
    const land = once(() => {
      answers.eventEnded();
      over();
    });
    const run: HandlerRun = async (ended) => {
      if (this.#ended) {
        // The start hook has taken longer than there was time for.
        this.#report(notHandled(context.getPattern()));
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
        await this.#run(handler, data, context, eventRun);
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
      land();
      started();
    };
    this.#handlers.process(context, { run, failed: report, notRun });
  }

  #run(
    handler: MessageHandler,
    data: unknown,
    context: PikeContext<T>,
    run: Run,
  ): Promise<void> | undefined {
    this.#runs.begin();
    let result: unknown;
    try {
      result = handler(data, context);
    } catch (thrown) {
      run.threw(thrown);
      this.#runs.end();
      return undefined;
    }
    if (!isPromise(result)) {
      run.resolve(result);
      run.whenGiven(this.#runs.end);
      return undefined;
    }
    return result.then(
      (value) => {
        run.resolve(value);
        run.whenGiven(this.#runs.end);
      },
      (reason: unknown) => {
        run.threw(reason);
        this.#runs.end();
      },
    );
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
