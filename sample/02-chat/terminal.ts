import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import type { Interface } from 'node:readline';

/** What a terminal tells. */
export interface TerminalListener {
  line(line: string): void;
  /** Nothing more is typed, or nobody reads any more what is printed. */
  end(): void;
  /** Ctrl-C. */
  interrupt(): void;
}

/**
 * Standard input by lines, and standard output. Where both are a terminal, a line that is printed
 * appears above the one that is being typed; where one is a pipe or a file, they are just read and
 * written.
 */
export class Terminal {
  readonly #readline: Interface;
  readonly #interactive: boolean;
  readonly #interrupt: () => void;
  #open = true;

  constructor(listener: TerminalListener) {
    const { stdin: input, stdout: output, env } = process;
    this.#interrupt = () => listener.interrupt();
    this.#interactive = input.isTTY && output.isTTY && env['TERM'] !== 'dumb';
    this.#readline = this.#interactive
      ? createInterface({ input, output, prompt: '> ' })
      : createInterface({ input });
    const end = (): void => {
      if (this.#leaveLine()) listener.end();
    };
    this.#readline
      .on('line', (line) => {
        listener.line(line);
        this.#prompt();
      })
      .on('SIGINT', this.#interrupt)
      .on('close', end);
    process.on('SIGINT', this.#interrupt);
    // As in: client | head -1
    output.on('error', end);
    this.#prompt();
  }

  print(line: string): void {
    if (!this.#interactive || !this.#open) {
      process.stdout.write(`${line}\n`);
      return;
    }
    const { stdout } = process;
    const { rows } = this.#readline.getCursorPos();
    moveCursor(stdout, 0, -rows);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    stdout.write(`${line}\n`);
    // It is to draw what is being typed from here. By itself it would go up as many rows as it
    // believes the cursor to be down, which it does not know after a paste; there is no other way
    // to tell it.
    (this.#readline as Interface & { prevRows: number }).prevRows = 0;
    this.#readline.prompt(true);
  }

  /** Takes no more lines for the moment. */
  pause(): void {
    this.#readline.pause();
  }

  resume(): void {
    if (this.#open) this.#readline.resume();
  }

  /** Takes no more lines for good. */
  close(): void {
    this.#leaveLine();
    this.#readline.close();
    process.off('SIGINT', this.#interrupt);
  }

  #prompt(): void {
    if (this.#interactive && this.#open) this.#readline.prompt();
  }

  /** Nothing is typed any more: what is printed goes below what was. @returns whether it was so far */
  #leaveLine(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    if (this.#interactive) process.stdout.write('\n');
    return true;
  }
}
