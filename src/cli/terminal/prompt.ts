import { clearScreenDown, createInterface, cursorTo, moveCursor } from 'node:readline';
import type { Interface } from 'node:readline';

/** What a prompt tells. */
export interface PromptListener {
  line(line: string): void;
  /** Nothing more is typed. */
  end(): void;
  /** Ctrl-C on a terminal. */
  interrupt(): void;
}

/**
 * Standard input by lines, and standard output. Where both are a terminal there is a prompt, with
 * history and editing, and a line that is printed appears above the one that is being typed; where
 * one is a pipe or a file, they are just read and written.
 */
export class Prompt {
  readonly interactive: boolean;
  readonly #readline: Interface;
  #open = true;

  /** @param history newest first */
  constructor(listener: PromptListener, history: string[]) {
    const { stdin: input, stdout: output, env } = process;
    this.interactive = input.isTTY && output.isTTY && env['TERM'] !== 'dumb';
    this.#readline = this.interactive
      ? createInterface({ input, output, prompt: '> ', history, removeHistoryDuplicates: true })
      : createInterface({ input });
    this.#readline
      .on('line', (line) => {
        listener.line(line);
        this.#prompt();
      })
      .on('SIGINT', () => listener.interrupt())
      .on('close', () => {
        if (this.#leaveLine()) listener.end();
      });
    this.#prompt();
  }

  /** Whether something is typed that was not entered yet. */
  get isBlank(): boolean {
    return this.#readline.line === '';
  }

  /** Throws away what is typed. */
  clear(): void {
    this.#readline.write(null, { ctrl: true, name: 'e' });
    this.#readline.write(null, { ctrl: true, name: 'u' });
  }

  print(line: string): void {
    if (!this.interactive || !this.#open) {
      process.stdout.write(`${line}\n`);
      return;
    }
    const { stdout } = process;
    moveCursor(stdout, 0, -this.#readline.getCursorPos().rows);
    cursorTo(stdout, 0);
    clearScreenDown(stdout);
    stdout.write(`${line}\n`);
    // It is to draw what is being typed from here, not from as many rows above as it was before;
    // there is no other way to tell it.
    (this.#readline as Interface & { prevRows: number }).prevRows = 0;
    this.#readline.prompt(true);
  }

  /** Takes no more lines. */
  close(): void {
    this.#leaveLine();
    this.#readline.close();
  }

  #prompt(): void {
    if (this.interactive && this.#open) this.#readline.prompt();
  }

  /** What is printed goes below what was typed from now on. @returns whether it was open so far */
  #leaveLine(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    if (this.interactive) process.stdout.write('\n');
    return true;
  }
}
