import { constants } from 'node:os';

/** The signals that ask the program to end. */
const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

type EndSignal = (typeof SIGNALS)[number] | 'SIGPIPE';

/**
 * What asks a command to end before it is done: a signal, the first time; or that nobody reads its
 * output any more, as in `pike listen ... | head -1`. At the second signal the process exits at once.
 */
export class Interrupt {
  readonly #controller = new AbortController();
  #by: EndSignal | undefined;

  /** Aborted when the command is to end. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The status of a program that was ended so, as shells have it; `undefined` if it was not. */
  get exitCode(): number | undefined {
    return this.#by === undefined ? undefined : 128 + constants.signals[this.#by];
  }

  /** Listens for signals from now on. */
  start(): void {
    for (const signal of SIGNALS) process.on(signal, this.#received);
    process.stdout.on('error', this.#outputFailed);
  }

  /** Leaves signals to the system again. */
  stop(): void {
    for (const signal of SIGNALS) process.off(signal, this.#received);
  }

  /** As if a signal had come. */
  readonly #received = (signal: EndSignal): void => {
    if (this.#by !== undefined) process.exit(this.exitCode);
    this.#by = signal;
    this.#controller.abort();
  };

  readonly #outputFailed = (error: NodeJS.ErrnoException): void => {
    if (error.code !== 'EPIPE') throw error;
    if (this.#by === undefined) this.#received('SIGPIPE');
  };
}

/** Calls back when a signal is aborted; at once, if it is. */
export function onAbort(signal: AbortSignal, callback: () => void): void {
  if (signal.aborted) callback();
  else signal.addEventListener('abort', callback, { once: true });
}
