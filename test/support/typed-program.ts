import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { EventEmitter, on } from 'node:events';
import { Program } from './project.js';
import { Screen } from './screen.js';

/** How a program is started. */
export interface TypedProgramOptions {
  /** Where it runs. */
  folder: string;
  /** Gives it a terminal so wide; otherwise it has pipes. Needs `python3`. */
  terminal?: { columns: number };
  /** What is added to the environment. */
  env?: Readonly<Record<string, string>>;
}

/** A program in a process of its own that is typed to: with pipes, or in a terminal. */
export class TypedProgram {
  readonly program: Program;
  /** What a person sees. */
  readonly screen: Screen;
  readonly #child: ChildProcess;
  readonly #shown = new EventEmitter();

  constructor(command: readonly string[], { folder, terminal, env }: TypedProgramOptions) {
    const { columns = 80 } = terminal ?? {};
    const script = `${process.cwd()}/test/support/terminal.py`;
    const inTerminal = ['python3', '-B', script, `${columns}`, '24'];
    const [file = '', ...rest] = terminal === undefined ? command : [...inTerminal, ...command];
    this.#child = spawn(file, rest, {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, TERM: 'xterm', ...env },
    });
    this.program = new Program(this.#child);
    this.screen = new Screen(columns);
    this.#child.stdout?.on('data', (text: string) => {
      this.screen.write(text);
      this.#shown.emit('change');
    });
    // A program that has ended is typed to in vain.
    this.#child.stdin?.on('error', () => undefined);
  }

  type(text: string | Buffer): void {
    this.#child.stdin?.write(text);
  }

  endInput(): void {
    this.#child.stdin?.end();
  }

  /** Resolves once the last rows of the screen are these; rejects if it ends otherwise. */
  async shows(...rows: string[]): Promise<void> {
    const isShown = (): boolean =>
      JSON.stringify(this.screen.rows.slice(-rows.length)) === JSON.stringify(rows);
    if (isShown()) return;
    const ended = new AbortController();
    void this.program.ended.then(() => ended.abort());
    try {
      for await (const _ of on(this.#shown, 'change', { signal: ended.signal })) {
        if (isShown()) return;
      }
    } catch {
      throw new Error(`Ended without showing ${rows.join('|')}:\n${this.screen.rows.join('\n')}`);
    }
  }

  /** Ends it at once, if it runs. */
  async kill(): Promise<void> {
    this.program.kill('SIGKILL');
    await this.program.ended;
  }
}
