import { setTimeout as wait } from 'node:timers/promises';
import { NetConnector, showEndpoint } from '../../core/index.js';
import type { Connection, ConnectorEvent } from '../../core/index.js';
import { CLOSING_DEADLINE } from '../closing-deadline.js';
import type { CommandContext } from '../command-context.js';
import { dial } from '../dial.js';
import { endedByServer } from '../failure.js';
import { onAbort } from '../interrupt.js';
import type { Protocol } from '../protocols/protocol.js';
import { painter } from '../styles.js';
import { readTarget } from '../target.js';
import type { TargetOptions } from '../target.js';
import { Conversation } from '../terminal/conversation.js';
import { HistoryFile, historyPath } from '../terminal/history-file.js';
import { Prompt } from '../terminal/prompt.js';
import { helpFor, readOrder } from '../terminal/typed-line.js';

/** The options of `connect`. */
export interface ConnectCommandOptions extends TargetOptions {
  timeout: number;
}

/** Talks to a server by lines that are typed, or come from a pipe, until either side has enough. */
export async function connect(
  address: string,
  options: ConnectCommandOptions,
  context: CommandContext,
): Promise<void> {
  const { endpoint, protocol, connector: settings } = await readTarget(address, options);
  const { timeout } = options;
  const { signal } = context.interrupt;
  const connector = new NetConnector({ converter: protocol.converter, ...settings });
  await connector.run();
  try {
    const connection = await dial(connector, endpoint, { timeout, signal });
    const history = new HistoryFile(historyPath(), context.warn);
    const lines = await history.load();
    const talk = new Talk(connector, connection, protocol, { ...context, timeout, history, lines });
    if (talk.prompt.interactive) {
      talk.prompt.print(`Connected to ${showEndpoint(endpoint)}. .help shows what can be typed.`);
    }
    await talk.ended();
    await history.saved();
  } finally {
    await connector.shutdown({ now: true });
  }
}

interface TalkOptions extends CommandContext {
  timeout: number;
  history: HistoryFile;
  lines: string[];
}

/** A person, or a pipe, and a server. */
class Talk {
  readonly prompt: Prompt;
  readonly #connector: NetConnector<unknown>;
  readonly #connection: Connection;
  readonly #protocol: Protocol;
  readonly #options: TalkOptions;
  readonly #conversation: Conversation;
  /** Lines are obeyed one after the other, however long each takes. */
  #orders: Promise<void> = Promise.resolve();
  #leaving = false;

  constructor(
    connector: NetConnector<unknown>,
    connection: Connection,
    protocol: Protocol,
    options: TalkOptions,
  ) {
    this.#connector = connector;
    this.#connection = connection;
    this.#protocol = protocol;
    this.#options = options;
    this.#conversation = new Conversation(protocol, {
      send: (message) => void connector.send(connection, message),
      show: (line) => this.prompt.print(line),
      paint: painter(process.stdout),
    });
    this.prompt = new Prompt(
      {
        line: (line) => this.#typed(line),
        end: () => this.#then(() => this.#inputEnded()),
        interrupt: () => this.#interrupted(),
      },
      options.lines,
    );
    onAbort(options.interrupt.signal, () => this.#leave());
  }

  /**
   * Resolves when the connection has ended as it was to.
   * @throws PikeError (rejection) if it was lost, or the server has ended it
   */
  async ended(): Promise<void> {
    for await (const event of this.#connector) {
      if (event.connection !== this.#connection) continue;
      if (event.type === 'messageReceived') await this.#received(event.message);
      if (event.type === 'rejectedMessage') this.#options.warn(event.error);
      if (event.type === 'remoteDisconnect' || event.type === 'finishDisconnect') {
        this.prompt.close();
        this.#checkEnd(event);
        return;
      }
    }
  }

  #checkEnd({ type, error }: Extract<ConnectorEvent, { type: `${string}Disconnect` }>): void {
    if (error !== undefined) throw error;
    if (type === 'finishDisconnect' || this.#leaving) return;
    throw endedByServer();
  }

  async #received(message: unknown): Promise<void> {
    try {
      await this.#conversation.received(message);
    } catch (thrown) {
      this.#options.warn(thrown);
    }
  }

  #typed(line: string): void {
    if (this.prompt.interactive) this.#options.history.add(line);
    this.#then(() => this.#obey(line));
  }

  /** A line that cannot be obeyed is told of, and the next one may be better. */
  #then(work: () => Promise<void>): void {
    this.#orders = this.#orders.then(work).catch((thrown: unknown) => this.#options.warn(thrown));
  }

  async #obey(line: string): Promise<void> {
    const order = await readOrder(line, this.#protocol);
    switch (order.do) {
      case 'call':
        return this.#conversation.call(order);
      case 'emit':
        return this.#conversation.emit(order);
      case 'help':
        for (const text of helpFor(this.#protocol)) this.prompt.print(text);
        return;
      case 'cancel':
        return this.#cancel();
      case 'exit':
        return this.#leave();
      case 'nothing':
    }
  }

  /** On a terminal, that is Ctrl-D; a pipe still wants the replies to what it has sent. */
  async #inputEnded(): Promise<void> {
    if (!this.prompt.interactive) await this.#repliesOrTimeout();
    this.#leave();
  }

  async #repliesOrTimeout(): Promise<void> {
    const { timeout, interrupt } = this.#options;
    const settled = this.#conversation.settled();
    if (timeout === 0) return settled;
    const waiting = new AbortController();
    const stop = (): void => waiting.abort();
    interrupt.signal.addEventListener('abort', stop, { once: true });
    const late = wait(timeout, undefined, { signal: waiting.signal }).catch(() => undefined);
    await Promise.race([settled, late]);
    stop();
  }

  #interrupted(): void {
    if (this.#conversation.openRequests > 0) this.#then(() => this.#cancel());
    else if (this.prompt.isBlank) this.prompt.print('(.exit or Ctrl-D leaves.)');
    // At once: what is typed behind it is another line.
    else this.prompt.clear();
  }

  async #cancel(): Promise<void> {
    this.prompt.print(`cancelled: ${await this.#conversation.cancel()}`);
  }

  #leave(): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.prompt.close();
    this.#connector.disconnect(this.#connection, {
      finishQueues: true,
      deadline: CLOSING_DEADLINE,
    });
  }
}
