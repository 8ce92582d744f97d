import type { MessageHandler } from '@nestjs/microservices';
import type { Connector } from '../../core/connector.js';
import { PikeError } from '../../core/errors.js';
import type { IncomingPacket, PacketId } from '../packets.js';
import { isPromise } from '../packets.js';
import { showPattern } from '../pattern.js';
import { PikeContext } from '../pike-context.js';
import type { HandlerRun } from './processing.js';
import type { Producer, ReplySink } from './reply-stream.js';
import { produce } from './reply-stream.js';
import type { Runs } from './runs.js';
import type { Session } from './session.js';

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

const MOST_ID_CHARACTERS = 256;

/** Brings packets to handlers, and what handlers return to the request that asked for it. */
export class Dispatcher<T> {
  readonly #connector: Connector<T>;
  readonly #handlers: HandlerAccess<T>;
  readonly #runs: Runs;
  #refusing = false;
  /** The streams that event handlers have returned and that go on, with what to call at their end. */
  readonly #eventStreams = new Map<Producer, () => void>();

  /** @param runs counts the handlers that are running */
  constructor(connector: Connector<T>, handlers: HandlerAccess<T>, runs: Runs) {
    this.#connector = connector;
    this.#handlers = handlers;
    this.#runs = runs;
  }

  /** @throws PikeError `PIKE_ERR_MALFORMED`: the packet is none, and its peer not to be trusted */
  dispatch(session: Session<T>, packet: IncomingPacket): void {
    checkPacket(packet);
    const id = checkId(packet.id);
    if (packet.cancel === true) {
      if (id !== undefined) session.cancel(id);
      return;
    }
    const pattern = showPattern(packet.pattern);
    if (id === undefined) this.#event(session, pattern, packet);
    else this.#request(session, id, pattern, packet);
  }

  /** The server closes: from now on requests are answered with an error. */
  refuseRequests(): void {
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

  #request(session: Session<T>, id: PacketId, pattern: string, packet: IncomingPacket): void {
    const request = session.begin(id);
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
      session.reply(request, { status: 'error', err: NO_MESSAGE_HANDLER, isDisposed: true });
      request.stop();
      return;
    }
    const context = this.#contextOf(session, pattern, packet);
    this.#handlers.process(
      context,
      (ended) => {
        request.onOver = ended;
        return this.#run(handler, packet.data, context, request);
      },
      (thrown) => request.threw(thrown),
    );
  }

  #event(session: Session<T>, pattern: string, packet: IncomingPacket): void {
    const handler = this.#handlers.findHandler(pattern);
    if (handler === null) {
      this.#handlers.noEventHandler(pattern);
      return;
    }
    const context = this.#contextOf(session, pattern, packet);
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

  #contextOf(session: Session<T>, pattern: string, packet: IncomingPacket): PikeContext<T> {
    const { metadata } = packet;
    if (metadata !== undefined) checkMetadata(metadata);
    return new PikeContext<T>([session.connection, pattern, metadata, this.#connector]);
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

function checkPacket(packet: unknown): asserts packet is IncomingPacket {
  if (typeof packet === 'object' && packet !== null) return;
  throw new PikeError(
    'PIKE_ERR_MALFORMED',
    'The deserializer has made no packet of a message: it must return an object.',
  );
}

function checkMetadata(metadata: unknown): void {
  if (
    typeof metadata === 'object' &&
    metadata !== null &&
    !Array.isArray(metadata) &&
    Object.values(metadata).every((value) => typeof value === 'string')
  ) {
    return;
  }
  throw new PikeError('PIKE_ERR_MALFORMED', 'The metadata of a packet must be a map of strings.');
}

function checkId(id: unknown): PacketId | undefined {
  if (id === undefined || typeof id === 'number') return id;
  if (typeof id === 'string' && id.length <= MOST_ID_CHARACTERS) return id;
  throw new PikeError(
    'PIKE_ERR_MALFORMED',
    `A packet id must be a number or a string of up to ${MOST_ID_CHARACTERS} characters.`,
  );
}
