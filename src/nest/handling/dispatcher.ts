import type { MessageHandler } from '@nestjs/microservices';
import type { Connection } from '../../core/connection.js';
import type { Connector } from '../../core/connector.js';
import { PikeError } from '../../core/errors.js';
import { checkId, checkMetadata } from '../packets/packet-checks.js';
import type { IncomingPacket, PacketId } from '../packets/packets.js';
import { isPromise } from '../packets/packets.js';
import { showPattern } from '../packets/pattern.js';
import { PikeContext } from '../pike-context.js';
import type { ContextPeer } from '../pike-context.js';
import type { Answers } from './answers.js';
import type { HandlerRun } from './processing.js';
import type { Producer, ReplySink } from './reply-stream.js';
import { produce } from './reply-stream.js';
import type { Runs } from './runs.js';

/** Who has sent a packet. */
export interface Peer<T> extends ContextPeer {
  readonly connection: Connection;
  readonly answers: Answers<T>;
}

/** What a dispatcher needs of its server. */
export interface HandlerAccess<T> {
  findHandler(pattern: string): MessageHandler | null;
  /** Runs a handler between Nest's processing hooks. */
  process(context: PikeContext<T>, run: HandlerRun, failed: (thrown: unknown) => void): void;
  /** An event came for which there is no handler. */
  noEventHandler(pattern: string): void;
  /** An event handler failed: there is nobody else to tell. */
  report(error: unknown): void;
}

/** Where it goes what a handler returns or throws. */
interface HandlerOutcome {
  resolve(result: unknown): void;
  threw(error: unknown): void;
}

/** Nest's own words, which its users' code and tests may compare with. */
const NO_MESSAGE_HANDLER = 'There is no matching message handler defined in the remote service.';

/** Brings packets to handlers, and what handlers return to the request that asked for it. */
export class Dispatcher<T> {
  readonly #connector: Connector<T>;
  readonly #handlers: HandlerAccess<T>;
  readonly #runs: Runs;
  #refusing = false;
  #refusedEvents = 0;
  /** The streams that event handlers have returned and that go on, with what to call at their end. */
  readonly #eventStreams = new Map<Producer, () => void>();

  /** @param runs counts the handlers that are running */
  constructor(connector: Connector<T>, handlers: HandlerAccess<T>, runs: Runs) {
    this.#connector = connector;
    this.#handlers = handlers;
    this.#runs = runs;
  }

  /** @throws PikeError `PIKE_ERR_MALFORMED`: the packet is none, and its peer not to be trusted */
  dispatch(peer: Peer<T>, packet: IncomingPacket): void {
    const id = checkId(packet.id);
    if (packet.cancel === true) {
      if (id !== undefined) peer.answers.cancel(id);
      return;
    }
    const pattern = showPattern(packet.pattern);
    if (id === undefined) this.#event(peer, pattern, packet);
    else this.#request(peer, id, pattern, packet);
  }

  /** How many events have come since {@link refuse}. */
  get refusedEvents(): number {
    return this.#refusedEvents;
  }

  /** The server closes: from now on requests are answered with an error, and events are not handled. */
  refuse(): void {
    this.#refusing = true;
  }

  /** Stops the streams that event handlers have returned. */
  stopEventStreams(): void {
    for (const [stream, ended] of this.#eventStreams) {
      stream.stop();
      ended();
    }
    this.#eventStreams.clear();
  }

  #request(peer: Peer<T>, id: PacketId, pattern: string, packet: IncomingPacket): void {
    const request = peer.answers.begin(id);
    if (request === undefined) {
      throw new PikeError(
        'PIKE_ERR_MALFORMED',
        `The request id ${JSON.stringify(id)} is in use already.`,
      );
    }
    if (this.#refusing) {
      request.failed(SHUTTING_DOWN);
      return;
    }
    const handler = this.#handlers.findHandler(pattern);
    if (handler === null) {
      peer.answers.reply(request, { status: 'error', err: NO_MESSAGE_HANDLER, isDisposed: true });
      request.stop();
      return;
    }
    const context = this.#contextOf(peer, pattern, packet);
    this.#handlers.process(
      context,
      (ended) => {
        request.onOver = ended;
        return this.#run(handler, packet.data, context, request);
      },
      (thrown) => request.threw(thrown),
    );
  }

  #event(peer: Peer<T>, pattern: string, packet: IncomingPacket): void {
    if (this.#refusing) {
      this.#refusedEvents++;
      return;
    }
    const handler = this.#handlers.findHandler(pattern);
    if (handler === null) {
      this.#handlers.noEventHandler(pattern);
      return;
    }
    const context = this.#contextOf(peer, pattern, packet);
    const report = (error: unknown): void => this.#handlers.report(error);
    const run: HandlerRun = (ended) => {
      let stream: Producer | undefined;
      const sink = new EventSink(() => {
        if (stream !== undefined) this.#eventStreams.delete(stream);
        ended();
      }, report);
      return this.#run(handler, packet.data, context, {
        resolve: (result) => {
          stream = produce(result, sink);
          if (stream !== undefined) this.#eventStreams.set(stream, ended);
        },
        threw: (error) => sink.threw(error),
      });
    };
    this.#handlers.process(context, run, report);
  }

  #run(
    handler: MessageHandler,
    data: unknown,
    context: PikeContext<T>,
    outcome: HandlerOutcome,
  ): Promise<void> | undefined {
    const runs = this.#runs;
    runs.begin();
    let result: unknown;
    try {
      result = handler(data, context);
    } catch (thrown) {
      outcome.threw(thrown);
      runs.end();
      return undefined;
    }
    if (!isPromise(result)) {
      outcome.resolve(result);
      runs.end();
      return undefined;
    }
    return result.then(
      (value) => {
        outcome.resolve(value);
        runs.end();
      },
      (reason: unknown) => {
        outcome.threw(reason);
        runs.end();
      },
    );
  }

  #contextOf(peer: Peer<T>, pattern: string, packet: IncomingPacket): PikeContext<T> {
    const { metadata } = packet;
    if (metadata !== undefined) checkMetadata(metadata);
    return new PikeContext<T>([peer.connection, pattern, metadata, this.#connector, peer]);
  }
}

/** What requests are answered with while the server shuts down: they were not begun. */
const SHUTTING_DOWN = Object.freeze({
  status: 'error',
  code: 'PIKE_ERR_SHUTTING_DOWN',
  message: 'The server is shutting down and has not begun this request.',
});

/** Nobody receives what an event handler's stream emits; it is run to its end all the same. */
class EventSink implements ReplySink {
  readonly #finished: () => void;
  readonly report: (error: unknown) => void;

  constructor(finished: () => void, report: (error: unknown) => void) {
    this.#finished = finished;
    this.report = report;
  }

  value(): void {}

  last(): void {
    this.#finished();
  }

  failed(err: unknown): void {
    this.report(err);
    this.#finished();
  }

  threw(error: unknown): void {
    this.failed(error);
  }

  /** A turn for each value: a generator without an end must not keep everybody else from theirs. */
  room(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}
